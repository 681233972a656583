/**
 * One client's ManageSieve session (RFC 5804): runs one command after the other and writes the responses.
 *
 * Invariants
 * 1. Commands run and are answered in the order they came (§2); those of one packet leave in one write.
 * 2. What came before a TLS handshake or a security layer is never read after it.
 * 3. Memory is bounded: a command (Receiver), and `limits.managesieve_waiting_input` of input behind a running one.
 * 4. Of what a stranger sent nothing but the tag of NOOP is ever repeated, and only as a string (ALPACA).
 */

import { type Origin, originOf } from '../auth/attempt.ts';
import type { Authenticator } from '../auth/login.ts';
import type { SaslContext } from '../auth/sasl.ts';
import type { Settings } from '../config/settings.ts';
import { asMailError, limitError, MailError, syntaxError, userError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Connection } from '../net/connection.ts';
import type { SecurityLayer } from '../net/layer.ts';
import type { Identity, Scripts, Store, StoreSession } from '../store/border.ts';
import { ANONYMOUS } from '../store/rights.ts';
import type { Log } from '../telemetry/log.ts';
import { capabilities } from './capability.ts';
import { tooLong } from './check.ts';
import { failure } from './failure.ts';
import type { Language } from './language.ts';
import {
  type Argument,
  type ReceivedCommand,
  type ReceiverEvent,
  type ReceiverLimits,
  SMALL_LITERAL,
} from './parse/received.ts';
import { Receiver } from './parse/receiver.ts';
import { bye, no, ok } from './write.ts';

/** What all connections of a process share. */
export interface ManageSieveServices {
  readonly settings: Settings;
  readonly store: Store;
  readonly authenticator: Authenticator;
  readonly language: Language;
  readonly log: Log;
  readonly version: string;
}

/** One command: the state it belongs to (§4) and what it does. */
export interface SieveCommand {
  readonly state: 'nonauthenticated' | 'authenticated' | 'any';
  /** Answers; throws MailError for what goes wrong. */
  run(session: ManageSieveSession, args: readonly Argument[]): Promise<void> | void;
}

/** Between the OK that ends an exchange and the first frame of its security layer. */
const FRAME_PAUSE_MS = 20;

/** Before a login: what a stranger may make us hold. */
const STRANGER: ReceiverLimits = {
  line: limits.managesieve_line.value,
  fatal: true,
  literal: (bytes) => bytes > SMALL_LITERAL ? limitError('Too long before the login') : undefined,
};

export class ManageSieveSession {
  readonly connection: Connection;
  readonly services: ManageSieveServices;
  readonly log: Log;
  /** Who logged in. */
  identity: Identity | null = null;

  readonly #commands: ReadonlyMap<string, SieveCommand>;
  readonly #onEnd: () => void;
  readonly #receiver = new Receiver(STRANGER);
  #scripts: Scripts | null = null;
  #owner: string | null = null;
  #layer = false;
  #running = false;
  #paused = false;
  #ended = false;
  #stopping = false;
  #bad = 0;
  #awaited: ((answer: string | MailError | null) => void) | undefined;

  constructor(
    services: ManageSieveServices,
    connection: Connection,
    commands: ReadonlyMap<string, SieveCommand>,
    onEnd: () => void,
  ) {
    this.services = services;
    this.connection = connection;
    this.log = services.log.child({ connection: connection.id });
    this.#commands = commands;
    this.#onEnd = onEnd;
    connection.onData((chunk) => this.#received(chunk));
    connection.onClose(() => this.#closed());
  }

  get settings(): Settings {
    return this.services.settings;
  }

  /** The connection is gone or going. */
  get ended(): boolean {
    return this.#ended;
  }

  get origin(): Origin {
    return originOf(this.connection, 'sieve');
  }

  /** What a SASL mechanism may use on this connection as it is now. */
  get sasl(): SaslContext {
    const { settings, authenticator } = this.services;
    return {
      settings,
      authenticator,
      origin: this.origin,
      channel: authenticator.channelOf(this.connection),
    };
  }

  /** Whether STARTTLS would be heard. Below a layer of SASL there is no place for TLS (§2.1). */
  get canStartTls(): boolean {
    const { secure, canStartTls } = this.connection;
    return !secure && canStartTls && this.identity === null && !this.#layer;
  }

  /** The scripts this session is about. Nobody's for who logged in without a name. */
  get scripts(): Scripts {
    if (this.#scripts === null) {
      throw userError('noperm', 'Without a name, scripts can be checked and nothing else');
    }
    return this.#scripts;
  }

  /** Whose scripts these are, '' for the global ones; null before the login, and for who has no name. */
  get owner(): string | null {
    return this.#owner;
  }

  /** One line of the log about what became of a script. */
  logChange(what: string, fields: Readonly<Record<string, string | number>>): void {
    this.log.info(what, { user: this.identity?.userid ?? '', owner: this.#owner ?? '', ...fields });
  }

  write(text: string): void {
    if (!this.#ended) this.connection.write(text);
  }

  /** Capabilities and the OK behind them. */
  announce(): void {
    this.write(capabilities(this) + ok());
  }

  /** Says goodbye and closes. */
  bye(text: string): void {
    this.leave(bye(text));
  }

  /** Writes the last line and closes. */
  leave(line: string): void {
    if (this.#ended) return;
    this.write(line);
    this.#ended = true;
    this.#receiver.discard();
    this.connection.end();
  }

  /**
   * The client's next response of an exchange (§2.1), one char per byte; null when the connection ends first. Rejects
   * with a MailError where it is none or too long.
   */
  response(): Promise<string | null> {
    if (this.#ended) return Promise.resolve(null);
    this.#receiver.expectString();
    return new Promise((resolve, reject) => {
      this.#awaited = (answer) => answer instanceof MailError ? reject(answer) : resolve(answer);
      this.#giveResponse();
    });
  }

  /** Drops all that was received and not read (STARTTLS, a security layer). */
  discard(): void {
    this.#receiver.discard();
  }

  /** Opens the scripts of who has proved to be somebody; from here on it is no stranger. */
  async logIn(identity: Identity): Promise<void> {
    const { store, settings } = this.services;
    if (identity.userid !== ANONYMOUS) {
      const session = store.session(identity);
      await session.login();
      // As with Cyrus: who administers and has no mail to filter administers the global scripts.
      const global = identity.admin && !hasInbox(session);
      this.#scripts = global ? session.scriptsOf('') : session.scripts;
      this.#owner = global ? '' : identity.userid;
    }
    this.identity = identity;
    this.#receiver.limits = {
      line: limits.managesieve_line.value,
      fatal: false,
      literal: (bytes) => literalBound(bytes, settings.sieve_maxscriptsize),
    };
    this.connection.admit();
    this.#watchIdle();
  }

  /** A security layer begins behind what was written; the client hears of all capabilities again within it (§2.1). */
  async protect(layer: SecurityLayer): Promise<void> {
    // What came in before the client could know of the layer is nobody's.
    this.discard();
    this.connection.flush();
    this.connection.protect(layer);
    this.#layer = true;
    // Cyrus's clients cannot read a frame that came in one piece with the OK in front of it.
    await new Promise((resolve) => setTimeout(resolve, FRAME_PAUSE_MS));
    this.announce();
  }

  /** UNAUTHENTICATE (§2.14.1): a stranger again, with a stranger's time; TLS and layers stay. */
  forget(): void {
    this.services.authenticator.left(this.connection.id);
    this.identity = null;
    this.#scripts = null;
    this.#owner = null;
    this.#receiver.limits = STRANGER;
    this.#watchIdle();
  }

  /** The server stops. */
  async shutdown(): Promise<void> {
    this.#stopping = true;
    if (!this.#running || this.#awaited !== undefined) this.#goodbye();
    while (this.#running && !this.#ended) await new Promise((resolve) => setImmediate(resolve));
  }

  #goodbye(): void {
    this.leave(bye('Server shutting down', 'TRYLATER'));
  }

  // Input.

  #received(chunk: Buffer): void {
    if (this.#ended) return;
    this.#receiver.push(chunk);
    if (this.#awaited !== undefined) this.#giveResponse();
    else if (!this.#running) void this.#run();
    else if (this.#receiver.buffered > limits.managesieve_waiting_input.value && !this.#paused) {
      this.#paused = true;
      this.connection.pause();
    }
  }

  #giveResponse(): void {
    const event = this.#receiver.next();
    if (event === undefined) {
      this.#goOn();
      return;
    }
    const awaited = this.#awaited;
    this.#awaited = undefined;
    if (event.type === 'string') awaited?.(event.text);
    else {
      const error = event.type === 'refused' ? event.error : syntaxError('Expected a response');
      if (event.type === 'refused' && event.fatal) this.bye(error.message);
      awaited?.(this.#ended ? null : error);
    }
  }

  /** Reads on where too much waited; true if bytes may have come in by it. */
  #goOn(): boolean {
    if (!this.#paused) return false;
    this.#paused = false;
    this.connection.resume();
    return true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (!this.#ended && !this.#stopping) {
        const event = this.#receiver.next();
        if (event === undefined) {
          if (this.#goOn()) continue;
          break;
        }
        await this.#handle(event);
        // A client that does not read its answers gets no further ones.
        if (this.connection.pendingBytes >= limits.output_high_water.value) await this.connection.drain();
      }
    } finally {
      this.#running = false;
      if (this.#stopping) this.#goodbye();
    }
  }

  #handle(event: ReceiverEvent): Promise<void> | void {
    if (event.type === 'command') return this.#command(event.command);
    if (event.type === 'string') return;
    if (event.fatal) return this.bye(event.error.message);
    this.#failed(event.name, event.error);
  }

  async #command({ name, args }: ReceivedCommand): Promise<void> {
    const command = this.#commands.get(name);
    if (command === undefined) return this.#failed(name, syntaxError('Unknown command'));
    if (command.state === 'nonauthenticated' && this.identity !== null) {
      return this.#failed(name, syntaxError('You are logged in already'));
    }
    if (command.state === 'authenticated' && this.identity === null) {
      return this.#failed(name, syntaxError('Log in first'));
    }
    try {
      await command.run(this, args);
      this.#bad = 0;
    } catch (thrown) {
      this.#failed(name, asMailError(thrown));
    }
  }

  #failed(name: string, error: MailError): void {
    if (error.kind === 'syntax') return this.#badCommand(name, error.message);
    if (error.kind === 'server') {
      this.log.error('command failed', { command: name, code: error.code, error });
    }
    this.write(failure(error, this.identity !== null));
  }

  #badCommand(name: string, text: string): void {
    // A client of another protocol that was led here hears nothing it could take for an answer (ALPACA).
    if (this.identity === null && !this.#commands.has(name)) this.bye('This is ManageSieve');
    else if (++this.#bad < limits.managesieve_bad_commands.value) this.write(no(text));
    else this.bye('Too many invalid commands');
  }

  #watchIdle(): void {
    const known = this.identity !== null;
    this.connection.setIdleTimeout(
      (known ? this.settings.timeout : limits.preauth_seconds.value) * 1000,
      () => this.bye(known ? 'Autologout; idle for too long' : 'No login in time'),
    );
  }

  #closed(): void {
    this.#ended = true;
    this.#receiver.discard();
    const awaited = this.#awaited;
    this.#awaited = undefined;
    awaited?.(null);
    this.#onEnd();
  }
}

function hasInbox(session: StoreSession): boolean {
  try {
    session.info({ owner: session.identity.userid, path: '' });
    return true;
  } catch (thrown) {
    if (asMailError(thrown).code === 'nonexistent') return false;
    throw thrown;
  }
}

/**
 * Why a logged-in client's literals are not taken: said as soon as they are announced. The bound is the same for all
 * commands: what is too large to be stored is too large to be looked at (§2.12 forbids CHECKSCRIPT to ask for quotas alone).
 */
function literalBound(bytes: number, maxScript: number): MailError | undefined {
  // A name may be a literal, too.
  return bytes > maxScript + limits.store_script_name.value ? tooLong(maxScript) : undefined;
}
