/** RFC 5703: loops over parts, their headers and text, replacing and enclosing them. */

import { expect, test } from 'bun:test';
import { run } from '../../../src/sieve/machine.ts';
import { Mail } from '../../../src/sieve/mail/mail.ts';
import { limits } from '../../../src/limits.ts';
import { ENVELOPE, findings, HOST, message, program } from '../harness.ts';
import { atOnce } from '../../../src/sieve/slices.ts';

const NEEDED =
  '["foreverypart", "mime", "variables", "extracttext", "replace", "enclose", "editheader", "relational", "regex"]';

const MAIL = message(
  'From: a@example.com',
  'Subject: parts',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=A',
  'X-Part: root',
  '',
  '--A',
  'Content-Type: multipart/alternative; boundary=B',
  'X-Part: alternative',
  '',
  '--B',
  'X-Part: plain',
  '',
  'Plain text',
  '--B',
  'Content-Type: text/html; charset=utf-8',
  'X-Part: html',
  '',
  '<p>HTML <b>text</b></p>',
  '--B--',
  '--A',
  'Content-Type: application/x-msdownload; name="evil.exe"',
  "Content-Disposition: attachment; filename*=UTF-8''%e2%82%ac%20evil.exe",
  'X-Part: attachment',
  '',
  'MZ',
  '--A',
  'Content-Type: message/rfc822',
  'X-Part: message',
  '',
  'Subject: inner',
  'X-Part: inner',
  '',
  'Inner text',
  '--A--',
  '',
);

function after(
  script: string,
  bytes: Uint8Array = MAIL,
): { mail: Mail; trace: string[]; error: string | null } {
  const mail = new Mail(bytes);
  const trace: string[] = [];
  const outcome = run(program(`require ${NEEDED};\n${script}`), {
    message: mail,
    envelope: ENVELOPE,
    host: HOST,
    trace: ({ text }) => trace.push(text),
  });
  if (outcome instanceof Promise) throw new Error('the script waits');
  return { mail, trace, error: outcome.error?.text ?? null };
}

/** What a variable holds when the script has ended. */
function variable(script: string, bytes?: Uint8Array): string {
  const { mail, error } = after(`${script}\naddheader "X-Out" "\${out}";`, bytes);
  expect(error).toBeNull();
  return mail.fields('x-out').raw[0] ?? '';
}

const NAME = 'if header :mime :matches "X-Part" "*" { set "out" "${out} ${1}"; }';

test('every part is visited once, each before those inside it', () => {
  expect(variable(`foreverypart { ${NAME} }`)).toBe('root alternative plain html attachment message inner');
  expect(variable(`foreverypart { ${NAME} }`, message('X-Part: only', '', 'text'))).toBe('only');
});

test('a loop in a loop goes over what is inside', () => {
  expect(variable(`foreverypart { if header :mime :contenttype "content-type" "multipart/alternative" {
    foreverypart { ${NAME} }
  } }`)).toBe('plain html');
});

test('break leaves the loop it names, or the innermost', () => {
  expect(variable(`foreverypart { ${NAME} if header :mime "X-Part" "plain" { break; } }`)).toBe(
    'root alternative plain',
  );
  expect(
    variable(
      `foreverypart :name "outer" { foreverypart { foreverypart { ${NAME} break :name "outer"; } } } set "out" "\${out}.";`,
    ),
  )
    .toBe('plain.');
  expect(variable(`foreverypart { foreverypart { ${NAME} break; } set "out" "\${out},"; }`)).toBe(
    'alternative, plain,,,, inner,,',
  );
});

test('outside of a loop :mime means the message, with :anychild all of it', () => {
  expect(variable('if header :mime "X-Part" "root" { set "out" "1"; }')).toBe('1');
  expect(variable('if header :mime "X-Part" "html" { set "out" "1"; }')).toBe('');
  expect(variable('if header :mime :anychild "X-Part" "inner" { set "out" "1"; }')).toBe('1');
  expect(variable('if exists :mime :anychild "Content-Disposition" { set "out" "1"; }')).toBe('1');
  expect(variable('if header :mime :anychild :count "eq" "X-Part" "7" { set "out" "1"; }')).toBe('1');
});

test('types and parameters, decoded (RFC 2231)', () => {
  const matches = (test: string) => variable(`foreverypart { if ${test} { set "out" "\${out}1"; } }`);
  expect(matches('header :mime :type "content-type" "application"')).toBe('1');
  expect(matches('header :mime :subtype "content-type" ["alternative", "mixed"]')).toBe('11');
  expect(matches('header :mime :contenttype "content-disposition" "attachment"')).toBe('1');
  expect(matches('header :mime :param ["filename", "name"] :is "content-disposition" "€ evil.exe"')).toBe(
    '1',
  );
  expect(matches('header :mime :param "name" :matches "content-type" "*.exe"')).toBe('1');
});

test('extracttext gives what a reader sees, and nothing of what is no text', () => {
  expect(variable('foreverypart { extracttext "t"; set "out" "${out}|${t}"; }')).toBe(
    '|||Plain text|HTML text|||Inner text',
  );
  expect(variable('foreverypart { extracttext :first 4 :upper "t"; set "out" "${out}|${t}"; }')).toBe(
    '|||PLAI|HTML|||INNE',
  );
});

test('a part is replaced where it stands; what is inside is not visited', () => {
  const { mail } = after(`foreverypart {
    ${NAME}
    if header :mime :contenttype "content-type" "multipart/alternative" { replace "No: grün"; }
    if header :mime :param "filename" :contains "Content-Disposition" ".exe" { replace :mime text:
Content-Type: text/x-note

Removed
.
; }
  }
  addheader "X-Out" "\${out}";`);
  expect(mail.fields('x-out').raw[0]).toBe('root alternative attachment message inner');
  const again = new Mail(mail.bytes());
  expect(atOnce(again.textBody())).toEqual(['No: gr\xc3\xbcn', 'Removed\r\n', 'Inner text']);
  expect(Buffer.from(mail.bytes()).toString()).not.toContain('evil.exe');
});

test('replacing outside of a loop, or at the root, changes the message as a whole and ends loops', () => {
  const { mail, trace } = after(
    `foreverypart { replace :subject "Cleaned" :from "b@example.com" "All gone"; ${NAME} }`,
  );
  expect(trace.filter((line) => line.startsWith('foreverypart'))).toEqual([
    'foreverypart: true',
    'foreverypart: false',
  ]);
  expect(atOnce(mail.textBody())).toEqual(['All gone']);
  expect(mail.fields('subject').raw).toEqual(['Cleaned']);
  expect(mail.fields('original-subject').raw).toEqual(['parts']);
  expect(mail.fields('from').raw).toEqual(['b@example.com']);
  expect(after('replace :from "${x}" "a";').error).toContain('is no address to write in From');
});

test('enclose makes a new message that tests then see', () => {
  const { mail } = after(`enclose :subject "Suspicious" :headers ["X-Part"] "Take care";
    if not header "Subject" "Suspicious" { discard; }
    foreverypart { ${NAME} } addheader "X-Out" "\${out}";`);
  expect(mail.fields('x-out').raw[0]).toBe('root root alternative plain html attachment message inner');
  expect(atOnce(new Mail(mail.bytes()).textBody())).toContain('Take care');
});

test('what stands in the wrong place is told', () => {
  const errors = (script: string) => findings(`require ${NEEDED};\n${script}`);
  expect(errors('break;')).toEqual(['2:1 the break command stands outside any foreverypart loop']);
  expect(errors('foreverypart :name "a" { break :name "b"; }')).toEqual([
    '2:26 the break command stands outside a foreverypart loop named "b"',
  ]);
  expect(errors('extracttext "a";')).toEqual([
    '2:1 the extracttext command stands outside any foreverypart loop',
  ]);
  expect(errors('foreverypart { extracttext "1"; }')[0]).toContain('"1"');
  expect(errors('if header :anychild "a" "b" { }')[0]).toContain("':anychild' needs ':mime'");
  expect(errors('if header :type "a" "b" { }')[0]).toContain("need ':mime'");
  expect(errors('replace :mime :subject "a" "b";')[0]).toContain("':subject' has no meaning with ':mime'");
  expect(findings('require ["extracttext"]; keep;')).toEqual([
    '1:10 the extension "extracttext" needs require "variables" and "foreverypart"',
  ]);
});

test('sieve_part_loops: ' + limits.sieve_part_loops.onExcess, () => {
  const most = limits.sieve_part_loops.value;
  const nested = (count: number) =>
    `require "foreverypart"; ${'foreverypart { '.repeat(count)} keep; ${'}'.repeat(count)}`;
  expect(findings(nested(most))).toEqual([]);
  expect(findings(nested(most + 1))[0]).toContain('more than 4 foreverypart loops');
});
