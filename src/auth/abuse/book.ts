/**
 * What the workers of a server know of logins together. It is kept by the supervisor, the one process that outlives
 * them all; a worker asks by the questions below and answers nobody else. Users and passwords are digests, made with a
 * key of this run of the server.
 */

import type { Settings } from '../../config/settings.ts';
import { LoginLedger } from './ledger.ts';
import { LoggedInSessions } from './sessions.ts';

export type LoginQuestion =
  /** Is anything checked for this user from there? */
  | { readonly ask: 'blocked'; readonly user: string; readonly address: string }
  | { readonly ask: 'failed'; readonly user: string; readonly address: string; readonly secret: string }
  | { readonly ask: 'passed'; readonly user: string; readonly address: string }
  /** May one more connection be logged in? '' where one of the two is not counted. */
  | { readonly ask: 'enter'; readonly user: string; readonly address: string }
  | { readonly ask: 'leave'; readonly user: string; readonly address: string };

export interface LoginAnswer {
  /** Seconds for which nothing is checked; 0 for none. */
  readonly blocked: number;
  /** Different wrong passwords so far; 0 for a repetition. */
  readonly distinct: number;
  /** Which bound on connections was met, or ''. */
  readonly full: '' | 'user' | 'host';
}

/** What is answered where nothing is known. */
export const NOTHING_KNOWN: LoginAnswer = { blocked: 0, distinct: 0, full: '' };

export type BookSettings = Pick<
  Settings,
  | 'login_limit_user'
  | 'login_limit_network'
  | 'login_limit_window'
  | 'login_block'
  | 'maxlogins_per_user'
  | 'maxlogins_per_host'
>;

export class LoginBook {
  readonly #ledger: LoginLedger;
  readonly #sessions: LoggedInSessions;
  readonly #now: () => number;

  /** @param now seconds of a clock that only goes forward */
  constructor(settings: BookSettings, now: () => number = () => performance.now() / 1000) {
    this.#ledger = new LoginLedger({
      user: settings.login_limit_user,
      network: settings.login_limit_network,
      window: settings.login_limit_window,
      block: settings.login_block,
    });
    this.#sessions = new LoggedInSessions({
      user: settings.maxlogins_per_user,
      host: settings.maxlogins_per_host,
    });
    this.#now = now;
  }

  answer(worker: number, question: LoginQuestion): LoginAnswer {
    const { user, address } = question;
    switch (question.ask) {
      case 'blocked':
        return { ...NOTHING_KNOWN, blocked: this.#ledger.blocked(user, address, this.#now()) };
      case 'failed':
        return { ...NOTHING_KNOWN, ...this.#ledger.failed(user, address, question.secret, this.#now()) };
      case 'passed':
        this.#ledger.passed(user, address, this.#now());
        return NOTHING_KNOWN;
      case 'enter':
        return { ...NOTHING_KNOWN, full: this.#sessions.enter(worker, user, address) };
      case 'leave':
        this.#sessions.leave(worker, user, address);
        return NOTHING_KNOWN;
    }
  }

  /** A worker is gone, with all its connections. */
  workerGone(worker: number): void {
    this.#sessions.forget(worker);
  }
}
