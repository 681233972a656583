import { expect, test } from 'bun:test';
import { decodeParameter } from '../../src/mime/encodedword.ts';
import { parseContentType, parseDisposition } from '../../src/mime/parameters.ts';
import { parseMessage } from '../../src/mime/message.ts';
import { forSeeds } from './random.ts';

test.each<[string, string, string[]]>([
  ['text/plain', 'TEXT/PLAIN', []],
  ['Text/Plain; Charset=us-ascii (Plain text)', 'TEXT/PLAIN', ['CHARSET', 'us-ascii']],
  ['text/plain; charset="us-ascii"', 'TEXT/PLAIN', ['CHARSET', 'us-ascii']],
  ['multipart/mixed; boundary="gc0pJq0M:08jU534c0p"', 'MULTIPART/MIXED', ['BOUNDARY', 'gc0pJq0M:08jU534c0p']],
  ['text / plain ; a = b', 'TEXT/PLAIN', ['A', 'b']],
  ['(c) text (d) / (e) plain (f) ; (g) a (h) = (i) b', 'TEXT/PLAIN', ['A', 'b']],
  ['a/b; name="q\\"\\\\;x"; c=d', 'A/B', ['NAME', 'q"\\;x', 'C', 'd']],
  // common faults
  ['a/b; name=two words.txt; c=d', 'A/B', ['NAME', 'two words.txt', 'C', 'd']],
  ['a/b; name=x(1).txt', 'A/B', ['NAME', 'x(1).txt']],
  ['a/b;; ;c=d;', 'A/B', ['C', 'd']],
  ['a/b c=d', 'A/B', ['C', 'd']],
  ['a/b; novalue; =x; c=d', 'A/B', ['C', 'd']],
  ['a/b; name="unclosed; c=d', 'A/B', ['NAME', 'unclosed; c=d']],
  ['a/b; name=', 'A/B', ['NAME', '']],
  ['a/b; ((((', 'A/B', []],
  ['a/b; x="\\', 'A/B', ['X', '\\']],
  // RFC 2231
  [
    'message/external-body; access-type=URL; URL*0="ftp://"; URL*1="cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"',
    'MESSAGE/EXTERNAL-BODY',
    ['ACCESS-TYPE', 'URL', 'URL', 'ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar'],
  ],
  [
    "application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
    'APPLICATION/X-STUFF',
    ['TITLE*', "us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"],
  ],
  [
    `application/x-stuff; title*2="isn't it!"; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*0*=us-ascii'en'This%20is%20even%20more%20`,
    'APPLICATION/X-STUFF',
    ['TITLE*', "us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!"],
  ],
  ['a/b; x*0="a b"; x*1*=%C3%A4', 'A/B', ['X*', "''a%20b%C3%A4"]],
  ['a/b; x*0=a; x*2=c', 'A/B', ['X', 'a']],
  ['a/b; x*1=b; c=d', 'A/B', ['C', 'd']],
  ['a/b; x*0=a; x*0=b; *0=y; x*y=z', 'A/B', ['X', 'a', '*0', 'y', 'X*Y', 'z']],
])('%s', (value, type, parameters) => {
  const parsed = parseContentType(value);
  expect(`${parsed?.type}/${parsed?.subtype}`).toBe(type);
  expect(parsed?.parameters).toEqual(parameters);
});

test.each(['', 'text', 'text/', '/plain', 'text;charset=x', '(c)', '"text"/plain'])(
  'no type: %s',
  (value) => {
    expect(parseContentType(value)).toBeNull();
    // RFC 2045 §5.2
    const { bodystructure } = parseMessage(Buffer.from(`Content-Type: ${value}\r\n\r\nx`));
    expect(bodystructure).toBe('("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 1 0 NIL NIL NIL NIL)');
  },
);

test('dispositions (RFC 2183)', () => {
  expect(parseDisposition('attachment; filename=genome.jpeg')).toEqual({
    kind: 'ATTACHMENT',
    parameters: ['FILENAME', 'genome.jpeg'],
  });
  expect(parseDisposition('inline')).toEqual({ kind: 'INLINE', parameters: [] });
  expect(parseDisposition('; filename=x')).toBeNull();
});

test('extended values to Unicode (RFC 2231 §4)', () => {
  expect(decodeParameter("utf-8'de'%C3%A4%20x", true)).toBe('\u00e4 x');
  expect(decodeParameter("iso-8859-1''%e4", true)).toBe('\u00e4');
  expect(decodeParameter("''%C3%A4", true)).toBe('\u00e4');
  expect(decodeParameter('%C3%A4%', true)).toBe('\u00e4%');
  expect(decodeParameter('=?utf-8?q?=C3=A4?=.txt', false)).toBe('\u00e4.txt');
});

test('written parameters are read as they were meant; noise is read', () => {
  const letters = 'ab \t"\\;=()<>@,:/[]?*\x80%\'';
  forSeeds(3000, (random) => {
    const expected: string[] = [];
    let text = 'x/y';
    for (let n = random.below(5); n > 0; n--) {
      const value = random.text(letters, 12);
      expected.push(`P${n}`, value);
      text += `;${random.pick(['', ' ', '(c)'])}p${n}=${random.pick(['', ' '])}"${
        value.replace(/["\\]/g, '\\$&')
      }"`;
    }
    expect(parseContentType(text)?.parameters).toEqual(expected);
    parseContentType('x/y;' + random.text(letters + '01', 40));
    parseDisposition(random.text(letters, 20));
  });
});
