/** The examples printed in the RFCs. */
import { expect, test } from 'bun:test';
import { bodyFromStructure, locateSection, parseMessage } from '../../src/mime/message.ts';

function message(...lines: string[]): Buffer {
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

test('RFC 9051 §8: ENVELOPE and BODY of the sample session', () => {
  const header = message(
    'Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
    'From: Terry Gray <gray@cac.washington.edu>',
    'Subject: IMAP4rev2 WG mtg summary and minutes',
    'To: imap@cac.washington.edu',
    'cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>',
    'Message-Id: <B27397-0100000@cac.washington.ed>',
    'MIME-Version: 1.0',
    'Content-Type: TEXT/PLAIN; CHARSET=US-ASCII',
    '',
    '',
  );
  const body = Buffer.concat([Buffer.alloc(3028 - 92 * 2, 'x'), Buffer.from('\r\n'.repeat(92))]);
  const parsed = parseMessage(Buffer.concat([header, body]));
  expect(parsed.envelope).toBe(
    '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" ' +
      '(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ' +
      '(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ' +
      '((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL ' +
      '"<B27397-0100000@cac.washington.ed>")',
  );
  expect(bodyFromStructure(parsed.bodystructure)).toBe(
    '("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92)',
  );
  expect(parsed.headerSize).toBe(header.length);
  expect(parsed.sentDate).toBe(Date.UTC(1996, 6, 17, 9, 23, 25) / 1000);
});

test('RFC 9051 §7.5.2: a text and a base64-encoded text attachment', () => {
  const text = 'x'.repeat(1152 - 46) + '\r\n'.repeat(23);
  const diff = ('y'.repeat(60) + '\r\n').repeat(73);
  const attachment = diff + 'z'.repeat(4554 - diff.length);
  const parsed = parseMessage(message(
    'Content-Type: multipart/mixed; boundary="=_x"',
    '',
    '--=_x',
    'Content-Type: text/plain; charset=US-ASCII',
    '',
    text,
    '--=_x',
    'Content-Type: text/plain; charset=US-ASCII; name="cc.diff"',
    'Content-ID: <960723163407.20117h@cac.washington.edu>',
    'Content-Description: Compiler diff',
    'Content-Transfer-Encoding: base64',
    '',
    attachment,
    '--=_x--',
  ));
  expect(bodyFromStructure(parsed.bodystructure)).toBe(
    '(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)' +
      '("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") ' +
      '"<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73) "MIXED")',
  );
});

const COMPLEX = message(
  'MIME-Version: 1.0',
  'From: Nathaniel Borenstein <nsb@nsb.fv.com>',
  'To: Ned Freed <ned@innosoft.com>',
  'Date: Fri, 07 Oct 1994 16:15:05 -0700 (PDT)',
  'Subject: A multipart example',
  'Content-Type: multipart/mixed;',
  '              boundary=unique-boundary-1',
  '',
  'This is the preamble area of a multipart message.',
  'Mail readers that understand multipart format',
  'should ignore this preamble.',
  '',
  '--unique-boundary-1',
  '',
  '  ... Some text appears here ...',
  '',
  '--unique-boundary-1',
  'Content-type: text/plain; charset=US-ASCII',
  '',
  'This could have been part of the previous part, but',
  'illustrates explicit versus implicit typing of body',
  'parts.',
  '',
  '--unique-boundary-1',
  'Content-Type: multipart/parallel; boundary=unique-boundary-2',
  '',
  '--unique-boundary-2',
  'Content-Type: audio/basic',
  'Content-Transfer-Encoding: base64',
  '',
  '  ... base64-encoded 8000 Hz single-channel',
  '      mu-law-format audio data goes here ...',
  '',
  '--unique-boundary-2',
  'Content-Type: image/jpeg',
  'Content-Transfer-Encoding: base64',
  '',
  '  ... base64-encoded image data goes here ...',
  '',
  '--unique-boundary-2--',
  '',
  '--unique-boundary-1',
  'Content-type: text/enriched',
  '',
  'This is <bold><italic>enriched.</italic></bold>',
  '<smaller>as defined in RFC 1896</smaller>',
  '',
  "Isn't it",
  '<bigger><bigger>cool?</bigger></bigger>',
  '',
  '--unique-boundary-1',
  'Content-Type: message/rfc822',
  '',
  'From: (mailbox in US-ASCII)',
  'To: (address in US-ASCII)',
  'Subject: (subject in US-ASCII)',
  'Content-Type: Text/plain; charset=ISO-8859-1',
  'Content-Transfer-Encoding: Quoted-printable',
  '',
  '  ... Additional text in ISO-8859-1 goes here ...',
  '',
  '--unique-boundary-1--',
  '',
);

test('RFC 2049 appendix A: a complex multipart', () => {
  const { bodystructure } = parseMessage(COMPLEX);
  expect(bodyFromStructure(bodystructure)).toBe(
    '(("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 34 1)' +
      '("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 114 3)' +
      '(("AUDIO" "BASIC" NIL NIL NIL "BASE64" 91)("IMAGE" "JPEG" NIL NIL NIL "BASE64" 47) "PARALLEL")' +
      '("TEXT" "ENRICHED" NIL NIL NIL "7BIT" 145 5)' +
      // From and To hold a comment and no address.
      '("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 232 (NIL "(subject in US-ASCII)" NIL NIL NIL NIL NIL NIL NIL NIL) ' +
      '("TEXT" "PLAIN" ("CHARSET" "ISO-8859-1") NIL NIL "QUOTED-PRINTABLE" 51 1) 7) "MIXED")',
  );
});

test('RFC 9051 §6.4.5: sections of a complex multipart', () => {
  const { structure } = parseMessage(COMPLEX);
  const section = (what: 'whole' | 'header' | 'text' | 'mime', ...part: number[]): string | null => {
    const range = locateSection(structure, { part, what });
    return range === null ? null : COMPLEX.toString('latin1', range.start, range.end);
  };
  expect(section('whole', 1)).toBe('  ... Some text appears here ...\r\n');
  expect(section('mime', 1)).toBe('\r\n');
  expect(section('mime', 3, 2)).toBe('Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n');
  expect(section('whole', 3, 2)).toBe('  ... base64-encoded image data goes here ...\r\n');
  expect(section('header', 5)?.startsWith('From: (mailbox')).toBe(true);
  expect(section('header', 5)?.endsWith('printable\r\n\r\n')).toBe(true);
  expect(section('text', 5)).toBe('  ... Additional text in ISO-8859-1 goes here ...\r\n');
  expect(section('whole', 5, 1)).toBe('  ... Additional text in ISO-8859-1 goes here ...\r\n');
  expect(section('text', 3)).toBeNull();
  expect(section('whole', 6)).toBeNull();
  expect(section('whole', 1, 1)).toBeNull();
});

test('RFC 2046 §5.1.1: a part with headers only, implicit and explicit text', () => {
  const bytes = message(
    'Content-type: multipart/mixed; boundary="simple boundary"',
    '',
    'This is the preamble.',
    '',
    '--simple boundary',
    '',
    'This is implicitly typed plain US-ASCII text.',
    'It does NOT end with a linebreak.',
    '--simple boundary',
    'Content-type: text/plain; charset=us-ascii',
    '',
    'It DOES end with a linebreak.',
    '',
    '--simple boundary--',
    '',
    'This is the epilogue.',
  );
  const { structure, bodystructure } = parseMessage(bytes);
  const text = (part: number) => {
    const range = locateSection(structure, { part: [part], what: 'whole' });
    return range && bytes.toString('latin1', range.start, range.end);
  };
  expect(text(1)).toBe('This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.');
  expect(text(2)).toBe('It DOES end with a linebreak.\r\n');
  expect(bodystructure).toContain('"7BIT" 80 1 ');
  expect(bodystructure).toContain('"7BIT" 31 1 ');
});

test('RFC 2046 §5.1.5: parts of a digest are messages by default', () => {
  const { bodystructure } = parseMessage(message(
    'Content-Type: multipart/digest; boundary="----- next message ----"',
    '',
    '------- next message ----',
    '',
    'From: someone-else@example',
    'Subject: my opinion',
    '',
    'body',
    '------- next message ----',
    'Content-Type: text/plain',
    '',
    'no message',
    '------- next message ------',
  ));
  expect(bodyFromStructure(bodystructure)).toBe(
    '(("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 55 (NIL "my opinion" ((NIL NIL "someone-else" "example")) ' +
      '((NIL NIL "someone-else" "example")) ((NIL NIL "someone-else" "example")) NIL NIL NIL NIL NIL) ' +
      '("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 4 0) 3)' +
      '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 0) "DIGEST")',
  );
});

test('RFC 9051 §7.5.2: sender and reply-to stand for from where absent or empty, groups have no host', () => {
  const { envelope } = parseMessage(message(
    'From: a@b',
    'Sender:',
    'Reply-To: r@s',
    'To: A Group:Ed Jones <joe@where.test>,joe@where.test;',
    'Cc: Undisclosed recipients:;',
    'Bcc:',
    'Subject:',
    '',
    '',
  ));
  expect(envelope).toBe(
    '(NIL "" ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "r" "s")) ' +
      '((NIL NIL "A Group" NIL)("Ed Jones" NIL "joe" "where.test")(NIL NIL "joe" "where.test")(NIL NIL NIL NIL)) ' +
      '((NIL NIL "Undisclosed recipients" NIL)(NIL NIL NIL NIL)) NIL NIL NIL)',
  );
});
