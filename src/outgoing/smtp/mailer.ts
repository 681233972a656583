/**
 * Hands messages to an MTA by SMTP: over a connection, or to the standard input of a program that speaks it there
 * (`sendmail -bs`). Each message has a connection of its own; how many there are at once is bounded.
 */

import { asMailError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Wire } from '../../net/wire.ts';
import type { Envelope, Mailer, Outcome, OutgoingMessage } from '../envelope.ts';
import type { MtaPlace } from './exchange.ts';
import type { SmtpManner } from './open.ts';

export class SmtpMailer implements Mailer {
  readonly #place: MtaPlace;
  readonly #manner: () => SmtpManner;
  #free: number = limits.outgoing_connections.value;
  readonly #waiting: (() => void)[] = [];

  /** @param manner asked once per connection, so that a changed password counts for the next */
  constructor(place: MtaPlace, manner: () => SmtpManner) {
    this.#place = place;
    this.#manner = manner;
  }

  async send(
    envelope: Envelope,
    message: OutgoingMessage,
    seconds: number = limits.outgoing_transaction.value,
  ): Promise<Outcome[]> {
    const deadline = performance.now() + seconds * 1000;
    if (!await this.#take(deadline)) return failed(envelope, 'too much mail is on its way to the MTA');
    try {
      const { outgoing_recipients: { value: group } } = limits;
      const outcomes: Outcome[] = [];
      for (let at = 0; at < envelope.recipients.length; at += group) {
        const recipients = envelope.recipients.slice(at, at + group);
        outcomes.push(...await this.#transact({ ...envelope, recipients }, message, deadline));
      }
      return outcomes;
    } finally {
      this.#give();
    }
  }

  async #transact(envelope: Envelope, message: OutgoingMessage, deadline: number): Promise<Outcome[]> {
    let wire: Wire | undefined;
    // Whatever the server does or does not: at the deadline the connection is gone, and all who wait for it fail.
    const timer = setTimeout(() => wire?.destroy(), Math.max(1, deadline - performance.now()));
    try {
      const patience = Math.min(limits.outgoing_reply.value * 1000, deadline - performance.now());
      if (patience <= 0) return failed(envelope, 'the MTA takes too long');
      // Loaded where mail leaves at all: a server that starts has better use for the time.
      const { connect, openSession, transact } = await import('./exchange.ts');
      wire = await connect(this.#place, patience);
      const { commands, extensions } = await openSession(wire, this.#manner());
      const outcomes = await transact(wire, commands, extensions, envelope, message);
      // The message is handed over or not; how the server takes our leave changes nothing.
      wire.write(Buffer.from('QUIT\r\n'));
      return outcomes;
    } catch (thrown) {
      return failed(envelope, asMailError(thrown).message);
    } finally {
      clearTimeout(timer);
      wire?.close();
    }
  }

  /** Waits for one of the connections; false when the time is over. */
  async #take(deadline: number): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const mine = () => resolve(true);
    this.#waiting.push(mine);
    const timer = setTimeout(() => {
      const at = this.#waiting.indexOf(mine);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      resolve(false);
    }, Math.max(1, deadline - performance.now()));
    const taken = await promise;
    clearTimeout(timer);
    return taken;
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

/** Nobody could be asked: that passes, whoever's fault it is. */
function failed(envelope: Envelope, text: string): Outcome[] {
  return envelope.recipients.map(({ address }) => ({ address, kind: 'temporary', status: '4.4.1', text }));
}
