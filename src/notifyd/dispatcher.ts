/**
 * Takes notifications and has each carried out by its method, some at a time.
 *
 * Invariants
 * 1. Whoever notifies never waits, and hears nothing: what goes wrong is for the log.
 * 2. Memory is bounded: `limits.notify_waiting` notifications of `limits.notify_datagram` bytes.
 * 3. A method that fails or hangs holds up its own notification and a place of `limits.notify_running` for a while.
 */

import { asMailError } from '../errors.ts';
import { limits } from '../limits.ts';
import { decodeNotification, type Notification } from '../outgoing/notify/datagram.ts';
import type { MethodParts } from './method.ts';
import { METHODS } from './methods.ts';

/** How seldom the log says that notifications are dropped. */
const SAY_MS = 60_000;

export class Dispatcher {
  readonly #parts: MethodParts;
  readonly #waiting: Notification[] = [];
  readonly #idle: (() => void)[] = [];
  #running = 0;
  #dropped = 0;
  #said = -Infinity;

  constructor(parts: MethodParts) {
    this.#parts = parts;
  }

  /** A datagram as it came in. */
  receive(bytes: Buffer): void {
    let notification: Notification;
    try {
      notification = decodeNotification(bytes);
    } catch (thrown) {
      this.#parts.log.warn('no notification', { bytes: bytes.length, reason: asMailError(thrown).message });
      return;
    }
    this.take(notification);
  }

  take(notification: Notification): void {
    if (this.#waiting.length >= limits.notify_waiting.value) return this.#drop();
    this.#waiting.push(notification);
    this.#next();
  }

  /** Resolves when nothing is under way any more. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #drop(): void {
    this.#dropped++;
    const now = performance.now();
    if (now - this.#said < SAY_MS) return;
    this.#said = now;
    this.#parts.log.warn('notifications dropped, too many wait', { dropped: this.#dropped });
    this.#dropped = 0;
  }

  #next(): void {
    while (this.#running < limits.notify_running.value) {
      const notification = this.#waiting.shift();
      if (notification === undefined) break;
      this.#running++;
      void this.#carryOut(notification).finally(() => {
        this.#running--;
        this.#next();
        if (this.#running > 0) return;
        for (const resolve of this.#idle.splice(0)) resolve();
      });
    }
  }

  async #carryOut(notification: Notification): Promise<void> {
    const { settings, log } = this.#parts;
    const name = notification.method === '' ? settings.notify_method : notification.method.toLowerCase();
    const { class: className, user } = notification;
    const told = { method: name, class: className, user };
    const method = METHODS.get(name);
    const problem = method === undefined ? 'there is no such method' : method.unusable(settings);
    if (method === undefined || problem !== null) {
      log.warn('notification not carried out', { ...told, reason: problem ?? '' });
      return;
    }
    try {
      await method.notify(notification, this.#parts);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      log.warn('notification not carried out', { ...told, reason });
    }
  }
}
