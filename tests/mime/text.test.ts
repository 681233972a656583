/** Encoded-words, transfer encodings, charsets and subjects: what turns bytes into the text people read. */
import { expect, test } from 'bun:test';
import {
  baseSubject,
  decodeHeader,
  decodeText,
  decodeTransfer,
  splitSubject,
} from '../../src/mime/message.ts';
import { decodeBase64, decodeQuotedPrintable } from '../../src/mime/transfer.ts';
import { forSeeds } from './random.ts';

test.each([
  // RFC 2047 §8
  ['=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>', 'Keith Moore <moore@cs.utk.edu>'],
  ['=?ISO-8859-1?Q?Andr=E9?= Pirard', 'Andr\u00e9 Pirard'],
  [
    '=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=',
    'If you can read this you understand the example.',
  ],
  ['(=?ISO-8859-1?Q?a?=)', '(a)'],
  ['(=?ISO-8859-1?Q?a?= b)', '(a b)'],
  ['(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)', '(ab)'],
  ['(=?ISO-8859-1?Q?a_b?=)', '(a b)'],
  ['(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)', '(a b)'],
  // RFC 2231 §5
  ['=?US-ASCII*EN?Q?Keith_Moore?=', 'Keith Moore'],
  // a char split across words, other charsets, raw UTF-8, raw latin1
  ['=?utf-8?Q?=C3?= =?UTF-8?B?pA==?=', '\u00e4'],
  ['=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=', '\u65e5\u672c'],
  ['=?koi8-r?Q?=F0?=', '\u041f'],
  ['gr\xc3\xbc\xc3\x9fe', 'gr\u00fc\u00dfe'],
  ['gr\xfc\xdfe', 'gr\u00fc\u00dfe'],
  ['=?us-ascii?Q?=C3=A4?=', '\u00e4'],
  // a byte order mark is a char like others
  ['\xef\xbb\xbfa', '\ufeffa'],
  // not decodable: as it was sent
  ['=?utf-7?Q?+AOQ-?=', '=?utf-7?Q?+AOQ-?='],
  ['=?x-none?Q?a?= =?utf-8?q?b?=', '=?x-none?Q?a?= b'],
  ['=?utf-8?X?a?=', '=?utf-8?X?a?='],
  ['=?utf-8?Q?a', '=?utf-8?Q?a'],
  ['=?=?=?=?', '=?=?=?=?'],
  ['=?utf-8?Q?a=?utf-8?Q?b?=', 'a=?utf-8?Q?b'],
  ['=?utf-8?Q??=', ''],
  ['=?utf-8?Q?a=?=', 'a='],
  ['', ''],
])('%s', (value, expected) => {
  expect(decodeHeader(value)).toBe(expected);
});

test('encoded-words of any text are that text again', () => {
  forSeeds(1000, (random) => {
    const text = random.text('ab _=?\u00e4\u20ac"\t', 30) + random.pick(['', '\u{1f600}x']);
    const bytes = Buffer.from(text);
    const words: string[] = [];
    for (let at = 0; at < bytes.length; at += 10) {
      const piece = bytes.subarray(at, at + 10);
      const q = [...piece].map((c) => (c === 32 ? '_' : '=' + c.toString(16).toUpperCase().padStart(2, '0')))
        .join('');
      words.push(random.once(2) ? `=?utf-8?Q?${q}?=` : `=?UTF-8?b?${piece.toString('base64')}?=`);
    }
    expect(decodeHeader(words.join(random.pick([' ', '\t', ''])))).toBe(text);
    decodeHeader(random.text('=?utf-8QBb _\xff', 60));
  });
});

test('base64: lines, noise, no end, padding ends it', () => {
  const text = (data: string) => Buffer.from(decodeBase64(Buffer.from(data))).toString('latin1');
  expect(text('aGVs\r\nbG8=')).toBe('hello');
  expect(text(' aG*V\ts\xffbG8 ')).toBe('hello');
  expect(text('aGVsbG8')).toBe('hello');
  expect(text('aGVsbG8=\r\ntrailer')).toBe('hello');
  expect(text('====')).toBe('');
  expect(text('')).toBe('');
  forSeeds(300, (random) => {
    const bytes = Buffer.from(random.text('\0a\xff\r\n', 80), 'latin1');
    const lines = bytes.toString('base64').replace(/.{20}/g, '$&\r\n');
    expect(Buffer.from(decodeBase64(Buffer.from(lines)))).toEqual(bytes);
  });
});

test('quoted-printable (RFC 2045 §6.7)', () => {
  const text = (data: string) =>
    Buffer.from(decodeQuotedPrintable(Buffer.from(data, 'latin1'))).toString('latin1');
  expect(text("Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.")).toBe(
    "Now's the time for all folk to come to the aid of their country.",
  );
  expect(text('a=3D=3d b')).toBe('a== b');
  expect(text('blanks \t\r\nend \n=20\n')).toBe('blanks\r\nend\n \n');
  expect(text('=\n=ZZ=4')).toBe('=ZZ=4');
  expect(text('soft = \t\r\nbreak=')).toBe('soft break');
  expect(text('a_b')).toBe('a_b');
});

test('text of a part: unknown encodings and charsets leave what there is', () => {
  expect(decodeText(Buffer.from('=E4'), 'quoted-printable', 'iso-8859-1')).toBe('\u00e4');
  expect(decodeText(Buffer.from('w6Q='), 'Base64', 'UTF-8')).toBe('\u00e4');
  expect(decodeText(Buffer.from('\u00e4'), null, null)).toBe('\u00e4');
  expect(decodeText(Buffer.from([0xe4]), 'x-odd', 'x-none')).toBe('\u00e4');
  expect(decodeText(Buffer.from([0x61, 0xff]), '8bit', 'utf-8')).toBe('a\ufffd');
  const bytes = Buffer.from('same');
  expect(decodeTransfer(bytes, 'binary')).toBe(bytes);
});

test.each([
  ['Re: hello', 'hello'],
  ['RE : Fwd:  hello \t world', 'hello world'],
  ['[list] Re: [list] hello', 'hello'],
  ['re[2]: hello (fwd) (FWD)', 'hello'],
  ['[fwd: Re: hello (fwd)]', 'hello'],
  ['[fwd: [fwd: hello]]', 'hello'],
  ['[a][b]', '[b]'],
  ['[a] [b] text', 'text'],
  ['Re:', ''],
  ['reply', 'reply'],
  ['fw', 'fw'],
  ['a [fwd: b]', 'a [fwd: b]'],
  ['', ''],
  ['[', '['],
])('base subject of %s', (subject, expected) => {
  expect(baseSubject(subject)).toBe(expected);
});

test.each([
  ['Re: a', true],
  ['[list] fw [x]: a', true],
  ['a (fwd)', true],
  ['a (FWD)  ', true],
  ['[fwd: a]', true],
  ['[list] a  ', false],
  ['a (fwd) b', false],
  ['reply: a', false],
  ['', false],
])('%s is a reply or forward: %p', (subject, expected) => {
  expect(splitSubject(subject).reply).toBe(expected);
});

test('base subjects stay what they are', () => {
  forSeeds(3000, (random) => {
    let subject = '';
    for (let n = random.below(10); n > 0; n--) {
      subject += random.pick(['re', 'fwd', ':', '[', ']', ' ', 'a', '[fwd:', '(fwd)']);
    }
    const base = baseSubject(subject);
    expect(baseSubject(base)).toBe(base);
    expect(baseSubject(`Re: ${base}`)).toBe(base);
  });
});
