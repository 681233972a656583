import { expect, test } from 'bun:test';
import {
  bodyFromStructure,
  decodeStructure,
  locateSection,
  parseMessage,
  type Part,
} from '../../src/mime/message.ts';
import { encodeStructure } from '../../src/mime/structure.ts';
import { type MadePart, makeMessage } from './generate.ts';
import { bodyModel, type Data, readData } from './list.ts';
import { forSeeds } from './random.ts';

type What = 'whole' | 'header' | 'text' | 'mime';

test('generated trees: offsets, BODYSTRUCTURE and ENVELOPE are those that were written', () => {
  forSeeds(1500, (random) => {
    const { text, root } = makeMessage(random);
    const bytes = Buffer.from(text, 'latin1');
    const parsed = parseMessage(bytes);
    const envelope = root.structure.pop() as Data;
    expect(parsed.size).toBe(bytes.length);
    expect(parsed.headerSize).toBe(root.header[1]);
    expect(parsed.lines).toBe(text.slice(root.body[0]).split('\n').length - 1);
    expect(readData(parsed.bodystructure)).toEqual(root.structure);
    expect(readData(parsed.envelope)).toEqual(envelope);
    samePlaces(decodeStructure(parsed.structure), root);
    expect(encodeStructure(decodeStructure(parsed.structure))).toEqual(parsed.structure);
  });
});

test('generated trees: every section specification gives the bytes that were written', () => {
  forSeeds(600, (random) => {
    const { text, root } = makeMessage(random);
    const { structure } = parseMessage(Buffer.from(text, 'latin1'));
    const bytesOf = (part: number[], what: What): string | null => {
      const range = locateSection(structure, { part, what });
      return range === null ? null : text.slice(range.start, range.end);
    };
    const own = (message: MadePart, what: What): string => {
      const [start, end] = what === 'header' ? message.header : [message.header[0], message.body[1]];
      return text.slice(what === 'text' ? message.body[0] : start, end);
    };
    for (const what of ['whole', 'header', 'text'] as const) expect(bytesOf([], what)).toBe(own(root, what));
    expect(bytesOf([], 'mime')).toBeNull();
    // RFC 9051 §6.4.5: the numbering, written down once more by recursion.
    const visit = (part: MadePart, path: number[]): void => {
      expect(bytesOf(path, 'whole')).toBe(text.slice(...part.body));
      expect(bytesOf(path, 'mime')).toBe(text.slice(...part.header));
      const inner = part.kind === 'message' ? (part.children[0] as MadePart) : null;
      for (const what of ['header', 'text'] as const) {
        expect(bytesOf(path, what)).toBe(inner === null ? null : own(inner, what));
      }
      if (inner !== null) inside(inner, path);
      else if (part.kind === 'multipart') inside(part, path);
      else expect(bytesOf([...path, 1], 'whole')).toBeNull();
    };
    const inside = (container: MadePart, path: number[]): void => {
      if (container.kind !== 'multipart') visit(container, [...path, 1]);
      else container.children.forEach((child, index) => visit(child, [...path, index + 1]));
      const beyond = container.kind === 'multipart' ? container.children.length + 1 : 2;
      for (const number of [0, beyond]) expect(bytesOf([...path, number], 'whole')).toBeNull();
    };
    inside(root, []);
  });
});

test('BODY is BODYSTRUCTURE without the extension data', () => {
  forSeeds(800, (random) => {
    const { bodystructure } = parseMessage(Buffer.from(makeMessage(random).text, 'latin1'));
    expect(readData(bodyFromStructure(bodystructure))).toEqual(bodyModel(readData(bodystructure)));
  });
});

test('changed, cut and lengthened messages: total, in bounds, well formed', () => {
  const noise = '\r\n\r\n\0\xff"()<>@,;:\\[]-= \tContent-Type: multipart/mixed; boundary=b\n\n--b--\n';
  forSeeds(3000, (random) => {
    let text = makeMessage(random).text;
    for (let n = 1 + random.below(8); n > 0; n--) {
      const at = random.below(text.length + 1);
      const cut = random.once(3) ? random.below(30) : random.below(2);
      text = text.slice(0, at) + random.text(noise, random.once(4) ? 40 : 2) + text.slice(at + cut);
    }
    if (random.once(3)) text = text.slice(0, random.below(text.length + 1));
    checkSound(text);
  });
});

test('bytes of mail-like noise', () => {
  const words = [
    '--b',
    '--',
    '\r\n',
    '\n',
    '\r',
    'Content-Type:',
    ' multipart/digest;',
    'boundary=b',
    ' message/rfc822',
  ];
  forSeeds(2000, (random) => {
    let text = '';
    for (let n = random.below(60); n > 0; n--) {
      text += random.once(9) ? random.text('ab:"(\0\x80', 5) : random.pick(words);
    }
    checkSound(text);
  });
});

test('a damaged structure is an error, not a wrong answer', () => {
  const { structure } = parseMessage(Buffer.from('A: b\r\n\r\ntext'));
  const whole = { part: [], what: 'whole' } as const;
  expect(() => locateSection(structure.subarray(0, 3), whole)).toThrow('damaged');
  expect(() => locateSection(new Uint8Array([9]), whole)).toThrow('damaged');
  expect(() => locateSection(new Uint8Array(0), whole)).toThrow('damaged');
  expect(() => locateSection(new Uint8Array([...structure, 0]), whole)).toThrow('damaged');
});

/** Invariant 3 of the scanner, and that everything rendered can be read. */
function checkSound(text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  const parsed = parseMessage(bytes);
  const body = readData(parsed.bodystructure);
  expect(readData(bodyFromStructure(parsed.bodystructure))).toEqual(bodyModel(body));
  expect((readData(parsed.envelope) as Data[]).length).toBe(10);
  const check = (part: Part, from: number, to: number): void => {
    expect(from <= part.headerStart && part.headerStart <= part.bodyStart).toBe(true);
    expect(part.bodyStart <= part.end && part.end <= to).toBe(true);
    let at = part.bodyStart;
    for (const child of part.children) {
      check(child, at, part.end);
      at = child.end;
    }
  };
  const root = decodeStructure(parsed.structure);
  check(root, 0, bytes.length);
  expect(root.end).toBe(bytes.length);
}

function samePlaces(part: Part, made: MadePart): void {
  expect([part.kind, part.headerStart, part.bodyStart, part.end]).toEqual([
    made.kind,
    ...made.header,
    made.body[1],
  ]);
  expect(part.children.length).toBe(made.children.length);
  part.children.forEach((child, index) => samePlaces(child, made.children[index] as MadePart));
}
