/** Searching in messages as they lie, against decoding and folding everything. */
import { describe, expect, test } from 'bun:test';
import { headerHolds, MessageContents, textHolds } from '../../../src/imap/search/contents.ts';
import { Needle } from '../../../src/imap/search/needle.ts';
import { fold } from '../../../src/mime/fold.ts';
import { charsetKeepsAscii, decodeCharset } from '../../../src/mime/charset.ts';
import { latin1, unfold } from '../../../src/mime/header.ts';
import { decodeHeader, decodeText, eachField, parseMessage } from '../../../src/mime/message.ts';
import type { MessageContent } from '../../../src/store/border.ts';
import type { Random } from '../../harness/random.ts';
import { forSeeds } from '../seeds.ts';

const WORDS = [
  'Grüße',
  'STRASSE',
  'straße',
  'lazy dog',
  'lazy',
  'dog',
  'a',
  'x=y',
  'e\u0301',
  'é',
  'ſ',
  '日本',
  'utf',
  '=',
];
const CHARSETS = [
  null,
  'utf-8',
  'us-ascii',
  'iso-8859-1',
  'iso-2022-jp',
  'utf-16le',
  'shift_jis',
  'x-nonsense',
];
const ENCODINGS = [null, '7BIT', '8BIT', 'BASE64', 'QUOTED-PRINTABLE'] as const;

function inFolded(text: string, part: string): boolean {
  return fold(text).includes(fold(part));
}

function generateText(random: Random): string {
  const separators = [' ', '', '\r\n', ' \r\n', '\t', '\n'];
  return Array.from({ length: random.below(12) }, () => random.pick(WORDS) + random.pick(separators)).join(
    '',
  );
}

function inCharset(text: string, charset: string | null): Buffer {
  if (charset === 'utf-16le') return Buffer.from(text, 'utf16le');
  if (charset === 'iso-8859-1') return Buffer.from(text, 'latin1');
  if (charset === 'iso-2022-jp') return Buffer.from(`${text}\x1b$BF|K\\\x1b(B`, 'latin1');
  return Buffer.from(text, 'utf8');
}

function encoded(random: Random, bytes: Buffer, encoding: (typeof ENCODINGS)[number]): Buffer {
  if (encoding === 'BASE64') {
    return Buffer.from(
      bytes.toString('base64').replace(/.{1,76}/g, '$&\r\n') + random.pick(['', 'QUJD', '!']),
    );
  }
  if (encoding !== 'QUOTED-PRINTABLE') return bytes;
  let out = '';
  for (const byte of bytes) {
    const plain = byte !== 61 && byte < 127 && !random.oneIn(6);
    out += plain ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    if (random.oneIn(12)) out += '=\r\n';
  }
  return Buffer.from(out, 'latin1');
}

describe('text', () => {
  test('in every encoding and charset holds what it holds when it is decoded', () => {
    forSeeds(6000, (random) => {
      const [charset, encoding] = [random.pick(CHARSETS), random.pick(ENCODINGS)];
      const bytes = encoded(random, inCharset(generateText(random), charset), encoding);
      const part = random.pick(WORDS) + (random.oneIn(3) ? random.pick([' ', '\r\n', 'x', 'g']) : '');
      const found = textHolds(bytes, encoding, charset, new Needle(part));
      const what = { text: bytes.toString('latin1'), encoding, charset, part };
      expect({ ...what, found }).toEqual({
        ...what,
        found: inFolded(decodeText(bytes, encoding, charset), part),
      });
    });
  });

  test('ASCII is ASCII in the charsets of which that is said', () => {
    const ascii = Buffer.from(Array.from({ length: 128 }, (_unused, i) => i).filter((c) => c !== 0x1b));
    const labels = [
      'utf-8',
      'big5',
      'euc-jp',
      'euc-kr',
      'gb18030',
      'gbk',
      'ibm866',
      'koi8-r',
      'koi8-u',
      'macintosh',
      'shift_jis',
      'windows-874',
      'x-mac-cyrillic',
      'cp932',
      'cp949',
      'nonsense',
      'us-ascii',
      'unknown-8bit',
      'utf-7',
      ...Array.from({ length: 16 }, (_unused, i) => `iso-8859-${i + 1}`),
      ...Array.from({ length: 9 }, (_unused, i) => `windows-125${i}`),
    ];
    for (const label of labels) {
      if (!charsetKeepsAscii(label)) continue;
      expect({ label, text: decodeCharset(ascii, label) }).toEqual({ label, text: ascii.toString('latin1') });
    }
    expect(['utf-16', 'utf-16be', 'iso-2022-jp', 'ISO-2022-JP', 'unicode'].some(charsetKeepsAscii)).toBe(
      false,
    );
    expect(charsetKeepsAscii('UTF-8')).toBe(true);
    expect(charsetKeepsAscii(null)).toBe(true);
  });
});

/** Every field unfolded and decoded, one a line. */
function headerText(header: Buffer): string {
  const lines: string[] = [];
  eachField(header, (start, _nameEnd, _valueStart, end) => {
    lines.push(decodeHeader(unfold(latin1(header, start, end))));
  });
  return lines.join('\n');
}

test('a header holds what its fields hold unfolded and decoded', () => {
  const pieces = [
    'Grüße',
    'lazy',
    ' dog',
    '\r\n ',
    '\r\n\t',
    '=?utf-8?q?Gr=C3=BC?=',
    '=?utf-8?b?w59lCg==?= ',
    '=?x?q?lazy?=',
    '=?iso-8859-1?q?stra=DFe?=',
    'strasse',
    '\r',
    '\0',
    '=?',
    '?=',
    'utf',
  ];
  forSeeds(6000, (random) => {
    let text = '';
    for (let field = random.below(4); field > 0; field--) {
      text += random.pick(['Subject:', 'From :', 'X', ' Y:', '']);
      for (let piece = random.below(6); piece > 0; piece--) text += random.pick(pieces);
      text += random.pick(['\r\n', '\n']);
    }
    const block = Buffer.from(`${text}\r\n`, random.oneIn(3) ? 'utf8' : 'latin1');
    // An empty line ends a header wherever it stands.
    const header = block.subarray(0, eachField(block, () => {}));
    const part = random.pick([...WORDS, 'ect:', 'grü', 'ss', 'lazy dog', 'dog\n', ' ', 'ß\nX']);
    const found = headerHolds(header, new Needle(part));
    const what = { header: header.toString('latin1'), part };
    expect({ ...what, found }).toEqual({ ...what, found: inFolded(headerText(header), part) });
  });
});

test('messages of many parts, small and too large to be read at once', () => {
  forSeeds(300, (random) => {
    const boundary = 'b0';
    const parts: { text: string; searched: boolean }[] = [];
    let message =
      `Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: multipart/mixed; boundary=${boundary}\r\n\r\n`;
    for (let i = 1 + random.below(3); i > 0; i--) {
      const [charset, encoding] = [
        random.pick(['utf-8', 'iso-8859-1']),
        random.pick(['8BIT', 'BASE64', 'QUOTED-PRINTABLE'] as const),
      ];
      const text = `${generateText(random)}${random.oneIn(20) ? 'filling '.repeat(40_000) : ''}.`;
      const searched = random.oneIn(2);
      const bytes = encoded(random, inCharset(text, charset), encoding);
      parts.push({ text: decodeText(bytes, encoding, charset), searched });
      message +=
        `--${boundary}\r\nX-Part: number${i}\r\nContent-Type: ${
          searched ? 'text/plain' : 'image/png'
        }; charset=${charset}\r\n` +
        `Content-Transfer-Encoding: ${encoding}\r\n\r\n${bytes.toString('latin1')}\r\n`;
    }
    const file = Buffer.from(`${message}--${boundary}--\r\n`, 'latin1');
    const { headerSize, structure } = parseMessage(file);
    let opened = 0;
    const content: MessageContent = {
      size: file.length,
      read: (start, end) => file.subarray(start, end),
      readInto: (target, start) => file.copy(target, 0, start),
      close: () => opened--,
    };
    const contents = new MessageContents(
      () => {
        opened++;
        return content;
      },
      headerSize,
      structure,
    );
    for (const part of [...WORDS, 'grüße', 'number1', 'number3', 'x-part: number2']) {
      const needle = new Needle(part);
      const inBody = parts.some(({ text, searched }) => searched && inFolded(text, part));
      expect({ part, found: contents.bodyHolds(needle) }).toEqual({ part, found: inBody });
      const all = `${headerText(file.subarray(0, headerSize))}\n${
        parts.map((_each, i) => `X-Part: number${i + 1}`).join('\n')
      }`;
      expect({ part, found: contents.headersHold(needle) }).toMatchObject({
        part,
        ...(/number|grüße/.test(part) ? { found: inFolded(all, part) } : {}),
      });
    }
    expect(opened).toBe(1);
    contents.close();
    expect(opened).toBe(0);
  });
});
