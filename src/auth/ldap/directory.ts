/**
 * A directory as the rest sees it: a few bound connections, kept, and a breaker that keeps a dead directory from holding up
 * every login.
 *
 * Invariants
 * 1. At most `limits.ldap_connections` at a time; who finds none free waits at most `limits.ldap_wait`.
 * 2. After `limits.ldap_failures` failures in a row to reach it or to hear from it, everybody is told at once that it cannot be
 *    reached, for `limits.ldap_pause`; then one attempt finds out.
 * 3. A kept connection that turns out to be closed is replaced once, silently: directories close idle ones. One that nobody used for
 *    `limits.ldap_idle` is not taken: what stands between may have forgotten it. So silence on a kept one is the directory's,
 *    and is not waited for twice.
 */

import { limits } from '../../limits.ts';
import type { Log } from '../../telemetry/log.ts';
import { type DirectoryAccess, DirectoryConnection } from './connection.ts';
import { DirectoryFailure, directoryFailure } from './failure.ts';

/** Who has said nothing for so long has had the time of an operation. */
const SILENCE_MS = 0.9 * limits.ldap_operation.value * 1000;

export interface DirectoryOptions {
  /** Opens a connection; replaced in tests. */
  readonly open?: (access: DirectoryAccess) => Promise<DirectoryConnection>;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

export class LdapDirectory {
  readonly #access: DirectoryAccess;
  readonly #log: Log;
  readonly #open: (access: DirectoryAccess) => Promise<DirectoryConnection>;
  readonly #now: () => number;
  readonly #idle: { readonly connection: DirectoryConnection; readonly since: number }[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #failures = 0;
  #pausedUntil = 0;

  constructor(access: DirectoryAccess, log: Log, options: DirectoryOptions = {}) {
    this.#access = access;
    this.#log = log;
    this.#open = options.open ?? ((wanted) => DirectoryConnection.open(wanted));
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Runs `work` with a bound connection of its own.
   * @throws DirectoryFailure, also for what `work` throws
   */
  async use<Result>(work: (connection: DirectoryConnection) => Promise<Result>): Promise<Result> {
    this.#leaveAlone();
    await this.#turn();
    try {
      // It may have fallen silent meanwhile.
      this.#leaveAlone();
      const kept = this.#takeIdle();
      if (kept !== undefined) {
        const begun = this.#now();
        try {
          const result = await this.#with(kept, work);
          this.#answered();
          return result;
        } catch (thrown) {
          const failure = directoryFailure(thrown, 'directory');
          if (failure.kind !== 'unreachable') throw thrown;
          if (this.#now() - begun >= SILENCE_MS) {
            this.#failed(failure);
            throw thrown;
          }
        }
      }
      return await this.#afresh(work);
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(({ connection }) => connection.close()));
  }

  /** @throws DirectoryFailure while the directory is left alone */
  #leaveAlone(): void {
    if (this.#now() >= this.#pausedUntil) return;
    throw new DirectoryFailure('unreachable', 'the directory did not answer a moment ago and is left alone');
  }

  /** A free place among the connections. */
  async #turn(): Promise<void> {
    const until = this.#now() + limits.ldap_wait.value * 1000;
    while (this.#busy >= limits.ldap_connections.value) {
      const left = until - this.#now();
      if (left <= 0) {
        throw new DirectoryFailure('unreachable', 'the directory is too slow: all connections are in use');
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    this.#busy++;
  }

  #takeIdle(): DirectoryConnection | undefined {
    for (;;) {
      const kept = this.#idle.pop();
      if (kept === undefined) return undefined;
      if (kept.connection.usable && this.#now() - kept.since < limits.ldap_idle.value * 1000) {
        return kept.connection;
      }
      void kept.connection.close();
    }
  }

  /** Work on a new connection; what goes wrong on the way counts for the breaker. */
  async #afresh<Result>(work: (connection: DirectoryConnection) => Promise<Result>): Promise<Result> {
    let opened = false;
    try {
      const connection = await this.#open(this.#access);
      opened = true;
      const result = await this.#with(connection, work);
      this.#answered();
      return result;
    } catch (thrown) {
      const failure = directoryFailure(thrown, 'directory');
      if (opened && failure.kind !== 'unreachable') this.#answered();
      else this.#failed(failure);
      throw failure;
    }
  }

  #answered(): void {
    if (this.#failures >= limits.ldap_failures.value) this.#log.info('the directory answers again');
    this.#failures = 0;
  }

  #failed(failure: DirectoryFailure): void {
    if (++this.#failures < limits.ldap_failures.value) return;
    this.#pausedUntil = this.#now() + limits.ldap_pause.value * 1000;
    this.#log.error('the directory cannot be used', { reason: failure.message, failures: this.#failures });
  }

  async #with<Result>(
    connection: DirectoryConnection,
    work: (connection: DirectoryConnection) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work(connection);
    } finally {
      if (connection.usable) this.#idle.push({ connection, since: this.#now() });
      else void connection.close();
    }
  }
}
