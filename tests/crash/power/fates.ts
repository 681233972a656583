/** Ways in which a disk can come back, each a decision about everything that was not sure. */
import type { Random } from '../../harness/random.ts';
import type { DiskNode, Fates, WriteFate } from './disk.ts';
import type { Operation } from './operation.ts';

/** Kinds of files, which a disk may treat differently. */
const KINDS = ['log', 'checkpoint', 'directory', 'index', 'stage', 'snapshot', 'mail'] as const;
type Kind = typeof KINDS[number];

function kindOf(path: string): Kind {
  if (path.startsWith('state/log')) return path.includes('checkpoint') ? 'checkpoint' : 'log';
  if (path.startsWith('state/directory')) return 'directory';
  if (path.startsWith('state')) return 'index';
  if (path.includes('/stage.')) return 'stage';
  return path.includes('/snapshot') ? 'snapshot' : 'mail';
}

const WHOLE: WriteFate = { size: true, sector: () => true, stale: null };
const GONE: WriteFate = { size: false, sector: () => false, stale: null };
const ZEROS: WriteFate = { size: true, sector: () => false, stale: null };
/** The data reached the disk but the size did not: beyond the old end nothing can be read. */
const SIZELESS: WriteFate = { size: false, sector: () => true, stale: null };

/** A coin that falls the same for the same thing in one state. */
type Coin = (operation: Operation, node: DiskNode) => boolean;

/** What was on the disk before: the last things that were written, log batches among them. */
export interface Past {
  stale(random: Random): Buffer;
}

function simple(names: boolean, data: WriteFate): Fates {
  return { names: () => names, size: () => data.size, data: () => data };
}

export const everything: Fates = simple(true, WHOLE);
export const nothing: Fates = simple(false, GONE);

function tossed(coin: Coin, otherwise: () => WriteFate = () => GONE): Fates {
  return { names: coin, size: coin, data: (operation, node) => coin(operation, node) ? WHOLE : otherwise() };
}

/** A write that was cut off: only its first sectors, or any of them, and what stands in the others. */
function torn(random: Random, bytes: Buffer, past: Past): WriteFate {
  const sectors = Math.ceil(bytes.length / 512) + 1;
  const reached = random.below(sectors) * 512;
  const seed = random.below(2 ** 30);
  const scattered = random.oneIn(2);
  return {
    size: !random.oneIn(4),
    sector: scattered
      ? (offset) => (Math.imul(offset + seed, 0x9e3779b1) >>> 28) % 2 === 0
      : (offset) => offset < reached,
    stale: random.oneIn(3) ? past.stale(random) : null,
  };
}

type Way = (random: Random, now: number, past: Past) => Fates;

const WAYS: Readonly<Record<string, Way>> = {
  'nothing survives': () => nothing,
  'everything survives': () => everything,
  'names without data': () => simple(true, GONE),
  'names and sizes without data': () => simple(true, ZEROS),
  'data without names': () => simple(false, WHOLE),
  'data without sizes': () => ({ names: () => true, size: () => false, data: () => SIZELESS }),
  'stale data': (random, _, past) => ({
    names: () => true,
    size: () => true,
    data: () => ({ ...ZEROS, stale: past.stale(random) }),
  }),
  'each change by itself': (random) => {
    const often = 1 + random.below(9);
    return tossed(() => random.below(10) < often);
  },
  'each file by itself': (random) => {
    const seen = new Map<number, boolean>();
    return tossed((_, node) => {
      const known = seen.get(node.id) ?? random.oneIn(2);
      seen.set(node.id, known);
      return known;
    });
  },
  'an earlier moment': (random, now) => {
    const then = now - random.below(400);
    return tossed((operation) => operation.begun < then);
  },
  'each file as of another moment': (random, now) => {
    const then = new Map<number, number>();
    return tossed((operation, node) => {
      const moment = then.get(node.id) ?? now - random.below(random.pick([10, 100, 1000, 10_000]));
      then.set(node.id, moment);
      return operation.begun < moment;
    });
  },
  'torn writes': (random, _, past) => {
    const often = random.pick([2, 4, 10]);
    return {
      names: () => !random.oneIn(often),
      size: () => !random.oneIn(often),
      data: (_operation, _node, bytes) => random.oneIn(often) ? torn(random, bytes, past) : WHOLE,
    };
  },
  'the last writes are torn': (random, now, past) => {
    const since = now - random.pick([2, 5, 20]);
    return {
      names: (operation) => operation.begun < since || random.oneIn(2),
      size: (operation) => operation.begun < since || random.oneIn(2),
      data: (operation, _node, bytes) => operation.begun < since ? WHOLE : torn(random, bytes, past),
    };
  },
  'each kind of file in another way': (random, now, past) => {
    const names = Object.keys(WAYS).filter((name) => !name.startsWith('each kind'));
    const ways = new Map<Kind, Fates>(
      KINDS.map((kind) => [kind, way(random.pick(names))(random, now, past)]),
    );
    const of = (node: DiskNode): Fates => ways.get(kindOf(node.path)) ?? everything;
    return {
      names: (operation, node) => of(node).names(operation, node),
      size: (operation, node) => of(node).size(operation, node),
      data: (operation, node, bytes) => of(node).data(operation, node, bytes),
    };
  },
};

function way(name: string): Way {
  const found = WAYS[name];
  if (found === undefined) throw new Error(`no way ${name}`);
  return found;
}

/** Names of all ways. */
export const WAY_NAMES: readonly string[] = Object.keys(WAYS);

/** The decisions of a way, for one state. */
export function fatesOf(name: string, random: Random, now: number, past: Past): Fates {
  return way(name)(random, now, past);
}

/** Everything survives but what only the syncs that were left out would have made sure. */
export function without(lost: ReadonlySet<Operation>, whole: boolean): Fates {
  return {
    names: (operation) => !lost.has(operation),
    size: (operation) => !lost.has(operation),
    data: (operation) => lost.has(operation) ? whole ? GONE : ZEROS : WHOLE,
  };
}
