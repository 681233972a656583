/**
 * What one change looks like in the redo log: the events each database applies, decided once and never again.
 * Keys are short because every record carries them. The same shape is replayed, published to the workers, and
 * later sent to replicas.
 */
import type { DirectoryEvent, OwnerEvent } from './events.ts';

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
