/**
 * What one change looks like in the redo log: the events each database applies, decided once and never again.
 * Keys are short because every record carries them. The same shape is replayed, published to the workers, and
 * later sent to replicas.
 */
import { serverError } from '../../errors.ts';
import type { DirectoryEvent, OwnerEvent, PartContent, PartData } from './events.ts';

/** The part of a record that one owner's index applies. */
export interface Section {
  /** Owner id. */
  o: number;
  /** LSN of the owner's record before this one: a gap in the chain means records are missing (DESIGN rule 3). */
  p: number;
  e: OwnerEvent[];
}

export interface RecordHead {
  /** Log sequence number. */
  l: number;
  /** Unix time in seconds. */
  t: number;
  /** Id of the change as the asking process chose it (DESIGN rule 10). */
  c: string;
  /** Parts in the order in which they must be applied (DESIGN rule 8). */
  s: Section[];
  /** Directory part and the LSN of the directory's record before it. */
  d?: { p: number; e: DirectoryEvent[]; first?: boolean };
  /** The answer given to whoever asked; kept so that it can be given again. */
  r: unknown;
}

export interface LogRecord extends RecordHead {
  blobs: Uint8Array[];
}

/** A part as it is logged: where it is kept, and which of the record's contents it has. */
interface PackedPart {
  id: number;
  file: string;
  partition: string;
  c: number;
}

/**
 * The head as it is written. Parts with one content name it by number, in `m`: a delivery to twenty recipients has its
 * ENVELOPE and BODYSTRUCTURE in the log once.
 */
export function packHead(head: RecordHead): unknown {
  const m: PartContent[] = [];
  // Each message of a record has a structure of its own.
  const known = new Map<number, number>();
  const pack = (part: PartData): PackedPart => {
    const { id, file, partition, ...content } = part;
    let c = known.get(content.structure);
    if (c === undefined) known.set(content.structure, c = m.push(content) - 1);
    return { id, file, partition, c };
  };
  const s = head.s.map(({ o, p, e }) => ({
    o,
    p,
    e: e.map((event) => event.k === 'add' ? { ...event, parts: event.parts.map(pack) } : event),
  }));
  return m.length === 0 ? head : { ...head, s, m };
}

/** The head as `packHead` got it; also of a record that was written before contents were shared. */
export function unpackHead(written: unknown): RecordHead {
  const { m, ...head } = written as RecordHead & { m?: PartContent[] };
  if (m === undefined) return head;
  for (const { e } of head.s) {
    for (const event of e) {
      if (event.k !== 'add') continue;
      event.parts = (event.parts as (PartData | PackedPart)[]).map((part) => {
        if (!('c' in part)) return part;
        const { c, ...place } = part;
        const content = m[c];
        if (content === undefined) throw serverError(`the record ${head.l} lacks the content ${c}`);
        return { ...place, ...content };
      });
    }
  }
  return head;
}
