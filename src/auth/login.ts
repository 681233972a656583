/**
 * From credentials to an identity: the one place that decides who somebody is.
 *
 * Invariants
 * 1. Unknown user, impossible name, wrong password, empty or over-long password: the same text, after the same
 *    work and the same delay (FIELD: user enumeration).
 * 2. A source that cannot answer is 'unavailable', never a wrong password.
 * 3. Every attempt leaves exactly one log line, and no password ever stands in one.
 * 4. A failure delays its own answer only; the more different passwords were wrong, the longer (`abuse/`).
 */

import { asMailError, limitError, type MailError, serverError, userError } from '../errors.ts';
import type { Settings } from '../config/settings.ts';
import { limits } from '../limits.ts';
import type { Connection } from '../net/connection.ts';
import type { Identity } from '../store/border.ts';
import { ANONYMOUS } from '../store/rights.ts';
import type { Log } from '../telemetry/log.ts';
import { LoginGuard } from './abuse/guard.ts';
import type { Origin, Reason } from './attempt.ts';
import { mayActFor } from './authorization.ts';
import { channelOf, type SaslChannel } from './channel.ts';
import { canonicalUser, isAdmin, isNamed, needsInterface } from './canonical.ts';
import { Claim } from './claim.ts';
import { Decoy } from './decoy.ts';
import { ExternalUsers } from './external.ts';
import type { Groups } from './groups/groups.ts';
import { InterfaceDomains } from './interface.ts';
import type { TokenUsers } from './oauth/users.ts';
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
  /** What was shown in vain, where that can be told from something else shown in vain. */
  readonly secret?: string;
}

export interface AuthenticatorOptions {
  readonly settings: Settings;
  readonly source: SecretSource;
  readonly log: Log;
  readonly interfaces?: InterfaceDomains;
  /** Checks access tokens; none is good without. */
  readonly tokens?: TokenUsers;
  /** Finds the groups of who logs in; nobody is in any without. */
  readonly groups?: Pick<Groups, 'identify'>;
  /** Limits on logins; without it, of this process alone. */
  readonly guard?: LoginGuard;
  /** What users who do not exist seem to have; the same in all processes of an installation. */
  readonly decoy?: Decoy;
  /** Whether `userid` administers the INBOX of `target` (`loginuseacl`). */
  readonly administersInbox?: (userid: string, target: string) => Promise<boolean>;
  /** Resolves once the store can be read: somebody may be known before it has recovered. */
  readonly ready?: () => Promise<unknown>;
  /** Resolves after so many milliseconds; for tests. */
  readonly sleep?: (ms: number) => Promise<void>;
}

interface Subject {
  readonly mechanism: string;
  readonly authcid: string;
  readonly authzid: string;
  readonly origin: Origin;
}

/** Of everybody while no groups are configured. */
const NO_GROUPS: readonly string[] = [];

/** How much longer than `failedloginpause` a failure can wait, and from how many wrong passwords on it grows. */
const PATIENCE = 3;

/** Checks logins for all connections of a process. */
export class Authenticator {
  readonly #settings: Settings;
  readonly #source: SecretSource;
  readonly #log: Log;
  readonly #interfaces: InterfaceDomains;
  readonly #guard: LoginGuard;
  readonly #tokens: TokenUsers;
  readonly #groups: Pick<Groups, 'identify'>;
  readonly #external: ExternalUsers;
  readonly #decoy: Decoy;
  readonly #administersInbox: (userid: string, target: string) => Promise<boolean>;
  readonly #ready: () => Promise<unknown>;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(options: AuthenticatorOptions) {
    this.#settings = options.settings;
    this.#source = options.source;
    this.#log = options.log;
    this.#interfaces = options.interfaces ?? new InterfaceDomains(options.settings);
    this.#external = new ExternalUsers(options.settings);
    this.#guard = options.guard ?? new LoginGuard({ settings: options.settings });
    this.#tokens = options.tokens ?? { userOf: () => Promise.resolve(null) };
    this.#groups = options.groups ?? { identify: (identity) => Promise.resolve(identity) };
    this.#decoy = options.decoy ?? new Decoy();
    this.#administersInbox = options.administersInbox ?? (() => Promise.resolve(false));
    this.#ready = options.ready ?? (() => Promise.resolve());
    this.#sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /** The channel of a connection, with who its client is by what is below SASL. */
  channelOf(connection: Pick<Connection, 'tls' | 'peer'>): SaslChannel {
    return channelOf(connection, this.#external.of(connection));
  }

  /** What the configured sources of secrets can be asked for. */
  get abilities(): SourceAbilities {
    return this.#source.abilities;
  }

  /**
   * Who the client is from now on.
   * @throws MailError 'authenticationfailed', 'authorizationfailed' (the password is right, but acting as
   *   `authzid` is for administrators), 'unavailable' (also while nothing is checked after too many wrong passwords),
   *   'limit' (too many connections)
   */
  async authenticate(attempt: LoginAttempt): Promise<Identity> {
    const { authcid, password, origin } = attempt;
    const userid = await this.canonical(authcid, origin);
    await this.#stop(attempt, userid);
    let right: boolean;
    try {
      right = await this.#source.verify(userid, password, origin);
    } catch (thrown) {
      throw this.#unavailable(attempt, asMailError(thrown));
    }
    if (userid === null) return await this.#refuse(attempt, userid, 'name', password);
    if (!right) return await this.#refuse(attempt, userid, 'password', password);
    const identity = await this.#accept(attempt, userid);
    // Cyrus: what a password in plain text costs those who could do better.
    if (!origin.secure) await this.#sleep(this.#settings.plaintextloginpause * 1000);
    return identity;
  }

  /**
   * What is known of who the client claims to be, for mechanisms that prove it by challenge and response. Somebody
   * who does not exist has a secret, too, which nobody knows. End it with `settle`.
   * @throws MailError 'unavailable' as `authenticate`
   */
  async claim(authcid: string, mechanism: string, origin: Origin): Promise<Claim> {
    const userid = await this.canonical(authcid, origin);
    await this.#stop({ authcid, authzid: '', mechanism, origin }, userid);
    let secret: UserSecret | null;
    try {
      secret = await this.#source.secret(userid);
    } catch (thrown) {
      throw this.#unavailable({ authcid, authzid: '', mechanism, origin }, asMailError(thrown));
    }
    return new Claim(authcid, userid, origin, secret, this.#decoy, this.#source.abilities);
  }

  /**
   * The login name an access token was given to; null for a token that is not good. End it with `vouchedFor` and `settle`.
   * @throws MailError 'unavailable'
   */
  async tokenUser(token: string, attempt: Omit<Subject, 'authzid'>): Promise<string | null> {
    try {
      return await this.#tokens.userOf(token);
    } catch (thrown) {
      throw this.#unavailable({ ...attempt, authzid: '' }, asMailError(thrown));
    }
  }

  /** A claim that something else than a secret of ours proves: a certificate, a token, the peer of a socket. */
  async vouchedFor(authcid: string, origin: Origin): Promise<Claim> {
    const userid = await this.canonical(authcid, origin);
    return new Claim(authcid, userid, origin, null, this.#decoy, this.#source.abilities);
  }

  /**
   * The end of an exchange: the identity, or the failure as for a wrong password.
   * @throws MailError 'authenticationfailed', 'authorizationfailed', 'limit'
   */
  async settle(claim: Claim, settlement: Settlement): Promise<Identity> {
    const { authcid, origin, userid } = claim;
    const { mechanism, authzid, proved } = settlement;
    const subject = { mechanism, authcid, authzid, origin };
    if (userid === null || !proved) {
      const reason = userid === null ? 'name' : settlement.reason ?? claim.weakness ?? 'password';
      return await this.#refuse(subject, userid, reason, settlement.secret ?? null);
    }
    return await this.#accept(subject, userid);
  }

  /** A login without a name (RFC 4505); `trace` is what the client says of itself, for the log. */
  async anonymous(trace: string, origin: Origin): Promise<Identity> {
    const subject = { mechanism: 'ANONYMOUS', authcid: ANONYMOUS, authzid: '', origin };
    await this.#enter(subject, '', true);
    this.#logOk(subject, ANONYMOUS, { trace });
    return { userid: ANONYMOUS, admin: false, groups: [] };
  }

  /** Who was logged in on a connection is it no more, and no longer counted. @param connection its id */
  left(connection: string): void {
    this.#guard.left(connection);
  }

  /** The identity of a canonical userid that was authenticated by other means (a trusted socket, a tool). */
  identity(userid: string): Identity {
    return { userid, admin: isAdmin(userid, this.#settings), groups: NO_GROUPS };
  }

  /** The userid a client's name stands for, or null where it cannot be anybody's. */
  async canonical(login: string, origin: Pick<Origin, 'localAddress'>): Promise<string | null> {
    try {
      const interfaceDomain = needsInterface(login, this.#settings)
        ? await this.#interfaces.domainOf(origin.localAddress)
        : '';
      const userid = canonicalUser(login, this.#settings, { interfaceDomain });
      return !login.includes('@') || inRealms(userid, this.#settings.loginrealms) ? userid : null;
    } catch {
      return null;
    }
  }

  /** The client is `userid`; it becomes who it wants to act as, if it may. */
  async #accept(subject: Subject, userid: string): Promise<Identity> {
    const { authzid, origin } = subject;
    this.#guard.passed(userid, origin);
    const target = authzid === '' ? userid : await this.canonical(authzid, origin);
    const may = target !== null &&
      (target === userid || mayActFor(userid, target, this.#settings) ||
        (this.#settings.loginuseacl && await this.#administersInbox(userid, target)));
    if (!may) {
      this.#logFailed(subject, 'authzid');
      await this.#sleep(this.#settings.failedloginpause * 1000);
      throw userError('authorizationfailed', 'not authorized to act as that user');
    }
    await this.#ready();
    // Who administers is never shut out by a count. What a proxy server opens is its users'; its address is not theirs.
    if (!isAdmin(userid, this.#settings)) {
      const fronts = this.#settings.proxyservers;
      await this.#enter(subject, target, !isNamed(userid, fronts, this.#settings));
    }
    this.#logOk(subject, target, target === userid ? {} : { proxied_by: userid });
    return await this.#groups.identify(this.identity(target));
  }

  /** Counts one more connection that is logged in, or refuses it. */
  async #enter(subject: Subject, user: string, byHost: boolean): Promise<void> {
    const full = await this.#guard.enter(user, byHost, subject.origin);
    if (full === '') return;
    this.#log.info('login refused', {
      ...this.#fields(subject, 'full'),
      reason: `maxlogins_per_${full}`,
      user,
    });
    throw limitError(`too many open connections of this ${full}`);
  }

  /** Ends an attempt of a user, or from a network, with too many wrong passwords before anything is checked. */
  async #stop(subject: Subject, userid: string | null): Promise<void> {
    const seconds = await this.#guard.blocked(userid ?? subject.authcid, subject.origin);
    if (seconds === 0) return;
    this.#log.warn('login refused', {
      ...this.#fields(subject, 'blocked'),
      reason: 'too many wrong passwords',
      seconds,
      user: subject.authcid,
    });
    await this.#sleep(this.#settings.failedloginpause * 1000);
    throw serverError('too many failed logins; nothing is checked for a while');
  }

  /** The same answer for all that can be wrong; each different password that was wrong makes it come later. */
  async #refuse(
    subject: Subject,
    userid: string | null,
    reason: Reason,
    secret: string | null,
  ): Promise<never> {
    this.#logFailed(subject, reason);
    const { distinct, blocked } = await this.#guard.failed(userid ?? subject.authcid, secret, subject.origin);
    if (blocked > 0) {
      this.#log.warn('logins blocked', {
        ...this.#fields(subject, 'block'),
        seconds: blocked,
        user: subject.authcid,
      });
    }
    const pause = this.#settings.failedloginpause * 2 ** Math.max(0, distinct - PATIENCE);
    const longest = Math.max(limits.login_failure_pause.value, this.#settings.failedloginpause);
    await this.#sleep(Math.min(longest, pause) * 1000);
    throw userError('authenticationfailed', 'authentication failure');
  }

  /** What every line about a login begins with: the peer stands before anything the client chose. */
  #fields({ mechanism, origin }: Subject, result: string): Readonly<Record<string, string | boolean>> {
    return {
      event: 'auth',
      result,
      rip: origin.remoteAddress || 'local',
      proto: origin.protocol,
      mech: mechanism,
      tls: origin.secure,
    };
  }

  #logOk(subject: Subject, user: string, more: Readonly<Record<string, string>>): void {
    this.#log.info('logged in', { ...this.#fields(subject, 'ok'), user, ...more });
  }

  /** One line for fail2ban. */
  #logFailed(subject: Subject, reason: Reason): void {
    const { authcid, authzid } = subject;
    this.#log.warn('login failed', {
      ...this.#fields(subject, 'fail'),
      reason,
      user: authcid,
      ...(authzid === '' ? {} : { authzid }),
    });
  }

  #unavailable(subject: Subject, error: MailError): MailError {
    this.#log.error('login could not be checked', {
      ...this.#fields(subject, 'error'),
      user: subject.authcid,
      error,
    });
    return serverError('logins cannot be checked at the moment', error);
  }
}

/** `loginrealms`: a name with a domain is somebody's only where the domain may log in. */
function inRealms(userid: string, realms: readonly string[]): boolean {
  const at = userid.lastIndexOf('@');
  return realms.length === 0 || at < 0 ||
    realms.some((realm) => realm.toLowerCase() === userid.slice(at + 1).toLowerCase());
}
