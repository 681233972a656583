/**
 * The change feed of a worker: which selected mailboxes want to hear of which owner.
 *
 * Invariants
 * 1. A mailbox that reads its snapshot before the writer tells this process about its owner compares itself with the index
 *    when it does (`onReady`), and drops what the snapshot already has: nothing is lost between, and SELECT waits for nobody.
 * 2. When news may have been lost (the writer went away), every mailbox compares itself with the index.
 * 3. An index that cannot be read just then (being built anew, closed for repair) is no reason to end: whoever listens compares
 *    when it can be read again, which is told as lost news.
 */
import { MailError } from '../../errors.ts';
import type { OwnerNews, Published } from '../writer/publish.ts';
import type { WriterLink } from './link.ts';

export interface Listener {
  /** Events of one record, in order. */
  onEvents(events: readonly Published[], own: boolean): void;
  /** From now on every change is told; earlier ones are in the index. */
  onReady(): void;
  /** News may have been lost. */
  onLost(): void;
  /** `StoreParts.newOrigin` of its session. */
  readonly origin: number;
}

export class Feed {
  /** By owner. Mostly there are a few, for which an array is a tenth of a set. */
  private readonly listeners = new Map<number, Listener[]>();

  /** @param closed owners that cannot be read: whoever listens compares when they can be again */
  constructor(private readonly link: WriterLink, private readonly closed: ReadonlySet<number>) {
    link.onNews = (news) => this.deliver(news);
  }

  /** Registers; `onReady` is called when the writer tells this process about the owner. */
  add(owner: number, listener: Listener): void {
    const others = this.listeners.get(owner);
    if (others === undefined) this.listeners.set(owner, [listener]);
    else others.push(listener);
    this.link.watch(owner, () => tell(() => listener.onReady()));
  }

  remove(owner: number, listener: Listener): void {
    if (this.forget(owner, listener)) this.link.unwatch(owner);
  }

  private forget(owner: number, listener: Listener): boolean {
    const all = this.listeners.get(owner);
    const at = all?.indexOf(listener) ?? -1;
    if (all === undefined || at < 0) return false;
    if (all.length === 1) this.listeners.delete(owner);
    else {
      // In no order: who comes last takes the place.
      const last = all.pop() as Listener;
      if (at < all.length) all[at] = last;
    }
    return true;
  }

  /** Everybody who listens to this owner compares with the index. */
  lost(owner: number): void {
    if (this.closed.has(owner)) return;
    for (const listener of [...this.listeners.get(owner) ?? []]) tell(() => listener.onLost());
  }

  private deliver(news: OwnerNews | null): void {
    if (news === null) {
      for (const owner of [...this.listeners.keys()]) this.lost(owner);
      return;
    }
    const all = this.listeners.get(news.owner);
    if (all === undefined || this.closed.has(news.owner)) return;
    const [pid, origin] = news.origin.split('.');
    const own = pid === String(process.pid) ? Number(origin) : 0;
    for (const listener of [...all]) {
      tell(() => listener.onEvents(news.events, listener.origin === own));
    }
  }
}

/** Invariant 3. */
function tell(listen: () => void): void {
  try {
    listen();
  } catch (error) {
    if (!(error instanceof MailError && error.code === 'unavailable')) throw error;
  }
}
