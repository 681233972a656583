/**
 * A worker's side of the limits on logins: what is asked of the book all workers share, and for whom it is not.
 *
 * Invariants
 * 1. Addresses of `login_trusted_networks` and unix sockets are neither counted nor blocked.
 * 2. A connection is counted as logged in exactly as long as it stands, however it ends and whenever.
 * 3. A book that does not answer lets logins through: it must never be the reason that nobody gets in.
 */

import { createHmac } from '../../crypto.ts';
import type { Settings } from '../../config/settings.ts';
import { Networks } from '../../net/networks.ts';
import type { Origin } from '../attempt.ts';
import { type BookSettings, type LoginAnswer, LoginBook, type LoginQuestion, NOTHING_KNOWN } from './book.ts';

export type GuardSettings = BookSettings & Pick<Settings, 'login_trusted_networks'>;

export interface GuardOptions {
  readonly settings: GuardSettings;
  /** Asks the book; without it the guard has one of its own. */
  readonly ask?: (question: LoginQuestion) => Promise<LoginAnswer>;
  /** What digests are made with: the same in all workers of this run. */
  readonly key?: Uint8Array;
}

/** Bytes of base64url of a digest: 96 bits, so that no two are ever taken for the same. */
const DIGEST = 16;

export class LoginGuard {
  readonly #ask: (question: LoginQuestion) => Promise<LoginAnswer>;
  readonly #key: Uint8Array;
  readonly #trusted: Networks;
  readonly #counts: boolean;
  readonly #bounds: boolean;
  /** Connections that stand: with how to end their being counted, where they are. Empty where nothing is bounded. */
  readonly #standing = new Map<string, (() => void) | undefined>();

  constructor({ settings, ask, key }: GuardOptions) {
    const book = new LoginBook(settings);
    this.#ask = ask ?? ((question) => Promise.resolve(book.answer(0, question)));
    this.#key = key ?? crypto.getRandomValues(new Uint8Array(32));
    this.#trusted = new Networks(settings.login_trusted_networks);
    this.#counts = settings.login_limit_user > 0 || settings.login_limit_network > 0;
    this.#bounds = settings.maxlogins_per_user > 0 || settings.maxlogins_per_host > 0;
  }

  /** Seconds for which nothing is checked for a user (by any name) from there; 0 for none. */
  async blocked(user: string, origin: Origin): Promise<number> {
    if (!this.#counted(origin)) return 0;
    return (await this.#ask({ ask: 'blocked', user: this.#digest(user), address: origin.remoteAddress }))
      .blocked;
  }

  /**
   * A login that failed.
   * @param secret the password that was wrong, or null where it cannot be known: then it counts as a new one
   */
  async failed(user: string, secret: string | null, origin: Origin): Promise<LoginAnswer> {
    if (!this.#counted(origin)) return NOTHING_KNOWN;
    const shown = secret ?? crypto.randomUUID();
    return await this.#ask({
      ask: 'failed',
      user: this.#digest(user),
      address: origin.remoteAddress,
      secret: this.#digest(`${user}\0${shown}`),
    });
  }

  /** A login that went well. */
  passed(user: string, origin: Origin): void {
    if (!this.#counted(origin)) return;
    void this.#ask({ ask: 'passed', user: this.#digest(user), address: origin.remoteAddress });
  }

  /** A connection was accepted. */
  opened(connection: string): void {
    if (this.#bounds) this.#standing.set(connection, undefined);
  }

  /** Nobody is logged in on a connection any more, and it stands. */
  left(connection: string): void {
    const leave = this.#standing.get(connection);
    if (leave === undefined) return;
    this.#standing.set(connection, undefined);
    leave();
  }

  /** A connection is gone. */
  closed(connection: string): void {
    const leave = this.#standing.get(connection);
    this.#standing.delete(connection);
    leave?.();
  }

  /**
   * Counts a connection as one that is logged in, until it is `closed`; answers which bound forbids it, or ''.
   * @param user who it acts as, or '' where that is not counted
   * @param byHost whether its address is counted
   */
  async enter(user: string, byHost: boolean, origin: Origin): Promise<'' | 'user' | 'host'> {
    const { connection } = origin;
    if (!this.#bounds || !this.#standing.has(connection)) return '';
    const session = {
      user: user === '' ? '' : this.#digest(user),
      address: byHost && origin.remoteAddress !== '' && !this.#trusted.includes(origin.remoteAddress)
        ? origin.remoteAddress
        : '',
    };
    if (session.user === '' && session.address === '') return '';
    // A second login of the same connection, where the first led to nothing (POP3: [IN-USE]).
    this.#standing.get(connection)?.();
    this.#standing.set(connection, undefined);
    const { full } = await this.#ask({ ask: 'enter', ...session });
    if (full !== '') return full;
    const leave = () => void this.#ask({ ask: 'leave', ...session });
    // It may have gone while it was asked about.
    if (this.#standing.has(connection)) this.#standing.set(connection, leave);
    else leave();
    return '';
  }

  #counted({ remoteAddress }: Origin): boolean {
    return this.#counts && remoteAddress !== '' && !this.#trusted.includes(remoteAddress);
  }

  #digest(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, DIGEST);
  }
}
