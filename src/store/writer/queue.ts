/**
 * The changes that wait for the writer, in the order they came.
 *
 * Invariant: two changes of one owner are done in their order, whatever overtakes them.
 */
import { limits } from '../../limits.ts';
import type { Directory } from '../index/directory.ts';
import { UidSet } from '../uidset.ts';
import { COPY_STEP } from './decide/copy.ts';
import { ownersOf } from './owned.ts';
import type { Change, ChangeRequest } from './requests.ts';

export interface Pending {
  readonly request: ChangeRequest;
  readonly blobs: readonly Uint8Array[];
  readonly bytes: number;
  /** Takes many steps (long.ts). */
  readonly long: boolean;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

/** Resolves when a change is answered. */
export function whenDone(pending: Pending): Promise<void> {
  return new Promise((done) => {
    const { resolve, reject } = pending;
    pending.resolve = (result) => (resolve(result), done());
    pending.reject = (error) => (reject(error), done());
  });
}

/** Whether a change is more work than one step. */
export function isLong(change: Change): boolean {
  return change.op === 'expire' || change.op === 'copy' && UidSet.parse(change.uids).size > COPY_STEP;
}

/** The folders of a removed user go after the commit: a new user of the same name must not be in them already. */
function goesAlone({ request: { change: { op } } }: Pending): boolean {
  return op === 'purgeuser' || op === 'replaceowner';
}

export class ChangeQueue {
  private waiting: Pending[] = [];
  private longs = 0;

  get length(): number {
    return this.waiting.length;
  }

  /** Whether a batch that was taken is one change, with nothing to do until it is durable. */
  leavesAlone(taken: readonly Pending[]): boolean {
    return taken.length === 1 && this.waiting.length === 0;
  }

  push(pending: Pending): void {
    this.waiting.push(pending);
    if (pending.long) this.longs++;
  }

  /** Everything that waits. */
  all(): readonly Pending[] {
    return this.waiting;
  }

  /** Empties the queue. */
  drain(): Pending[] {
    this.longs = 0;
    return this.waiting.splice(0);
  }

  /** The next batch. Changes to owners that are held stay, and so does what is behind them for any of their owners. */
  take(held: ReadonlySet<number>, directory: Directory): Pending[] {
    const selective = held.size > 0 || this.longs > 0;
    const taken: Pending[] = [];
    const left: Pending[] = [];
    const blocked = new Set(held);
    let bytes = 0;
    let at = 0;
    for (; at < this.waiting.length; at++) {
      const pending = this.waiting[at] as Pending;
      if (taken.length === limits.store_batch.value || bytes > limits.store_batch_bytes.value) break;
      if (selective) {
        const owners = ownersOf(pending.request.change, directory);
        if (pending.long || owners.some((owner) => blocked.has(owner))) {
          for (const owner of owners) blocked.add(owner);
          left.push(pending);
          continue;
        }
      }
      const alone = goesAlone(pending);
      if (alone && taken.length > 0) break;
      taken.push(pending);
      bytes += pending.bytes;
      if (alone) {
        at++;
        break;
      }
    }
    if (taken.length > 0) this.waiting = [...left, ...this.waiting.slice(at)];
    return taken;
  }

  /** The first long change that no earlier one of its owners is in front of; with its owners. */
  takeLong(directory: Directory): { pending: Pending; owners: number[] } | null {
    if (this.longs === 0) return null;
    const before = new Set<number>();
    for (const [at, pending] of this.waiting.entries()) {
      const owners = ownersOf(pending.request.change, directory);
      if (pending.long && !owners.some((owner) => before.has(owner))) {
        this.waiting.splice(at, 1);
        this.longs--;
        return { pending, owners };
      }
      for (const owner of owners) before.add(owner);
    }
    return null;
  }
}
