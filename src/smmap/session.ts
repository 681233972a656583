/**
 * One connection of an MTA that asks about recipients (sendmail's socketmap, Postfix's `socketmap:` tables).
 *
 * Invariants
 * 1. Questions are answered in their order, one at a time.
 * 2. After what is no netstring nothing more is read: what follows could be anything.
 * 3. Memory is bounded: one question, and `limits.smmap_waiting_input` behind it.
 * 4. Over quota is whom not even a message of one byte would fit: how large the one that comes will be is not known yet.
 */

import type { InterfaceDomains } from '../auth/interface.ts';
import type { Settings } from '../config/settings.ts';
import { findRecipient } from '../delivery/recipient.ts';
import { asMailError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Connection } from '../net/connection.ts';
import type { Store } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';
import { readNetstring } from './parse/netstring.ts';
import { readKey, readQuestion } from './parse/question.ts';
import { found, malformed, refused, TIMEOUT } from './write.ts';

/** What all connections of a process share. */
export interface SmmapServices {
  readonly settings: Settings;
  readonly store: Store;
  readonly interfaces: InterfaceDomains;
  readonly log: Log;
  /** Replaces limits.smmap_seconds in tests. */
  readonly patienceMs?: number;
}

export class SmmapSession {
  readonly #services: SmmapServices;
  readonly #connection: Connection;
  readonly #log: Log;
  #buffer: Buffer = Buffer.alloc(0);
  #running = false;
  #paused = false;
  #ended = false;

  constructor(services: SmmapServices, connection: Connection, onEnd: () => void) {
    this.#services = services;
    this.#connection = connection;
    this.#log = services.log.child({ connection: connection.id });
    connection.onData((chunk) => this.#received(chunk));
    connection.onClose(() => {
      this.#ended = true;
      this.#buffer = Buffer.alloc(0);
      onEnd();
    });
    this.#watchIdle();
  }

  /** The process ends: the question that is being answered is, the others are asked again elsewhere. */
  async shutdown(): Promise<void> {
    while (this.#running && !this.#ended) await new Promise((resolve) => setImmediate(resolve));
    this.#close();
  }

  #received(chunk: Buffer): void {
    if (this.#ended) return;
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    if (!this.#running) void this.#run();
    else if (this.#buffer.length > limits.smmap_waiting_input.value && !this.#paused) {
      this.#paused = true;
      this.#connection.pause();
    }
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (!this.#ended) {
      let key: string;
      try {
        const frame = readNetstring(this.#buffer, 0);
        if (frame === null) {
          if (!this.#paused) break;
          this.#paused = false;
          this.#connection.resume();
          continue;
        }
        this.#buffer = this.#buffer.subarray(frame.end);
        key = readKey(frame.octets);
      } catch (thrown) {
        const { message } = asMailError(thrown);
        this.#log.warn('no socketmap request', { reason: message });
        this.#connection.write(malformed(message));
        this.#close();
        break;
      }
      const answer = await this.#answer(key);
      if (this.#ended) break;
      this.#connection.write(answer);
      this.#watchIdle();
      if (this.#connection.pendingBytes >= limits.output_high_water.value) await this.#connection.drain();
    }
    this.#running = false;
  }

  async #answer(key: string): Promise<string> {
    const { settings, store, interfaces, patienceMs } = this.#services;
    const { localAddress } = this.#connection;
    const { promise: late, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(() => resolve(TIMEOUT), patienceMs ?? limits.smmap_seconds.value * 1000);
    try {
      const context = { settings, store, interfaces, localAddress, poster: null };
      const known = findRecipient(context, readQuestion(key), 1).then(() => found(key));
      return await Promise.race([known, late]);
    } catch (thrown) {
      const error = asMailError(thrown);
      if (error.kind === 'server') this.#log.error('recipient not checked', { rcpt: key, error });
      else this.#log.debug('recipient refused', { rcpt: key, code: error.code });
      return refused(error, settings.lmtp_overquota_perm_failure);
    } finally {
      clearTimeout(timer);
    }
  }

  #watchIdle(): void {
    if (this.#ended) return;
    this.#connection.setIdleTimeout(limits.smmap_idle.value * 1000, () => {
      // Our own work is not the peer's silence.
      if (!this.#running) this.#close();
    });
  }

  #close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connection.end();
  }
}
