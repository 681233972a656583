/**
 * The UIDs of mailboxes with gaps, kept as runs and shared by all connections of a process: reading a million rows for each
 * SELECT would cost a large part of a second. (A mailbox without gaps is known from its row.)
 *
 * Invariants
 * 1. A set that is kept is that of its mailbox at the modseq kept with it: it has as many members as the row counted then.
 *    What cannot be brought up to a row's state that way is read anew.
 * 2. Sets are never changed (uidset.ts), so who was handed one keeps it at no cost.
 */
import { limits } from '../../limits.ts';
import type { OwnerReader } from '../index/reader.ts';
import type { MailboxRow } from '../index/rows.ts';
import { UidSet } from '../uidset.ts';

/** Longest turn of reading before others get theirs, ms. */
const TURN = 5;

interface Known {
  readonly uidvalidity: number;
  readonly uidnext: number;
  readonly modseq: number;
  readonly uids: UidSet;
}

export class MailboxUids {
  /** In order of use: the first is the longest unused. */
  private readonly kept = new Map<string, Known>();
  private runs = 0;

  /** The UIDs of a mailbox whose row was read just now. What happened since may or may not be in them. */
  of(owner: number, reader: OwnerReader, row: MailboxRow): UidSet {
    if (row.messages === 0) return UidSet.empty;
    if (row.messages === row.uidnext - 1) return UidSet.range(1, row.messages);
    const key = `${owner}/${row.id}`;
    const known = this.kept.get(key);
    if (known?.modseq === row.highestmodseq && known.uidvalidity === row.uidvalidity) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return known.uids;
    }
    const uids = (known === undefined ? null : broughtUp(known, reader, row)) ?? readAll(reader, row.id);
    if (uids.size === row.messages && uids.max < row.uidnext) this.keep(key, row, uids);
    return uids;
  }

  /**
   * Reads what `of` would have to read, a few milliseconds at a time; undefined where that is little. `reader` is asked for
   * again after each.
   */
  prepare(owner: number, reader: () => OwnerReader, row: MailboxRow): Promise<void> | undefined {
    if (row.messages <= SMALL || row.messages === row.uidnext - 1) return undefined;
    const key = `${owner}/${row.id}`;
    return this.kept.has(key) ? undefined : this.read(key, reader, row);
  }

  private async read(key: string, reader: () => OwnerReader, row: MailboxRow): Promise<void> {
    const runs: number[] = [];
    let begun = performance.now();
    for (let after = 0; after >= 0; after = reader().uidRuns(row.id, after, BLOCK, runs)) {
      if (performance.now() - begun < TURN) continue;
      await new Promise<void>((resolve) => setImmediate(resolve));
      begun = performance.now();
    }
    // What went while this was read is put back, what came is left out: the state the row tells of.
    const uids = UidSet.fromRuns(runs)
      .union(reader().expungedSince(row.id, row.highestmodseq))
      .clip(1, row.uidnext - 1);
    if (uids.size === row.messages) this.keep(key, row, uids);
  }

  /** Forgets what is known of an owner. */
  drop(owner: number): void {
    for (const key of this.kept.keys()) if (key.startsWith(`${owner}/`)) this.forget(key);
  }

  private keep(key: string, row: MailboxRow, uids: UidSet): void {
    this.forget(key);
    this.kept.set(key, {
      uidvalidity: row.uidvalidity,
      uidnext: row.uidnext,
      modseq: row.highestmodseq,
      uids,
    });
    this.runs += uids.runCount;
    for (const oldest of this.kept.keys()) {
      if (this.runs <= limits.store_uid_runs.value) return;
      this.forget(oldest);
    }
  }

  private forget(key: string): void {
    this.runs -= this.kept.get(key)?.uids.runCount ?? 0;
    this.kept.delete(key);
  }
}

/** Rows read at a time. */
const BLOCK = 8192;

/** Mailboxes up to this size are read in one turn. */
const SMALL = 4 * BLOCK;

/** The set of an earlier state with what came and went since; null where that does not come to what the row counts. */
function broughtUp(known: Known, reader: OwnerReader, row: MailboxRow): UidSet | null {
  if (known.uidvalidity !== row.uidvalidity || known.modseq > row.highestmodseq) return null;
  const runs: number[] = [];
  for (let after = known.uidnext - 1; after >= 0;) after = reader.uidRuns(row.id, after, BLOCK, runs);
  const grown = known.uids.union(UidSet.fromRuns(runs));
  if (grown.size === row.messages) return grown;
  const left = grown.subtract(reader.expungedSince(row.id, known.modseq));
  return left.size === row.messages ? left : null;
}

function readAll(reader: OwnerReader, mailbox: number): UidSet {
  const runs: number[] = [];
  for (let after = 0; after >= 0;) after = reader.uidRuns(mailbox, after, BLOCK, runs);
  return UidSet.fromRuns(runs);
}
