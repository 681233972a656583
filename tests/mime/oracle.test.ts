/** An outside judge: Python's email package reads the same generated mail. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import {
  decodeHeader,
  decodeStructure,
  parseAddressList,
  parseMessage,
  type Part,
} from '../../src/mime/message.ts';
import { type MadePart, makeMessage } from './generate.ts';
import { type Data, readData } from './list.ts';
import { Random } from './random.ts';

type Tree = [type: string, content: string | Tree[]];

interface Judgement {
  readonly tree: Tree;
  readonly date: number | null;
  readonly to: [name: string, address: string][];
  readonly subject: string | null;
}

/** What Python says of each message, in their order. */
function judge(messages: readonly string[]): Judgement[] {
  const input = messages.map((text) => Buffer.from(text, 'latin1').toString('base64') + '\n').join('');
  const python = Bun.spawnSync(['python3', join(import.meta.dir, 'oracle.py')], {
    stdin: Buffer.from(input),
    stderr: 'inherit',
  });
  expect(python.exitCode).toBe(0);
  return python.stdout.toString().trimEnd().split('\n').map((line) => JSON.parse(line) as Judgement);
}

/** Our tree in the same form. */
function treeOf(text: string, part: Part, body: Data[]): Tree {
  if (part.kind === 'leaf') return [`${body[0]}/${body[1]}`, text.slice(part.bodyStart, part.end)];
  if (part.kind === 'message') {
    return [`${body[0]}/${body[1]}`, [treeOf(text, part.children[0] as Part, body[8] as Data[])]];
  }
  const count = part.children.length;
  const children = part.children.map((child, index) => treeOf(text, child, body[index] as Data[]));
  return [`MULTIPART/${body[Math.max(count, 1)]}`, children];
}

test('generated messages have the same parts with the same content', () => {
  const random = new Random(20261123);
  // Python does not look into message/global and keeps a multipart without parts as text: these say nothing about us.
  const texts = Array.from({ length: 600 }, () => makeMessage(random))
    .filter(({ root }) => !JSON.stringify(root.structure).includes('"GLOBAL"') && !hasEmptyMultipart(root))
    .map(({ text }) => text);
  expect(texts.length).toBeGreaterThan(200);
  judge(texts).forEach((judgement, index) => {
    const text = texts[index] as string;
    const parsed = parseMessage(Buffer.from(text, 'latin1'));
    const tree = treeOf(text, decodeStructure(parsed.structure), readData(parsed.bodystructure) as Data[]);
    expect(tree).toEqual(judgement.tree);
    expect(parsed.sentDate).toBe(judgement.date);
  });
});

test('the same addresses, dates and subjects', () => {
  const random = new Random(5322);
  const names = ['', 'Plain Name', '"Quoted, Name"', '"with \\"quotes\\""', '=?utf-8?q?J=C3=B6rg?='];
  const zones = ['+0000', '-0330', 'EST', 'GMT', '+1300'];
  const two = (below: number) => String(random.below(below)).padStart(2, '0');
  const messages = Array.from({ length: 300 }, () => {
    const to = Array.from({ length: 1 + random.below(4) }, () => {
      const name = random.pick(names);
      const address = `${random.pick(['a', 'b.c', 'd+e'])}@${random.pick(['x', 'y.example', '[192.0.2.1]'])}`;
      return name === '' ? address : `${name} <${address}>`;
    }).join(random.pick([', ', ',', ',\r\n\t']));
    const month = random.pick(['Jan', 'Feb', 'Jun', 'Dec']);
    const year = random.pick(['1995', '2026', '99', '07']);
    const time = `${two(24)}:${two(60)}${random.pick(['', `:${two(60)}`])}`;
    const date = `${random.pick(['', 'Mon, '])}${1 + random.below(28)} ${month} ${year} ${time} ${
      random.pick(zones)
    }`;
    const words = ['=?iso-8859-1?q?a=E4_b?=', '=?utf-8?b?4oKsIA==?=', '=?koi8-r?Q?=F0=D2?='];
    const subject = Array.from({ length: 1 + random.below(4) }, () => random.pick(words)).join(
      random.pick([' ', '\r\n ']),
    );
    return `To: ${to}\r\nDate: ${date}\r\nSubject: ${subject}\r\n\r\nx`;
  });
  judge(messages).forEach((judgement, index) => {
    const parsed = parseMessage(Buffer.from(messages[index] as string, 'latin1'));
    expect(parsed.sentDate).toBe(judgement.date);
    expect(decodeHeader(parsed.subject ?? '')).toBe(judgement.subject ?? '');
    const to = readData(parsed.envelope) as Data[];
    const ours = (to[5] as Data[][]).map(([name, , mailbox, host]) => [name ?? '', `${mailbox}@${host}`]);
    expect(ours).toEqual(judgement.to);
    expect(parseAddressList(ours.map(([, address]) => address).join(',')).length).toBe(judgement.to.length);
  });
});

function hasEmptyMultipart(part: MadePart): boolean {
  if (part.kind === 'multipart' && part.children.length === 0) return true;
  return part.children.some(hasEmptyMultipart);
}
