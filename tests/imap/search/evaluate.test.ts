import { describe, expect, test } from 'bun:test';
import { compileSearch, type SearchContext, type SearchMessage } from '../../../src/imap/search/evaluate.ts';
import type { SearchKey } from '../../../src/imap/search/key.ts';
import { DELETED, keywordBit, SEEN, systemFlagBit } from '../../../src/store/flags.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import type { Random } from '../../harness/random.ts';
import { forSeeds } from '../seeds.ts';

const DAY = 86_400;
const KEYWORDS = ['$Junk', 'work', ...Array.from({ length: 40 }, (_unused, index) => `k${index}`)];
const WORDS = ['alpha', 'Straße', 'STRASSE', 'Größe', 'mail', '', 'ΣΑΣ', 'σας', 'a'];

interface Sample {
  readonly uid: number;
  readonly flags: readonly string[];
  readonly modseq: number;
  readonly size: number;
  readonly internaldate: number;
  readonly savedate: number;
  readonly sent: number | null;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
}

/** What was asked of messages, to see what a plan reads. */
const asked: string[] = [];

function message(sample: Sample): SearchMessage {
  let [lo, hi] = [0, 0];
  for (const flag of sample.flags) {
    const index = KEYWORDS.indexOf(flag);
    const bits = index >= 0 ? keywordBit(index) : { lo: systemFlagBit(flag), hi: 0 };
    lo = (lo | bits.lo) >>> 0;
    hi = (hi | bits.hi) >>> 0;
  }
  return {
    uid: sample.uid,
    flagsLo: lo,
    flagsHi: hi,
    modseq: sample.modseq,
    size: sample.size,
    internaldate: sample.internaldate,
    savedate: sample.savedate,
    sentDay: () => {
      asked.push('sent');
      return sample.sent;
    },
    header: (name) => {
      asked.push(name);
      return sample.headers[name] ?? [];
    },
    envelope: (field) => {
      asked.push(`envelope ${field}`);
      return sample.headers[field]?.[0] ?? null;
    },
    headersHold: (needle) => {
      asked.push('headers');
      return needle.inText(
        Object.entries(sample.headers).map(([name, values]) => `${name}: ${values.join()}`).join('\n'),
      );
    },
    bodyHolds: (needle) => {
      asked.push('body');
      return needle.inText(sample.body);
    },
  };
}

/** The slow model: reads the key as the RFC does, one message at a time, never skipping anything. */
function matches(key: SearchKey, sample: Sample, context: SearchContext): boolean {
  const letters = (text: string) => [...text.normalize('NFC')].map((letter) => letter.toUpperCase()).join('');
  const contains = (text: string, part: string) => letters(text).includes(letters(part));
  switch (key.key) {
    case 'all':
      return true;
    case 'and':
      return key.keys.every((each) => matches(each, sample, context));
    case 'or':
      return matches(key.left, sample, context) || matches(key.right, sample, context);
    case 'not':
      return !matches(key.of, sample, context);
    case 'seq':
    case 'uid': {
      if (key.set.saved) return context.saved.has(sample.uid);
      const number = key.key === 'uid' ? sample.uid : [...context.uids].indexOf(sample.uid) + 1;
      const last = key.key === 'uid' ? context.lastUid : context.uids.size;
      for (let i = 0; i < key.set.pairs.length; i += 2) {
        const [a, b] = [key.set.pairs[i] || last, key.set.pairs[i + 1] || last];
        if (Math.min(a, b) <= number && number <= Math.max(a, b)) return true;
      }
      return false;
    }
    case 'flag':
      return sample.flags.some((flag) => flag.toLowerCase() === key.flag.toLowerCase()) === key.on;
    case 'recent':
      return context.recent.has(sample.uid) === key.on;
    case 'size':
      return key.compare === 'larger' ? sample.size > key.bytes : sample.size < key.bytes;
    case 'modseq':
      return sample.modseq >= key.modseq;
    case 'date': {
      const local = (time: number) => Math.floor((time + 60 * context.zone(time)) / DAY);
      const day =
        { internal: local(sample.internaldate), saved: local(sample.savedate), sent: sample.sent }[key.field];
      if (day === null) return false;
      return { before: day < key.day, on: day === key.day, since: day >= key.day }[key.compare];
    }
    case 'envelope':
      return sample.headers[key.field] !== undefined &&
        contains(sample.headers[key.field]?.[0] ?? '', key.text);
    case 'header':
      return (sample.headers[key.field] ?? []).some((value) => contains(value, key.text));
    case 'body':
      return contains(sample.body, key.text);
    case 'text':
      return contains(
        Object.entries(sample.headers).map(([name, values]) => `${name}: ${values.join()}`).join('\n'),
        key.text,
      ) || contains(sample.body, key.text);
  }
}

function generateKey(random: Random, exists: number, depth: number): SearchKey {
  if (depth > 0 && random.oneIn(2)) {
    const next = () => generateKey(random, exists, depth - 1);
    return random.pick<() => SearchKey>([
      () => ({ key: 'not', of: next() }),
      () => ({ key: 'or', left: next(), right: next() }),
      () => ({ key: 'and', keys: [next(), next(), next()] }),
    ])();
  }
  const on = random.oneIn(2);
  const set = { pairs: [random.below(exists + 1), random.below(exists + 1)], saved: random.oneIn(5) };
  return random.pick<SearchKey>([
    { key: 'all' },
    { key: 'seq', set },
    { key: 'uid', set },
    { key: 'flag', flag: random.pick(['\\Seen', '\\deleted', '$junk', 'work', 'k35', 'unknown']), on },
    { key: 'recent', on },
    {
      key: 'date',
      field: random.pick(['internal', 'sent', 'saved'] as const),
      compare: random.pick(['before', 'on', 'since'] as const),
      day: 100 + random.below(4),
    },
    { key: 'size', compare: on ? 'larger' : 'smaller', bytes: random.below(6) },
    { key: 'header', field: random.pick(['subject', 'from', 'x']), text: random.pick(WORDS) },
    { key: 'envelope', field: random.pick(['subject', 'from']), text: random.pick(WORDS) },
    { key: 'body', text: random.pick(WORDS) },
    { key: 'text', text: random.pick(WORDS) },
    { key: 'modseq', modseq: random.below(6) },
  ]);
}

function generateMailbox(random: Random): { samples: Sample[]; context: SearchContext } {
  let uid = 0;
  const samples = Array.from({ length: 1 + random.below(12) }, (): Sample => ({
    uid: uid += 1 + random.below(3),
    flags: ['\\Seen', '\\Deleted', '$Junk', 'k35'].filter(() => random.oneIn(2)),
    modseq: random.below(6),
    size: random.below(6),
    internaldate: 100 * DAY + random.below(4 * DAY),
    savedate: 100 * DAY + random.below(4 * DAY),
    sent: random.oneIn(4) ? null : 100 + random.below(4),
    headers: random.oneIn(4)
      ? {}
      : { subject: [random.pick(WORDS) + random.pick(WORDS)], from: [random.pick(WORDS)] },
    body: random.pick(WORDS) + random.pick(WORDS),
  }));
  const subset = () => UidSet.fromSorted(samples.filter(() => random.oneIn(3)).map((sample) => sample.uid));
  const zone = random.pick([0, 120, -300]);
  const context: SearchContext = {
    uids: UidSet.fromSorted(samples.map((sample) => sample.uid)),
    lastUid: uid,
    recent: subset(),
    saved: subset(),
    keywords: KEYWORDS,
    zone: () => zone,
  };
  return { samples, context };
}

/** Runs a plan as a session does. */
function run(key: SearchKey, samples: readonly Sample[], context: SearchContext): number[] {
  const plan = compileSearch(key, context);
  return samples.filter((sample) => {
    if (!plan.candidates.has(sample.uid)) return false;
    const probe = message(sample);
    if (
      (probe.flagsLo & plan.all.lo) >>> 0 !== plan.all.lo ||
      (probe.flagsHi & plan.all.hi) >>> 0 !== plan.all.hi
    ) return false;
    if ((probe.flagsLo & plan.none.lo) !== 0 || (probe.flagsHi & plan.none.hi) !== 0) return false;
    asked.length = 0;
    const passed = plan.test === null || plan.test(probe);
    if (plan.need === 'nothing' || plan.need === 'row') expect(asked).toEqual([]);
    if (plan.need === 'envelope') expect(asked.every((each) => /^envelope|^sent/.test(each))).toBe(true);
    if (plan.need === 'header') expect(asked).not.toContain('body');
    return passed;
  }).map((sample) => sample.uid);
}

test('a compiled search finds what reading the key message by message finds', () => {
  forSeeds(4000, (random) => {
    const { samples, context } = generateMailbox(random);
    const key = generateKey(random, samples.length, random.below(4));
    const expected = samples.filter((sample) => matches(key, sample, context)).map((sample) => sample.uid);
    expect({ key, found: run(key, samples, context) }).toEqual({ key, found: expected });
  });
});

describe('plans', () => {
  const { context } = {
    context: {
      uids: UidSet.range(1, 10),
      lastUid: 10,
      recent: UidSet.empty,
      saved: UidSet.empty,
      keywords: KEYWORDS,
      zone: () => 0,
    },
  };

  test('sets and flags alone need no message', () => {
    const plan = compileSearch({
      key: 'and',
      keys: [
        { key: 'flag', flag: '\\Seen', on: true },
        { key: 'flag', flag: '\\Deleted', on: false },
        { key: 'uid', set: { pairs: [3, 0], saved: false } },
      ],
    }, context);
    expect(plan).toMatchObject({
      test: null,
      need: 'nothing',
      all: { lo: SEEN, hi: 0 },
      none: { lo: DELETED, hi: 0 },
    });
    expect(plan.candidates.toString()).toBe('3:10');
  });

  test('what cannot be finds nothing without looking', () => {
    const seen = (on: boolean): SearchKey => ({ key: 'flag', flag: '\\Seen', on });
    expect(compileSearch({ key: 'and', keys: [seen(true), seen(false)] }, context).candidates.isEmpty).toBe(
      true,
    );
    expect(compileSearch({ key: 'flag', flag: 'never', on: true }, context).candidates.isEmpty).toBe(true);
  });

  test('cheap terms are asked before costly ones, in whatever order they were given', () => {
    const plan = compileSearch({
      key: 'and',
      keys: [
        { key: 'text', text: 'x' },
        { key: 'header', field: 'from', text: 'x' },
        { key: 'size', compare: 'larger', bytes: 5 },
      ],
    }, context);
    const sample: Sample = {
      uid: 1,
      flags: [],
      modseq: 1,
      size: 1,
      internaldate: 0,
      savedate: 0,
      sent: null,
      headers: {},
      body: '',
    };
    asked.length = 0;
    expect(plan.test?.(message(sample))).toBe(false);
    expect(asked).toEqual([]);
    expect(plan.test?.(message({ ...sample, size: 9 }))).toBe(false);
    expect(asked).toEqual(['from']);
    expect(plan.need).toBe('body');
  });

  test('sequence numbers that do not exist match nothing', () => {
    const plan = compileSearch({ key: 'seq', set: { pairs: [11, 11], saved: false } }, context);
    expect(plan.candidates.isEmpty).toBe(true);
  });

  test('a MODSEQ key is noticed wherever it stands', () => {
    const key: SearchKey = {
      key: 'not',
      of: { key: 'or', left: { key: 'all' }, right: { key: 'modseq', modseq: 1 } },
    };
    expect(compileSearch(key, context).modseq).toBe(true);
    expect(compileSearch({ key: 'all' }, context).modseq).toBe(false);
  });
});
