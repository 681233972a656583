/** Messages made to hurt. Sizes are chosen so that anything worse than linear would not end in a test's time. */
import { expect, test } from 'bun:test';
import { type LimitName, limits } from '../../src/limits.ts';
import {
  bodyFromStructure,
  decodeHeader,
  decodeStructure,
  locateSection,
  messageIds,
  type ParsedMessage,
  parseMessage,
  type Part,
} from '../../src/mime/message.ts';
import { parseAddressList } from '../../src/mime/address.ts';
import { parseContentType } from '../../src/mime/parameters.ts';
import { baseSubject } from '../../src/mime/message.ts';
import { bodyModel, type Data, readData } from './list.ts';

const MEGABYTE = 1 << 20;

function parse(...pieces: string[]): ParsedMessage {
  const bytes = Buffer.from(pieces.join(''), 'latin1');
  const parsed = parseMessage(bytes);
  const body = readData(parsed.bodystructure);
  expect(readData(bodyFromStructure(parsed.bodystructure))).toEqual(bodyModel(body));
  expect(decodeStructure(parsed.structure).end).toBe(bytes.length);
  readData(parsed.envelope);
  return parsed;
}

function envelope(parsed: ParsedMessage): Data[] {
  return readData(parsed.envelope) as Data[];
}

function nodes(parsed: ParsedMessage): { depth: number; count: number } {
  let depth = 0;
  let count = 0;
  const visit = (part: Part, level: number): void => {
    depth = Math.max(depth, level);
    count++;
    for (const child of part.children) visit(child, level + 1);
  };
  visit(decodeStructure(parsed.structure), 1);
  return { depth, count };
}

/** What shows that a bound of the table holds; each `mime_` row needs one. */
const checks: Partial<Record<LimitName, (bound: number) => void>> = {
  mime_depth: (bound) => {
    const multiparts = Array.from(
      { length: 1000 },
      (_, i) => `Content-Type: multipart/mixed; boundary=b${i}x\n\n--b${i}x\n`,
    );
    const deep = parse(...multiparts, '\nx');
    expect(nodes(deep).depth).toBe(bound);
    expect(deep.bodystructure).toContain('"APPLICATION" "OCTET-STREAM"');
    const messages = parse('Content-Type: message/rfc822\n\n'.repeat(1000));
    expect(nodes(messages).depth).toBe(bound);
    expect(locateSection(messages.structure, { part: Array(bound).fill(1), what: 'whole' })).not.toBeNull();
    expect(locateSection(messages.structure, { part: Array(bound + 1).fill(1), what: 'whole' })).toBeNull();
    // The same boundary all the way: the outermost multipart has it.
    expect(nodes(parse('Content-Type: multipart/mixed; boundary=b\n\n--b\n'.repeat(1000))).count).toBe(1001);
  },
  mime_parts: (bound) => {
    const head = 'Content-Type: multipart/mixed; boundary=b\n\n';
    const parsed = parse(head, '--b\n\n'.repeat(100_000), 'end');
    expect(nodes(parsed).count).toBe(bound);
    // The root counts too. The last part holds all the rest.
    const last = locateSection(parsed.structure, { part: [bound - 1], what: 'whole' });
    expect(last?.end).toBe(head.length + 500_000 + 3);
    expect(nodes(parse(head, '--b\n\n'.repeat(bound - 2), '--b--')).count).toBe(bound - 1);
  },
  mime_header_block: (bound) => {
    const filler = 'X-A: ' + 'y'.repeat(1000) + '\r\n';
    const before = filler.repeat(Math.floor((bound - 100) / filler.length));
    const parsed = parse('Subject: seen\r\n', before, filler, 'From: late@x\r\n\r\nbody');
    expect([envelope(parsed)[1], envelope(parsed)[2]]).toEqual(['seen', null]);
    expect(parsed.size - parsed.headerSize).toBe(4);
  },
  mime_header_total: (bound) => {
    const part = '--b\r\nContent-Type: image/png\r\nX: ' + 'y'.repeat(8 * MEGABYTE) + '\r\n\r\n.\r\n';
    const parsed = parse('Content-Type: multipart/mixed; boundary=b\r\n\r\n', part.repeat(8));
    expect(parsed.bodystructure.split('"IMAGE" "PNG"').length - 1).toBe(Math.ceil(bound / (8 * MEGABYTE)));
    expect(nodes(parsed).count).toBe(9);
  },
  mime_header_fields: (bound) => {
    const parsed = parse('X:\n'.repeat(bound - 1), 'Subject: seen\nFrom: late@x\n\n');
    expect([envelope(parsed)[1], envelope(parsed)[2]]).toEqual(['seen', null]);
  },
  mime_boundary: (bound) => {
    const made = (length: number) =>
      parse(
        `Content-Type: multipart/mixed; boundary="${'b'.repeat(length)}"\n\n--${'b'.repeat(length)}\n\nx\n--${
          'b'.repeat(length)
        }--`,
      );
    expect(nodes(made(bound)).count).toBe(2);
    expect(made(bound).bodystructure).toContain('"7BIT" 1 0 ');
    expect(made(bound + 1).bodystructure).toStartWith('("TEXT" "PLAIN"');
  },
  mime_parameters: (bound) => {
    const type = parseContentType('a/b' + Array.from({ length: bound + 10 }, (_, i) => `;p${i}=x`).join(''));
    expect(type?.parameters.length).toBe(2 * bound);
    const pieces = parseContentType('a/b' + Array.from({ length: 200_000 }, (_, i) => `;p${i}*0=x`).join(''));
    expect(pieces?.parameters.length).toBe(2 * bound);
  },
  mime_continuations: (bound) => {
    const pieces = Array.from({ length: 100_000 }, (_, i) => `;p*${i % 10_000}=x`).join('');
    expect(parseContentType('a/b' + pieces)?.parameters).toEqual(['P', 'x'.repeat(bound)]);
  },
  mime_addresses: (bound) => {
    const fields = ('To: ' + 'a@b,'.repeat(1000) + '\n').repeat(1000);
    expect((envelope(parse(fields, '\n'))[5] as Data[]).length).toBe(bound);
    expect((envelope(parse('To:' + 'a@b,'.repeat(1_000_000), '\n\n'))[5] as Data[]).length).toBe(bound);
  },
  mime_string: (bound) => {
    const parsed = parse(
      'Subject: ' + 's'.repeat(MEGABYTE) + '\nContent-Description: ' + 'd'.repeat(bound) + '\n\n',
    );
    expect(envelope(parsed)[1]).toBe('s'.repeat(bound));
    expect((readData(parsed.bodystructure) as Data[])[4]).toBe('d'.repeat(bound));
  },
  mime_references: (bound) => {
    const ids = Array.from({ length: 100_000 }, (_, i) => `<${i}@x>`);
    const kept = messageIds(ids.join(' '));
    expect(kept).toEqual(['<0@x>', ...ids.slice(-(bound - 1))]);
    expect(messageIds(ids.slice(0, bound).join('\t'))).toEqual(ids.slice(0, bound));
  },
};

for (const limit of Object.values(limits)) {
  if (!limit.name.startsWith('mime_')) continue;
  test(`${limit.name}: ${limit.onExcess}`, () => {
    const check = checks[limit.name as LimitName];
    expect(check).toBeDefined();
    check?.(limit.value);
  });
}

test.each<[string, string]>([
  ['empty', ''],
  ['one LF', '\n'],
  ['a bare CR', '\r'],
  ['no empty line', 'Subject: x'],
  ['no header', '\r\nbody'],
  ['no separator', 'this is text\r\nand more\r\n'],
  ['an mbox line first', 'From a@b Mon Jan  1 00:00:00 2001\r\nSubject: x\r\n\r\nbody'],
  ['NUL everywhere', '\0Subject\0: \0\r\nSubject: a\0b\r\n\0\r\n\r\n\0'],
  ['CR line ends', 'Subject: x\rFrom: a@b\r\rbody\r'],
  ['only blanks', ' \r\n\t\r\n \r\n'],
  ['delimiters without end', 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n--b'],
  [
    'delimiter in a header',
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n--b--\r\n',
  ],
  ['empty message part', 'Content-Type: message/rfc822\r\n\r\n'],
  ['message part cut at its header', 'Content-Type: message/rfc822\r\n\r\nSubject: x'],
  [
    'encoded message part',
    'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA==\r\n',
  ],
  ['quotes in every place', 'Content-Type: "a"/"b"; "c"="d"; e="f"\r\nContent-ID: "\\"\r\n\r\n'],
  [
    '8-bit in every place',
    'Content-Type: \xe4/\xf6; \xfc="\xdf"\r\nContent-Disposition: \xe4\r\nFrom: \xe4 <\xf6@\xfc>\r\n\r\n',
  ],
])('%s', (_name, text) => {
  parse(text);
});

test('boundaries that begin with one another are different (RFC 2046 §5.1.1)', () => {
  const parsed = parse(
    'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n',
    '--ab\n\none\n--ab--\n--a\n\ntwo --a\n--abc\n--a--x\n--a--\n--a\n\nepilogue',
  );
  expect(bodyFromStructure(parsed.bodystructure)).toBe(
    '((("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 3 0) "MIXED")' +
      '("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 20 2) "MIXED")',
  );
});

test('a multipart without a usable boundary is text', () => {
  for (const type of ['multipart/mixed', 'multipart/mixed; boundary=""', 'multipart/mixed; boundary="  "']) {
    expect(parse(`Content-Type: ${type}\n\n--\n\nx`).bodystructure).toStartWith('("TEXT" "PLAIN"');
  }
});

test('two From fields are one list: no reader sees less than another', () => {
  expect(envelope(parse('From: a@b\nFrom: c@d\nSubject: one\nSubject: two\n\n')).slice(1, 3)).toEqual([
    'one',
    [[null, null, 'a', 'b'], [null, null, 'c', 'd']],
  ]);
});

test('megabytes of one thing', () => {
  const head = 'Content-Type: multipart/mixed; boundary=b\n\n--b\n\n';
  for (const unit of ['\n', '--\n', '--x\n', '--b', '--b \t', '\r', '-', '\0', ' ']) {
    parse(head, unit.repeat(Math.ceil((2 * MEGABYTE) / unit.length)));
    parse(unit.repeat(Math.ceil(MEGABYTE / unit.length)));
  }
  for (
    const unit of [
      '(',
      ')',
      '"',
      '\\',
      '<@',
      '<@a,',
      ':',
      ';',
      '@',
      ',',
      '[',
      '\r',
      '\r\n ',
      '=?a?q?',
      'a ',
      '<>',
      '*0=;',
      '=',
    ]
  ) {
    const value = unit.repeat(Math.ceil(MEGABYTE / unit.length));
    for (
      const name of ['From', 'Date', 'References', 'Subject', 'Content-Type: a/b;', 'Content-Disposition: a;']
    ) {
      parse(`${name}: ${value}\n\n`);
    }
    for (const name of ['Language', 'Location', 'Transfer-Encoding', 'ID']) {
      parse(`Content-${name}: ${value}\r\n\r\n`);
    }
    decodeHeader(value);
    baseSubject(value);
  }
  // Comments are counted, not recursed into.
  expect(parseAddressList('('.repeat(MEGABYTE) + ')'.repeat(MEGABYTE) + 'a@b')[0]?.mailbox).toBe('a');
  baseSubject('[a]'.repeat(300_000) + 'x');
  baseSubject('[fwd:'.repeat(200_000) + ']'.repeat(200_000));
  decodeHeader('=?utf-8?q?x'.repeat(100_000) + '?=');
  decodeHeader('=?utf-8?q?x?= '.repeat(100_000));
});
