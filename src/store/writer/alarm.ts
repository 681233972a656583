/**
 * Wakes messages that sleep (decide/wake.ts) when their time has come.
 *
 * Invariants
 * 1. What is known here can be lost: after a start everybody who has a mailbox for messages that sleep is looked at once, so that
 *    those whose time came while nobody was there wake then. From then on each record says what is to be waited for.
 * 2. An index is opened when one of its messages wakes, and at no other time.
 */
import { randomUUID } from '../../crypto.ts';
import { asMailError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { SNOOZED } from '../index/snoozed.ts';
import type { RecordHead } from '../log/record.ts';
import type { WriterState } from './context.ts';
import { errorText } from './errortext.ts';
import type { ChangeRequest } from './requests.ts';

/** Milliseconds after which the clock is looked at in any case: it may have been set. */
const LOOK_EVERY = 60_000;

/** Seconds until an owner is tried again whose index cannot be changed for now. */
const RETRY = 60;

/** Owners that are woken at once: they share a sync, and others get their turn behind them. */
const AT_ONCE = 16;

/** Owners of directory.db that one look is for. */
const STEP = 2000;

const now = (): number => Math.floor(Date.now() / 1000);

export class Alarm {
  /** When each owner's next message wakes, in unix seconds. */
  readonly #next = new Map<number, number>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** What the timer is set for. */
  #set = Infinity;
  #running = false;
  #ringing = false;

  /** @param submit has a change done */
  constructor(
    private readonly state: WriterState,
    private readonly log: Log,
    private readonly submit: (request: ChangeRequest) => Promise<unknown>,
  ) {}

  /** Begins to look at the clock, and looks at everybody. */
  start(): void {
    this.#running = true;
    this.#arm(0);
    void this.look(now()).catch((error: unknown) => {
      if (this.#running) this.log.error('snoozed messages not found', { error: errorText(error) });
    });
  }

  stop(): void {
    this.#running = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Looks at everybody who may have messages that sleep; those wake whose time has come. */
  async look(moment: number): Promise<void> {
    for (let after = 0; after < this.state.directory.nextOwner; after += STEP) {
      await this.#wake(this.state.directory.ownersWith(SNOOZED, after, after + STEP), moment);
    }
  }

  /** Learns from what was done. */
  note(heads: readonly RecordHead[]): void {
    for (const { s: sections } of heads) {
      for (const { o: owner, e: events } of sections) {
        for (const event of events) {
          if (event.k === 'snooze' && event.wake !== null) this.#expect(owner, event.wake.until);
          else if (event.k === 'undelete') this.#expect(owner, 0);
        }
      }
    }
  }

  /** Wakes everything that sleeps until this moment, unix seconds, or less. Returns how many. */
  async ring(moment: number): Promise<number> {
    let woken = 0;
    for (;;) {
      const due = [...this.#next].filter(([, until]) => until <= moment).map(([owner]) => owner);
      if (due.length === 0) return woken;
      woken += await this.#wake(due, moment);
    }
  }

  async #wake(owners: readonly number[], moment: number): Promise<number> {
    let woken = 0;
    for (let from = 0; from < owners.length; from += AT_ONCE) {
      const some = owners.slice(from, from + AT_ONCE);
      woken += (await Promise.all(some.map((owner) => this.#wakeOne(owner, moment)))).reduce(
        (a, b) => a + b,
        0,
      );
    }
    return woken;
  }

  async #wakeOne(owner: number, moment: number): Promise<number> {
    // What comes meanwhile is noted anew.
    this.#next.delete(owner);
    try {
      const answer = await this.submit({
        id: randomUUID(),
        origin: '',
        change: { op: 'wake', owner, upTo: moment },
      });
      const { woken, next } = answer as { woken: number; next: number | null };
      this.#expect(owner, next);
      return woken;
    } catch (error) {
      // Who is gone has nothing that sleeps.
      if (asMailError(error).code !== 'nonexistent') this.#expect(owner, moment + RETRY);
      return 0;
    }
  }

  #expect(owner: number, until: number | null): void {
    if (until === null || until >= (this.#next.get(owner) ?? Infinity)) return;
    this.#next.set(owner, until);
    if (until < this.#set) this.#arm(until);
  }

  /** Sets the timer for a moment. */
  #arm(until: number): void {
    if (!this.#running || this.#ringing) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#set = until;
    const delay = Math.min(LOOK_EVERY, Math.max(0, until * 1000 - Date.now()));
    this.#timer = setTimeout(() => void this.#rang(), delay).unref();
  }

  async #rang(): Promise<void> {
    this.#ringing = true;
    try {
      const woken = await this.ring(now());
      if (woken > 0) this.log.info('woken', { messages: woken });
    } finally {
      this.#ringing = false;
      this.#set = Infinity;
      let first = Infinity;
      for (const until of this.#next.values()) if (until < first) first = until;
      this.#arm(first);
    }
  }
}
