/** Messages that would make a script's look at them expensive or endless (FIELD.md §6, rows 29 to 37): everything ends, bounded. */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { run } from '../../src/sieve/machine.ts';
import { Mail } from '../../src/sieve/mail/mail.ts';
import { allParts } from '../../src/sieve/mail/part.ts';
import { ENVELOPE, HOST, program } from '../sieve/harness.ts';

/** A script that looks at everything: header, addresses, every part, body in all ways; and changes what it finds. */
const EVERYTHING = program(`
require ["foreverypart", "mime", "extracttext", "variables", "body", "editheader", "replace", "enclose", "relational", "regex"];
if header :regex "subject" "(a+)+$" { set "s" "1"; }
if address :all :contains ["from", "to", "cc"] "x" { set "a" "1"; }
if body :raw :contains "needle" { set "r" "1"; }
if body :content "" :matches "*needle*" { set "c" "1"; }
if body :text :contains "needle" { set "t" "1"; }
if header :mime :anychild :param "name" :contains "content-type" "exe" { set "p" "1"; }
foreverypart {
  extracttext :first 100 "text";
  if header :mime :contenttype "content-type" "application/x-bad" { replace "gone"; }
}
addheader :last "X-Looked" "\${s}\${a}\${r}\${c}\${t}\${p}";
enclose :subject "looked at" :headers ["to"] "here";
`);

/** Runs the script over a message; what comes of it is a message that can be read again. */
async function look(message: string | Uint8Array): Promise<{ mail: Mail; error: string | null }> {
  const mail = new Mail(typeof message === 'string' ? Buffer.from(message, 'latin1') : message);
  const { error } = await run(EVERYTHING, { message: mail, envelope: ENVELOPE, host: HOST });
  expect([...allParts(new Mail(mail.bytes()).root)].length).toBeGreaterThan(0);
  return { mail, error: error?.text ?? null };
}

test('1,000 levels of multipart and of encapsulated messages (row 29)', async () => {
  const multiparts = Array.from(
    { length: 1000 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
  ).join('');
  expect((await look(multiparts + '\r\nneedle')).error).toBeNull();
  expect((await look('Content-Type: message/rfc822\r\n\r\n'.repeat(1000) + 'needle')).error).toBeNull();
  expect([...allParts(new Mail(Buffer.from(multiparts)).root)].length).toBeLessThanOrEqual(
    limits.mime_depth.value,
  );
});

test('a part whose boundary is that of the part around it (row 30)', async () => {
  const same = 'Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n'.repeat(50);
  expect((await look(`${same}\r\nneedle\r\n--a--`)).error).toBeNull();
});

test('a hundred thousand parts (row 31)', async () => {
  const many = `Content-Type: multipart/mixed; boundary=a\r\n\r\n${'--a\r\n\r\nx\r\n'.repeat(100_000)}--a--`;
  await look(many);
  expect([...allParts(new Mail(Buffer.from(many)).root)].length).toBeLessThanOrEqual(limits.mime_parts.value);
});

test('fifty thousand fields, a field of a megabyte, a hundred thousand addresses (row 32)', async () => {
  await look('To: a@example.com\r\n'.repeat(50_000) + '\r\nx');
  await look(`Subject: ${'a'.repeat(1 << 20)}\r\n\r\nx`);
  await look(`To: ${'x@example.com,'.repeat(100_000)}\r\n\r\nx`);
});

test('continuations without end (row 33), quotes and comments that do not end (row 34)', async () => {
  const continued = Array.from({ length: 20_000 }, (_, i) => `\r\n name*${i}=a;`).join('');
  await look(`Content-Type: text/plain;${continued}\r\n\r\nx`);
  for (
    const address of [
      '"'.repeat(50_000),
      '('.repeat(50_000),
      'a (\\',
      '""@x',
      'g:;g:;'.repeat(5_000),
      '<'.repeat(50_000),
    ]
  ) {
    await look(`From: ${address}\r\n\r\nx`);
  }
});

test('encoded-words and encodings that lead nowhere (row 35)', async () => {
  await look(`Subject: ${'=?utf-8?q?a?= '.repeat(20_000)}\r\n\r\nx`);
  await look(`Subject: ${'=?'.repeat(50_000)}\r\n\r\nx`);
  await look('Subject: =?utf-7?q?+ADw-script?= =?frop?b?AAAA?=\r\n\r\nx');
  await look('Content-Type: text/plain; charset=utf-7\r\nContent-Transfer-Encoding: base64\r\n\r\n=====');
  await look(`Content-Transfer-Encoding: quoted-printable\r\n\r\n${'='.repeat(200_000)}`);
});

test('boundaries that begin alike, of blanks, too long, missing (row 36)', async () => {
  await look('Content-Type: multipart/mixed; boundary=a\r\n\r\n--ab\r\n\r\nx\r\n--a\r\n\r\ny\r\n--a--');
  await look('Content-Type: multipart/mixed; boundary=" "\r\n\r\n--\r\n\r\nx');
  await look(
    `Content-Type: multipart/mixed; boundary=${'a'.repeat(5_000)}\r\n\r\n--${'a'.repeat(5_000)}\r\n`,
  );
  await look('Content-Type: multipart/mixed\r\n\r\n--\r\n\r\nx');
});

test('no header, no body, nothing, bare line ends, NUL, one long line (row 37)', async () => {
  for (
    const message of [
      '',
      '\r\n',
      '\n',
      'text',
      'From x\nSubject: a\n\nb',
      'Subject: a\rFrom: b\r\rc',
      '\0\0: \0\r\n\r\n\0',
    ]
  ) {
    expect((await look(message)).error).toBeNull();
  }
  expect((await look(`\r\n${'a'.repeat(8 << 20)}`)).mail.size).toBeGreaterThan(8 << 20);
});

test('HTML that is nothing but tags, entities, or one that never ends', async () => {
  for (const html of ['<p>', '<', '&amp;', '<!--', '<a href="', '<script>']) {
    await look(`Content-Type: text/html\r\n\r\n${html.repeat(100_000)}`);
  }
});
