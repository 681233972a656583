/** Decided changes on their way to the log. */
import type { RecordHead } from '../log/record.ts';
import type { OwnerIndex } from '../index/owner.ts';
import type { Context } from './context.ts';
import type { OwnerPool } from './owners.ts';
import type { OwnerNews } from './publish.ts';
import type { Pending } from './queue.ts';

/** What is to be answered when the batch is durable. */
export interface Outcome {
  readonly pending: Pending;
  readonly result?: unknown;
  readonly error?: unknown;
}

export class Batch {
  readonly records: Buffer[] = [];
  readonly heads: RecordHead[] = [];
  readonly contexts: Context[] = [];
  readonly news: OwnerNews[] = [];
  readonly outcomes: Outcome[] = [];

  /** What its changes want done after the commit. */
  get afterCommit(): (() => void)[] {
    return this.contexts.flatMap(({ afterCommit }) => afterCommit);
  }
}

/** The record of a decided change; the databases it changed have its LSN from now on. */
export function headOf(context: Context, change: string, result: unknown): RecordHead {
  const { directory } = context.state;
  const head: RecordHead = {
    l: context.lsn,
    t: context.now,
    c: change,
    s: context.sections.map(({ index, events }) => ({ o: index.id, p: index.lsn, e: events })),
    r: result,
  };
  for (const { index } of context.sections) index.applied(context.lsn);
  if (context.directoryEvents.length > 0) {
    head.d = { p: directory.lsn, e: context.directoryEvents };
    if (context.directoryFirst) head.d.first = true;
    directory.applied(context.lsn);
  }
  return head;
}

/** Owners in the order in which they commit: that of the sections, destination before source (DESIGN rule 8); then those that only decided. */
export function commitOrder(heads: readonly RecordHead[], owners: OwnerPool): Set<OwnerIndex> {
  const open = new Map<number, OwnerIndex>();
  for (const index of owners.opened()) if (index.inTransaction) open.set(index.id, index);
  const order = new Set<OwnerIndex>();
  for (const head of heads) {
    for (const { o } of head.s) {
      const index = open.get(o);
      if (index !== undefined) order.add(index);
    }
  }
  for (const index of open.values()) order.add(index);
  return order;
}
