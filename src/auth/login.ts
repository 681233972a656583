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
import { ANONYMOUS } from '../store/rights.ts';
import type { Log } from '../telemetry/log.ts';
import type { Origin, Reason } from './attempt.ts';
import { mayActFor } from './authorization.ts';
import { canonicalUser, isAdmin, needsInterface } from './canonical.ts';
import { Claim } from './claim.ts';
import { Decoy } from './decoy.ts';
import { InterfaceDomains } from './interface.ts';
import type { SecretSource, SourceAbilities, UserSecret } from './secrets/source.ts';

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

/** How an exchange of challenge and response ended. */
export interface Settlement {
  readonly mechanism: string;
  readonly authzid: string;
  /** Whether the client has proved to be who it claims. */
  readonly proved: boolean;
  /** For the log: what was wrong, where that is not the password. */
  readonly reason?: Reason;
}

export interface AuthenticatorOptions {
  readonly settings: Settings;
  readonly source: SecretSource;
  readonly log: Log;
  readonly interfaces?: InterfaceDomains;
  /** What users who do not exist seem to have; the same in all processes of an installation. */
  readonly decoy?: Decoy;
  /** Whether `userid` administers the INBOX of `target` (`loginuseacl`). */
  readonly administersInbox?: (userid: string, target: string) => Promise<boolean>;
  /** Resolves after so many milliseconds; for tests. */
  readonly sleep?: (ms: number) => Promise<void>;
}

interface Subject {
  readonly mechanism: string;
  readonly authcid: string;
  readonly authzid: string;
  readonly origin: Origin;
}

/** Checks logins for all connections of a process. */
export class Authenticator {
  readonly #settings: Settings;
  readonly #source: SecretSource;
  readonly #log: Log;
  readonly #interfaces: InterfaceDomains;
  readonly #decoy: Decoy;
  readonly #administersInbox: (userid: string, target: string) => Promise<boolean>;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(options: AuthenticatorOptions) {
    this.#settings = options.settings;
    this.#source = options.source;
    this.#log = options.log;
    this.#interfaces = options.interfaces ?? new InterfaceDomains(options.settings);
    this.#decoy = options.decoy ?? new Decoy();
    this.#administersInbox = options.administersInbox ?? (() => Promise.resolve(false));
    this.#sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /** What the configured sources of secrets can be asked for. */
  get abilities(): SourceAbilities {
    return this.#source.abilities;
  }

  /**
   * Who the client is from now on.
   * @throws MailError 'authenticationfailed', 'authorizationfailed' (the password is right, but acting as
   *   `authzid` is for administrators), 'unavailable'
   */
  async authenticate(attempt: LoginAttempt): Promise<Identity> {
    const userid = await this.canonical(attempt.authcid, attempt.origin.localAddress);
    let right: boolean;
    try {
      right = await this.#source.verify(userid, attempt.password);
    } catch (thrown) {
      throw this.#unavailable(attempt, asMailError(thrown));
    }
    if (userid === null || !right) return await this.#refuse(attempt, userid === null ? 'name' : 'password');
    return await this.#accept(attempt, userid);
  }

  /**
   * What is known of who the client claims to be, for mechanisms that prove it by challenge and response. Somebody
   * who does not exist has a secret, too, which nobody knows. End it with `settle`.
   * @throws MailError 'unavailable'
   */
  async claim(authcid: string, mechanism: string, origin: Origin): Promise<Claim> {
    const userid = await this.canonical(authcid, origin.localAddress);
    let secret: UserSecret | null;
    try {
      secret = await this.#source.secret(userid);
    } catch (thrown) {
      throw this.#unavailable({ authcid, authzid: '', mechanism, origin }, asMailError(thrown));
    }
    return new Claim(authcid, userid, origin, secret, this.#decoy, this.#source.abilities);
  }

  /** A claim that something else than a secret of ours proves: a certificate, a token, the peer of a socket. */
  async vouchedFor(authcid: string, origin: Origin): Promise<Claim> {
    const userid = await this.canonical(authcid, origin.localAddress);
    return new Claim(authcid, userid, origin, null, this.#decoy, this.#source.abilities);
  }

  /**
   * The end of an exchange: the identity, or the failure as for a wrong password.
   * @throws MailError 'authenticationfailed', 'authorizationfailed'
   */
  async settle(claim: Claim, settlement: Settlement): Promise<Identity> {
    const { authcid, origin, userid } = claim;
    const { mechanism, authzid, proved } = settlement;
    const subject = { mechanism, authcid, authzid, origin };
    if (userid === null) return await this.#refuse(subject, 'name');
    if (!proved) return await this.#refuse(subject, settlement.reason ?? claim.weakness ?? 'password');
    return await this.#accept(subject, userid);
  }

  /** A login without a name (RFC 4505); `trace` is what the client says of itself, for the log. */
  anonymous(trace: string, origin: Origin): Identity {
    this.#logOk({ mechanism: 'ANONYMOUS', authcid: ANONYMOUS, authzid: '', origin }, ANONYMOUS, { trace });
    return { userid: ANONYMOUS, admin: false, groups: [] };
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

  /** The client is `userid`; it becomes who it wants to act as, if it may. */
  async #accept(subject: Subject, userid: string): Promise<Identity> {
    const { authzid, origin } = subject;
    const target = authzid === '' ? userid : await this.canonical(authzid, origin.localAddress);
    const may = target !== null &&
      (target === userid || mayActFor(userid, target, this.#settings) ||
        (this.#settings.loginuseacl && await this.#administersInbox(userid, target)));
    if (!may) {
      await this.#fail(subject, 'authzid');
      throw userError('authorizationfailed', 'not authorized to act as that user');
    }
    this.#logOk(subject, target, target === userid ? {} : { proxied_by: userid });
    return this.identity(target);
  }

  async #refuse(subject: Subject, reason: Reason): Promise<never> {
    await this.#fail(subject, reason);
    throw userError('authenticationfailed', 'authentication failure');
  }

  #logOk({ mechanism, origin }: Subject, user: string, more: Readonly<Record<string, string>>): void {
    this.#log.info('logged in', {
      event: 'auth',
      result: 'ok',
      rip: origin.remoteAddress || 'local',
      proto: origin.protocol,
      mech: mechanism,
      tls: origin.secure,
      user,
      ...more,
    });
  }

  /** One line for fail2ban, in which the peer stands before anything the client chose; then the delay. */
  async #fail({ authcid, authzid, mechanism, origin }: Subject, reason: Reason): Promise<void> {
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

  #unavailable({ authcid, mechanism, origin }: Subject, error: MailError): MailError {
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
