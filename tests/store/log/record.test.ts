import { describe, expect, test } from 'bun:test';
import type { PartData } from '../../../src/store/log/events.ts';
import { packHead, type RecordHead, unpackHead } from '../../../src/store/log/record.ts';

function part(id: number, structure: number, subject: string): PartData {
  return {
    id,
    file: `0000/${subject}.${id}`,
    partition: 'default',
    hash: subject.repeat(8),
    size: 4096,
    headerSize: 200,
    envelope: `("date" "${subject}")`,
    bodystructure: '("text" "plain")',
    structure,
    messageId: `<${subject}@example.org>`,
    sentDate: null,
    source: { blob: structure + 1 },
  };
}

function record(parts: PartData[][]): RecordHead {
  return {
    l: 7,
    t: 1,
    c: 'change',
    r: { done: true },
    s: parts.map((of, owner) => ({
      o: owner,
      p: 3,
      e: [
        { k: 'keywords', mb: 1, names: ['$Junk'] },
        { k: 'add', mb: 1, q: 5, parts: of, msgs: of.map(({ id }) => [id, 0, 0, 1, 1, id]), dup: null },
      ],
    })),
  };
}

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('the head of a record', () => {
  test('is the same after it was written and read', () => {
    const heads = [
      record([]),
      record([[part(1, 0, 'one')]]),
      record([[part(1, 0, 'one'), part(2, 2, 'two')], [part(9, 0, 'one')], []]),
      { ...record([]), d: { p: 1, e: [{ k: 'mbgone' as const, o: 1, m: 2 }] } },
    ];
    for (const head of heads) expect(unpackHead(throughJson(packHead(head)))).toEqual(head);
  });

  test('holds what twenty recipients share once', () => {
    const shared = record(Array.from({ length: 20 }, (_, at) => [part(at + 1, 0, 'shared')]));
    expect(JSON.stringify(packHead(shared)).split('<shared@example.org>')).toHaveLength(2);
  });

  test('is read as it is where it was written before contents were shared', () => {
    const head = record([[part(1, 0, 'one')], [part(2, 0, 'one')]]);
    expect(unpackHead(throughJson(head))).toEqual(head);
  });

  test('that names a content it has not is refused', () => {
    const packed = throughJson(packHead(record([[part(1, 0, 'one')]]))) as { m: unknown[] };
    expect(() => unpackHead({ ...packed, m: [] })).toThrow(/the record 7 lacks the content 0/);
  });
});
