/**
 * One client's IMAP session: who it is, what it has selected and switched on, and the way its answers go out.
 *
 * Invariants
 * 1. Commands run one after the other; only loop.ts starts one, and only when the one before has ended.
 * 2. Sequence numbers change at exactly one place, `Selected.announce`, and expunges are announced only where the
 *    command allows it (RFC 9051 §7.5.1). Between two announcements the client's numbering is ours.
 * 3. Every answer comes from a handle that carries the caller's rights; nothing here looks at an ACL.
 * 4. After `closed` nothing is written and no work goes on: long work asks `closed` between its slices.
 * 5. What the session holds (mailbox, watchers, timers) is let go in `dispose`, however the session ends.
 */

import { type Origin, originOf } from '../auth/attempt.ts';
import type { Authenticator } from '../auth/login.ts';
import { loginAllowed, offered, type SaslContext } from '../auth/sasl.ts';
import type { Service } from '../config/services.ts';
import type { Settings } from '../config/settings.ts';
import type { MailboxEvent, MailboxEvents } from '../delivery/events.ts';
import { syntaxError, userError } from '../errors.ts';
import type { Connection } from '../net/connection.ts';
import type { SecurityLayer } from '../net/layer.ts';
import type { Identity, MailboxName, Store, StoreSession } from '../store/border.ts';
import { Namespace } from '../store/names.ts';
import type { UidSet } from '../store/uidset.ts';
import { ANONYMOUS } from '../store/rights.ts';
import type { Log } from '../telemetry/log.ts';
import { capabilityList } from './capability.ts';
import type { Facts } from './facts.ts';
import type { ParseMode } from './parse/command.ts';
import type { Selected } from './selected.ts';

/** What all sessions of a process share. */
export interface ImapDeps {
  readonly settings: Settings;
  readonly store: Store;
  /** Told of what users do with messages (RFC 6785). */
  readonly events: Pick<MailboxEvents, 'happened'>;
  readonly authenticator: Authenticator;
  readonly log: Log;
  /** Of this program, for greeting and ID. */
  readonly version: string;
}

/** The same with what sessions keep for each other. */
export interface ImapShared extends ImapDeps {
  readonly facts: Facts;
}

/** How a command that went well is answered: `tag OK [code] text`. */
export interface Completion {
  readonly code?: string;
  readonly text?: string;
  /** Begins behind the line that tells of the completion (RFC 9051 §6.2.2). */
  readonly layer?: SecurityLayer;
}

/** The plain `OK Completed`. */
export const COMPLETED: Completion = {};

/** What a command in progress can take from the client: answers to a challenge, DONE. */
export interface ClientInput {
  /**
   * The next line, latin1; null when the connection ends first. Rejects with a MailError, the line being dropped,
   * when it has more than `limit` bytes.
   */
  line(limit: number): Promise<string | null>;
  /** The next line, of at most `limit` bytes, ends `session.idling`. Nothing waits for it meanwhile. */
  lineEndsIdling(limit: number): void;
  /** Drops all that was received and not read (STARTTLS). */
  discard(): void;
  /** The bounds on lines and literals of an authenticated client count from here on. */
  authenticated(): void;
}

/** A session in IDLE: commands/idle.ts. */
export interface Idling {
  /** Answered when IDLE ends. */
  readonly tag: string;
  /** Something changed. */
  wake(): void;
  /** Nobody has said anything for a while. */
  silent(): void;
  /** Resolves when what is being told is told. */
  settled(): Promise<void>;
}

/** A logged-in user with the store as that user sees it. Made when it is asked for. */
export interface LoggedIn {
  readonly identity: Identity;
  readonly store: StoreSession;
  readonly names: Namespace;
}

/** Longest turn of work before other connections get theirs. */
const TURN_MS = 8;

export class Session {
  readonly connection: Connection;
  readonly service: Service;
  readonly deps: ImapShared;
  /** Set by the loop before the first command. */
  input: ClientInput = noInput;

  #store: StoreSession | null = null;
  selected: Selected | null = null;
  /** A CONDSTORE enabling command was given (RFC 7162 §3.1): MODSEQ is in every unsolicited FETCH. */
  condstore = false;
  /** ENABLE IMAP4rev2 was given. */
  rev2 = false;
  /** BYE was said: what was in the pipeline is not read any more. */
  leaving = false;
  /** IDLE was said and not ended. */
  idling: Idling | undefined;

  #turn = performance.now();
  #behind = false;

  constructor(connection: Connection, service: Service, deps: ImapShared) {
    this.connection = connection;
    this.service = service;
    this.deps = deps;
  }

  /** Made when it is needed: most connections never log a line of their own. */
  get log(): Log {
    return this.deps.log.child({ connection: this.connection.id });
  }

  get settings(): Settings {
    return this.deps.settings;
  }

  /** The connection is gone or going: work in progress stops at its next slice. */
  get closed(): boolean {
    return this.connection.closed || this.leaving;
  }

  get mode(): ParseMode {
    return { utf8: this.rev2, searchres: true };
  }

  get authenticated(): boolean {
    return this.#store !== null;
  }

  /** The user; commands that need one run only in the authenticated state, see commands/table.ts. */
  get user(): LoggedIn {
    const { store } = this;
    return { identity: store.identity, store, names: this.#names };
  }

  get #names(): Namespace {
    return new Namespace(this.settings, this.store.identity);
  }

  /** The store as the user sees it. */
  get store(): StoreSession {
    if (this.#store === null) throw syntaxError('log in first');
    return this.#store;
  }

  /** The selected mailbox; commands that need one run only in the selected state. */
  get mailbox(): Selected {
    if (this.selected === null) throw syntaxError('select a mailbox first');
    return this.selected;
  }

  /** Where logins of this connection come from. */
  get origin(): Origin {
    return originOf(this.connection, 'imap');
  }

  /** What a SASL mechanism may use on this connection as it is now. */
  get sasl(): SaslContext {
    const { authenticator, settings } = this.deps;
    return {
      settings,
      authenticator,
      origin: this.origin,
      channel: authenticator.channelOf(this.connection),
    };
  }

  /** Makes the session one of `identity`: not authenticated to authenticated (RFC 9051 §3.2). */
  async logIn(identity: Identity): Promise<Completion> {
    const store = this.deps.store.session(identity);
    if (identity.userid !== ANONYMOUS) await store.login();
    this.#store = store;
    this.input.authenticated();
    return { code: `CAPABILITY ${this.capabilities()}`, text: 'User logged in' };
  }

  /** Messages came into a mailbox, or their flags were changed: its script runs (RFC 6785 §2.2). */
  happened(
    cause: MailboxEvent['cause'],
    mailbox: MailboxName,
    uids: UidSet,
    changedFlags: readonly string[] = [],
  ): void {
    this.deps.events.happened({ cause, user: this.store.identity, mailbox, uids, changedFlags });
  }

  /** The mailbox a client names. */
  mailboxName(external: string): MailboxName {
    return this.#names.toInternal(external);
  }

  /** Everything is forgotten that a client said in plain text (RFC 9051 §6.2.1). */
  forget(): void {
    this.condstore = false;
    this.rev2 = false;
  }

  /** The capability list as of now, without the word CAPABILITY. */
  capabilities(): string {
    return capabilityList({
      authenticated: this.authenticated,
      canStartTls: this.connection.canStartTls && !this.connection.secure,
      mechanisms: this.authenticated ? [] : offered(this.sasl),
      loginDisabled: !loginAllowed(this.sasl),
      appendLimit: this.settings.maxmessagesize,
    });
  }

  // Answers.

  /** Writes bytes or a latin1 string as they are. */
  write(data: string | Uint8Array): void {
    if (this.connection.closed) return;
    if (!this.connection.write(data)) this.#behind = true;
  }

  /**
   * Writes bytes that nobody needs any more and gives their memory back at once. Waiting for a collection, an answer of 10 MB
   * touches 10 MB, and memory that is touched for the first time costs more than all else of it.
   */
  spend(bytes: Uint8Array<ArrayBuffer>): void {
    this.write(bytes);
    if (bytes.byteLength === bytes.buffer.byteLength) bytes.buffer.transfer(0);
  }

  /** Writes `* text`. */
  untagged(text: string): void {
    this.write(`* ${text}\r\n`);
  }

  /** Says BYE and closes (RFC 9051 §7.1.5). */
  bye(text: string, code = ''): void {
    if (this.leaving) return;
    this.untagged(`BYE ${code === '' ? '' : `[${code}] `}${text}`);
    this.leaving = true;
    this.connection.end();
  }

  /** Whether `breathe` would do anything: asked in tight loops to spare the await. */
  get due(): boolean {
    return this.#behind || performance.now() - this.#turn > TURN_MS;
  }

  /**
   * Between two slices of long work: waits while the client is behind, and lets others run when this turn was long.
   * Cheap when neither is the case.
   */
  async breathe(): Promise<void> {
    if (this.#behind) {
      this.#behind = false;
      await this.connection.drain();
      this.#turn = performance.now();
    } else if (performance.now() - this.#turn > TURN_MS) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#turn = performance.now();
    }
  }

  /** A command begins: its turn starts now. */
  beginTurn(): void {
    this.#turn = performance.now();
  }

  /** A CONDSTORE enabling command came (RFC 7162 §3.1): from here on changes are told with their modseq. */
  enableCondstore(): void {
    if (this.condstore) return;
    this.condstore = true;
    // RFC 7162 §3.1.2.1: a mailbox that is open already owes the client its HIGHESTMODSEQ.
    if (this.selected !== null) this.untagged(`OK [HIGHESTMODSEQ ${this.selected.highestModseq}] Ok`);
  }

  /** Something of the selected mailbox changed: told at once in IDLE, else with the next command. */
  changed(): void {
    this.idling?.wake();
  }

  /** Leaves the selected mailbox without a word (CLOSE, UNSELECT, SELECT of another). */
  unselect(): void {
    this.selected?.close();
    this.selected = null;
  }

  /** The connection is over. Harmless twice. */
  dispose(): void {
    this.leaving = true;
    this.idling = undefined;
    this.unselect();
  }
}

const noInput: ClientInput = {
  line: () => Promise.reject(userError('cannot', 'no input is attached')),
  lineEndsIdling() {},
  discard() {},
  authenticated() {},
};
