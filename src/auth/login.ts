/**
 * From credentials to an identity: the one place that decides who somebody is.
 *
 * Invariants
 * 1. Unknown user, impossible name, wrong password, empty or over-long password: the same text, after the same
 *    work and the same delay (FIELD: user enumeration).
 * 2. A source that cannot answer is 'unavailable', never a wrong password.
 * 3. Every attempt leaves exactly one log line, and no password ever stands in one.
 * 4. A failure delays its own answer only.
 */

import { asMailError, type MailError, serverError, userError } from '../errors.ts';
import type { Settings } from '../config/settings.ts';
import { limits } from '../limits.ts';
import type { Identity } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';
import { canonicalUser, isAdmin, needsInterface } from './canonical.ts';
import { InterfaceDomains } from './interface.ts';
import type { SecretSource } from './secrets/source.ts';

/** Where an attempt comes from. */
export interface Origin {
  /** `imap`, `lmtp`: as in the log. */
  readonly protocol: string;
  /** The peer, '' on a unix socket. */
  readonly remoteAddress: string;
  /** Our side of the connection (`Connection.localAddress`). */
  readonly localAddress: string;
  readonly secure: boolean;
}

/** One attempt to log in with a password. */
export interface LoginAttempt {
  /** `PLAIN`, or `LOGIN command`: for the log. */
  readonly mechanism: string;
  /** Whose password it is. */
  readonly authcid: string;
  /** Who to act as, '' for the same (RFC 4422 §3.4.1). */
  readonly authzid: string;
  readonly password: string;
  readonly origin: Origin;
}

export interface AuthenticatorOptions {
  readonly settings: Settings;
  readonly source: SecretSource;
  readonly log: Log;
  readonly interfaces?: InterfaceDomains;
  /** Resolves after so many milliseconds; for tests. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** Why an attempt failed, for the log only. */
type Reason = 'name' | 'password' | 'authzid';

/** Checks logins for all connections of a process. */
export class Authenticator {
  readonly #settings: Settings;
  readonly #source: SecretSource;
  readonly #log: Log;
  readonly #interfaces: InterfaceDomains;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(options: AuthenticatorOptions) {
    this.#settings = options.settings;
    this.#source = options.source;
    this.#log = options.log;
    this.#interfaces = options.interfaces ?? new InterfaceDomains(options.settings);
    this.#sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /**
   * Who the client is from now on.
   * @throws MailError 'authenticationfailed', 'authorizationfailed' (the password is right, but acting as
   *   `authzid` is for administrators), 'unavailable'
   */
  async authenticate(attempt: LoginAttempt): Promise<Identity> {
    const { authcid, authzid, password, origin } = attempt;
    const userid = await this.canonical(authcid, origin.localAddress);
    let right: boolean;
    try {
      right = await this.#source.verify(userid, password);
    } catch (thrown) {
      throw this.#unavailable(attempt, asMailError(thrown));
    }
    if (userid === null || !right) {
      await this.#fail(attempt, userid === null ? 'name' : 'password');
      throw userError('authenticationfailed', 'authentication failure');
    }
    const target = authzid === '' ? userid : await this.canonical(authzid, origin.localAddress);
    if (target === null || (target !== userid && !isAdmin(userid, this.#settings))) {
      await this.#fail(attempt, 'authzid');
      throw userError('authorizationfailed', 'not authorized to act as that user');
    }
    this.#log.info('logged in', {
      event: 'auth',
      result: 'ok',
      rip: origin.remoteAddress || 'local',
      proto: origin.protocol,
      mech: attempt.mechanism,
      tls: origin.secure,
      user: target,
      ...(target === userid ? {} : { proxied_by: userid }),
    });
    return this.identity(target);
  }

  /** The identity of a canonical userid that was authenticated by other means (a trusted socket, a tool). */
  identity(userid: string): Identity {
    return { userid, admin: isAdmin(userid, this.#settings), groups: [] };
  }

  /** The userid a client's name stands for, or null where it cannot be anybody's. */
  async canonical(login: string, localAddress: string): Promise<string | null> {
    try {
      const interfaceDomain = needsInterface(login, this.#settings)
        ? await this.#interfaces.domainOf(localAddress)
        : '';
      return canonicalUser(login, this.#settings, { interfaceDomain });
    } catch {
      return null;
    }
  }

  /** One line for fail2ban, in which the peer stands before anything the client chose; then the delay. */
  async #fail({ authcid, authzid, mechanism, origin }: LoginAttempt, reason: Reason): Promise<void> {
    this.#log.warn('login failed', {
      event: 'auth',
      result: 'fail',
      rip: origin.remoteAddress || 'local',
      proto: origin.protocol,
      mech: mechanism,
      tls: origin.secure,
      reason,
      user: authcid,
      ...(authzid === '' ? {} : { authzid }),
    });
    await this.#sleep(limits.login_failure_delay.value * 1000);
  }

  #unavailable({ authcid, mechanism, origin }: LoginAttempt, error: MailError): MailError {
    this.#log.error('login could not be checked', {
      event: 'auth',
      result: 'error',
      rip: origin.remoteAddress || 'local',
      proto: origin.protocol,
      mech: mechanism,
      user: authcid,
      error,
    });
    return serverError('logins cannot be checked at the moment', error);
  }
}
