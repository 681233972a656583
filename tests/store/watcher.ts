/** What a client of a selected mailbox knows from what it was told, and small readings of a handle. */
import { expect } from 'bun:test';
import type { Mailbox, MailboxChange, NarrowRow } from '../../src/store/border.ts';
import { flagNames } from '../../src/store/flags.ts';
import type { UidSet } from '../../src/store/uidset.ts';
import type { ModelBox, Who } from './model.ts';

/** A selected mailbox as its client would know it. */
export class Watcher {
  readonly view = new Map<number, string>();
  dead = false;
  handle!: Mailbox;

  constructor(readonly who: Who, readonly box: ModelBox, readonly owner: string) {}

  take(change: MailboxChange): void {
    if (this.dead) return;
    if (change.kind === 'deleted') this.dead = true;
    else if (change.kind === 'rights') this.dead ||= !change.rights.includes('r');
    else if (change.kind === 'expunge') {
      change.uids.forEachRun((lo, hi) => {
        for (let uid = lo; uid <= hi; uid++) {
          expect(this.view.delete(uid)).toBe(true);
        }
      });
    } else if ((change.kind === 'exists' || change.kind === 'flags') && !this.dead) this.read(change.uids);
  }

  read(uids: UidSet): void {
    for (const row of pages(this.handle, uids)) this.view.set(row[0], flagText(row, this.handle.keywords));
  }
}

export function* pages(handle: Mailbox, uids: UidSet): IterableIterator<NarrowRow> {
  for (let after = 0;;) {
    const rows = handle.narrow(uids, after, 3);
    yield* rows;
    if (rows.length < 3) return;
    after = (rows.at(-1) as NarrowRow)[0];
  }
}

export function flagText(row: NarrowRow, keywords: readonly string[]): string {
  return flagNames(row[1], row[2], keywords).map((flag) => flag.toLowerCase()).sort().join(' ');
}

export function* numbers(uids: UidSet): IterableIterator<number> {
  const found: number[] = [];
  uids.forEachRun((lo, hi) => {
    for (let uid = lo; uid <= hi; uid++) found.push(uid);
  });
  yield* found;
}

export function list(uids: UidSet): number[] {
  return [...numbers(uids)];
}
