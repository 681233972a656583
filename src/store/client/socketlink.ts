/**
 * The link of a worker or tool to the writer's process.
 *
 * Invariants
 * 1. A change is never sent twice. When the connection breaks, the next writer is asked by id what became of it
 *    (DESIGN rule 10): known ones are answered, unknown ones were never made and fail as temporary.
 * 2. After a reconnection `onNews(null)` says that news may have been lost, after the owners are watched again.
 * 3. Whoever watches an owner of whom the writer tells already is ready at once: the writer is not asked, nor is the index.
 */
import { limits } from '../../limits.ts';
import { limitError, MailError, serverError } from '../../errors.ts';
import { connectLocal, type LocalStream } from '../../net/local.ts';
import type { Log } from '../../telemetry/log.ts';
import { encodeFrame, type Frame, FrameReader } from '../log/frame.ts';
import type { Mending } from '../writer/mend.ts';
import type { Change } from '../writer/requests.ts';
import { fromWireError, type FromWriter, type ToWriter, type WireError } from '../writer/wire.ts';
import type { OwnerNews } from '../writer/publish.ts';
import { ChangeIds, type WriterLink } from './link.ts';

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: MailError) => void;
}

/** Milliseconds between attempts to reach a writer that is away: it is back within some dozens, or recovers for longer. */
const RETRY = 2;
const RETRY_LATE = 20;

/** Attempts before it is a longer recovery. */
const SOON = 100;

/** Milliseconds an owner stays watched after the last mailbox was left. */
const LINGER = 10_000;

export class SocketLink implements WriterLink {
  onNews: (news: OwnerNews | null) => void = () => {};
  onReplaced: (owner: number | null) => void = () => {};
  onClosed: (owner: number, closed: boolean) => void = () => {};
  private readonly ids = new ChangeIds();
  private readonly changes = new Map<string, Waiting>();
  private readonly answers = new Map<number, Waiting>();
  private readonly watched = new Map<number, number>();
  /** Owners the writer was asked to tell about and has not confirmed: the number of the last question. */
  private readonly asking = new Map<number, number>();
  /** Owners the writer has confirmed that it tells about, on this connection, and was not told to stop. */
  private readonly active = new Set<number>();
  /** Owners the writer still tells about although nobody watches them, since when. */
  private readonly lingering = new Map<number, number>();
  private sweep: ReturnType<typeof setTimeout> | null = null;
  private asked = 0;
  private socket: LocalStream | null = null;
  private closed = false;
  private opened: Promise<void>;
  private everConnected = false;
  private refuse: () => void = () => {};
  private giveUp: ReturnType<typeof setTimeout> | null = null;
  private retry: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly path: string, private readonly log: Log) {
    this.opened = this.open();
    this.opened.catch(() => {}); // whoever waits for it hears of it
  }

  get isConnected(): boolean {
    return this.socket !== null;
  }

  /** Resolves when the writer answers; rejects when it does not for the time of `store_writer_wait`. */
  connected(): Promise<void> {
    return this.opened;
  }

  /** Tries until somebody answers. After `store_writer_wait` whoever waits is refused, the trying goes on. */
  private open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (): void => {
        const error = serverError(`no writer answers at ${this.path}; is "mailstore serve" running?`);
        this.failAll(error);
        reject(error);
      };
      this.refuse = refuse;
      this.giveUp = setTimeout(refuse, limits.store_writer_wait.value * 1000);
      let attempts = 0;
      const attempt = (): void => {
        if (this.closed) return;
        connectLocal(this.path).then((socket) => {
          if (this.closed) return socket.destroy();
          if (this.giveUp !== null) clearTimeout(this.giveUp);
          this.opened = Promise.resolve();
          this.use(socket);
          resolve();
        }, () => {
          this.retry = setTimeout(attempt, ++attempts < SOON ? RETRY : RETRY_LATE);
        });
      };
      attempt();
    });
  }

  private use(socket: LocalStream): void {
    this.socket = socket;
    const reader = new FrameReader(limits.store_frame.value);
    socket.handlers = {
      data: (chunk) => reader.push(chunk, (frame) => this.handle(frame)),
      close: () => this.lost(socket),
    };
    const pending = [...this.changes.keys()];
    if (!this.everConnected) {
      this.everConnected = true;
      return;
    }
    // The last writer may have replaced an index without having told, and this one in its recovery.
    this.onReplaced(null);
    this.log.info('writer is back', { pending: pending.length });
    void this.resume(pending);
  }

  /** After a reconnection: settle what was on its way, watch again, compare. */
  private async resume(pending: string[]): Promise<void> {
    try {
      const owners = [...this.watched.keys()];
      if (owners.length > 0) {
        let question = 0;
        await this.ask((n) => {
          question = n;
          for (const owner of owners) this.asking.set(owner, n);
          return { t: 'watch', n, owners };
        });
        for (const owner of owners) this.confirmed(owner, question);
      }
      if (pending.length > 0) {
        const known = await this.ask((n) => ({ t: 'ask', n, ids: pending })) as Record<string, unknown>;
        for (const id of pending) {
          const waiting = this.changes.get(id);
          if (waiting === undefined) continue;
          this.changes.delete(id);
          if (id in known) waiting.resolve(known[id]);
          else waiting.reject(serverError('the store restarted before the change was made; try again'));
        }
      }
      this.onNews(null);
    } catch {
      // Lost again meanwhile: the next connection starts over with everything that still waits.
    }
  }

  private lost(socket: LocalStream): void {
    if (this.socket !== socket) return;
    this.socket = null;
    for (const waiting of this.answers.values()) {
      waiting.reject(serverError('the connection to the writer was lost'));
    }
    this.answers.clear();
    this.asking.clear();
    this.active.clear();
    this.lingering.clear();
    if (this.closed) return;
    this.log.warn('writer lost', { pending: this.changes.size });
    this.opened = this.open();
    this.opened.catch(() => {}); // whoever waits for it hears of it
  }

  private failAll(error: MailError): void {
    for (const waiting of this.changes.values()) waiting.reject(error);
    this.changes.clear();
  }

  private send(frame: Buffer): void {
    this.socket?.write(frame);
  }

  private handle(frame: Frame): void {
    const message = frame.head as FromWriter;
    switch (message.t) {
      case 'done':
      case 'fail': {
        const waiting = this.changes.get(message.id);
        this.changes.delete(message.id);
        if (message.t === 'done') waiting?.resolve(message.r);
        else waiting?.reject(fromWireError(message.e));
        return;
      }
      case 'answer': {
        const waiting = this.answers.get(message.n);
        this.answers.delete(message.n);
        waiting?.resolve(message.r);
        return;
      }
      case 'replaced':
        this.onReplaced(message.owner);
        return;
      case 'closed':
        this.onClosed(message.owner, message.closed);
        return;
      case 'news':
        for (const news of message.news) this.onNews(news);
        return;
    }
  }

  async change(change: Change, origin: string, blobs: readonly Uint8Array[]): Promise<unknown> {
    if (this.socket === null) await this.opened;
    const id = this.ids.next();
    const frame = encodeFrame({ t: 'change', id, origin, change } satisfies ToWriter, blobs);
    if (frame.length > limits.store_frame.value) throw limitError('The request is too large', 'toobig');
    return await new Promise((resolve, reject) => {
      this.changes.set(id, { resolve, reject });
      this.send(frame);
    });
  }

  /** A question that changes nothing; `make` gets the number its answer will carry. */
  async ask(make: (n: number) => ToWriter): Promise<unknown> {
    if (this.socket === null) await this.opened;
    return await new Promise((resolve, reject) => {
      const n = ++this.asked;
      this.answers.set(n, { resolve, reject });
      this.send(encodeFrame(make(n), []));
    });
  }

  async settled(): Promise<void> {
    await this.ask((n) => ({ t: 'ask', n, ids: [] }));
  }

  watch(owner: number, ready: () => void): void {
    this.watched.set(owner, (this.watched.get(owner) ?? 0) + 1);
    if (this.socket === null) return; // the next connection watches all of them, and tells by onNews(null)
    this.lingering.delete(owner);
    if (this.active.has(owner)) return ready(); // the writer tells of it already
    // Asked also by the second one while the first answer is on its way. `ready` runs within the handling of the answer, so
    // before any news that comes behind it.
    const n = ++this.asked;
    this.asking.set(owner, n);
    this.answers.set(n, {
      resolve: () => {
        this.confirmed(owner, n);
        ready();
      },
      reject: () => {},
    });
    this.send(encodeFrame({ t: 'watch', n, owners: [owner] } satisfies ToWriter, []));
  }

  /** The writer tells about an owner, unless it was told to stop behind this question. */
  private confirmed(owner: number, n: number): void {
    if (this.asking.get(owner) !== n) return;
    this.asking.delete(owner);
    this.active.add(owner);
  }

  unwatch(owner: number): void {
    const count = this.watched.get(owner) ?? 0;
    if (count > 1) this.watched.set(owner, count - 1);
    else {
      this.watched.delete(owner);
      if (this.socket === null) return;
      if (!this.active.has(owner)) return this.stopWatching(owner);
      // Clients go from mailbox to mailbox and come back: the writer is told later, if it is still true then.
      this.lingering.set(owner, performance.now());
      this.sweep ??= setTimeout(() => this.stopLingering(), LINGER);
    }
  }

  /** Tells the writer of owners nobody has watched for a while. */
  private stopLingering(): void {
    this.sweep = null;
    const old = performance.now() - LINGER;
    for (const [owner, since] of this.lingering) {
      if (since > old) continue;
      this.lingering.delete(owner);
      this.stopWatching(owner);
    }
    if (this.lingering.size > 0) this.sweep = setTimeout(() => this.stopLingering(), LINGER);
  }

  private stopWatching(owner: number): void {
    this.active.delete(owner);
    this.asking.delete(owner);
    if (this.socket !== null) this.send(encodeFrame({ t: 'unwatch', owner } satisfies ToWriter, []));
  }

  async rebuild(
    owner: number,
    acceptLoss: boolean,
  ): Promise<{ records: number; snapshot: number; skipped: number }> {
    const answer = await this.ask((n) => ({ t: 'rebuild', n, owner, acceptLoss })) as
      | { records: number; snapshot: number; skipped: number }
      | {
        e: WireError;
      };
    if ('e' in answer) throw fromWireError(answer.e);
    return answer;
  }

  async mend(mending: Mending): Promise<boolean> {
    const answer = await this.ask((n) => ({ t: 'mend', n, mending })) as { mended: boolean } | {
      e: WireError;
    };
    if ('e' in answer) throw fromWireError(answer.e);
    return answer.mended;
  }

  suspect(owner: number, reason: string): void {
    // While the writer is away it recovers, and the next read finds the damage again.
    if (this.socket !== null) this.send(encodeFrame({ t: 'suspect', owner, reason } satisfies ToWriter, []));
  }

  close(): Promise<void> {
    this.closed = true;
    if (this.giveUp !== null) clearTimeout(this.giveUp);
    if (this.retry !== null) clearTimeout(this.retry);
    if (this.sweep !== null) clearTimeout(this.sweep);
    this.socket?.end();
    if (this.socket === null) this.refuse();
    this.failAll(serverError('the store was closed'));
    return Promise.resolve();
  }
}
