/** How a process reaches the writer: over its socket, or directly when the writer runs in the same process. */
import { randomBytes } from '../../crypto.ts';
import { mend, type Mending } from '../writer/mend.ts';
import type { Writer } from '../writer/writer.ts';
import type { OwnerNews } from '../writer/publish.ts';
import type { Change } from '../writer/requests.ts';

export interface WriterLink {
  /** Resolves with the result when the change is durable and visible to all; rejects with a MailError. */
  change(change: Change, origin: string, blobs: readonly Uint8Array[]): Promise<unknown>;
  /**
   * From the call of `ready` on, `onNews` hears of every change of this owner; what was committed before is in the index.
   * Should the writer be away, `onNews(null)` stands for it when it is back. Counted: as many `unwatch` as `watch`.
   */
  watch(owner: number, ready: () => void): void;
  /** Resolves when all that anybody asked for before is done or refused, also what its asker does not live to hear of. */
  settled(): Promise<void>;
  unwatch(owner: number): void;
  /** Builds an owner's index anew from its snapshot and the log; `acceptLoss`: from what there is of them. */
  rebuild(
    owner: number,
    acceptLoss: boolean,
  ): Promise<{ records: number; snapshot: number; skipped: number }>;
  /** Puts a message file back; false when its part has gone meanwhile. */
  mend(mending: Mending): Promise<boolean>;
  /** Tells the writer that an owner's index (0: directory.db) was found damaged. */
  suspect(owner: number, reason: string): void;
  /** Set by the store. `null` means: news may have been lost, compare with the index. */
  onNews: (news: OwnerNews | null) => void;
  /** False while the writer is away: what it removes or replaces meanwhile is told of later. */
  readonly isConnected: boolean;
  /** Set by the store: an owner's index was replaced or removed. `null` means: any may have been. */
  onReplaced: (owner: number | null) => void;
  /** Set by the store: an owner's index must not be read, or may be read again. */
  onClosed: (owner: number, closed: boolean) => void;
  close(): Promise<void>;
}

/** Ids of changes: unique over processes and restarts. */
export class ChangeIds {
  private readonly prefix = randomBytes(9).toString('base64url');
  private count = 0;

  next(): string {
    return `${this.prefix}.${(this.count++).toString(36)}`;
  }
}

/** The reduced form: everything in one process, the same code without the socket. */
export class DirectLink implements WriterLink {
  readonly isConnected = true;
  onNews: (news: OwnerNews | null) => void = () => {};
  onReplaced: (owner: number | null) => void = () => {};
  onClosed: (owner: number, closed: boolean) => void = () => {};
  private readonly ids = new ChangeIds();

  constructor(private readonly writer: Writer) {
    writer.onReplaced = (owner) => this.onReplaced(owner);
    writer.state.owners.onClosed = (owner, closed) => this.onClosed(owner, closed);
    writer.onNews = (all) => {
      for (const news of all) this.onNews(news);
    };
  }

  change(change: Change, origin: string, blobs: readonly Uint8Array[]): Promise<unknown> {
    return this.writer.submit({ id: this.ids.next(), origin, change }, blobs);
  }

  watch(_owner: number, ready: () => void): void {
    ready();
  }

  settled(): Promise<void> {
    return this.writer.settled();
  }

  unwatch(): void {}

  rebuild(
    owner: number,
    acceptLoss: boolean,
  ): Promise<{ records: number; snapshot: number; skipped: number }> {
    return this.writer.rebuild(owner, acceptLoss);
  }

  mend(mending: Mending): Promise<boolean> {
    return mend(this.writer, mending);
  }

  suspect(owner: number, reason: string): void {
    this.writer.suspect(owner, reason);
  }

  close(): Promise<void> {
    return this.writer.close();
  }
}
