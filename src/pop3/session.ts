/**
 * One client's POP3 session: cuts its bytes into lines, runs one command after the other and writes the answers.
 *
 * Invariants
 * 1. Commands run and are answered in the order they came (RFC 2449 §6.8); those of one packet leave in one write.
 * 2. What came before a TLS handshake or a security layer is never read after it.
 * 3. Memory is bounded: one line, and `limits.pop3_waiting_input` of input behind a running command.
 * 4. Only QUIT in the transaction state removes messages (RFC 1939 §6).
 */

import { type Origin, originOf } from '../auth/attempt.ts';
import type { Authenticator } from '../auth/login.ts';
import type { SaslContext } from '../auth/sasl.ts';
import type { Settings } from '../config/settings.ts';
import { asMailError, MailError, syntaxError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Connection } from '../net/connection.ts';
import type { Store } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';
import type { Maildrop } from './maildrop.ts';
import { err, failure, ok } from './write.ts';

/** What all connections of a process share. */
export interface Pop3Services {
  readonly settings: Settings;
  readonly store: Store;
  readonly authenticator: Authenticator;
  readonly log: Log;
  readonly version: string;
}

/** One command: the state it belongs to (RFC 1939 §3) and what it does. */
export interface Pop3Command {
  readonly state: 'authorization' | 'transaction' | 'any';
  /** Answers; throws MailError for what goes wrong. */
  run(session: Pop3Session, argument: string): Promise<void> | void;
}

const LF = 10;
const CR = 13;

export class Pop3Session {
  readonly connection: Connection;
  readonly services: Pop3Services;
  readonly log: Log;
  /** What APOP hashes (RFC 1939 §7), with its brackets; '' where APOP is not there. */
  readonly timestamp: string;
  /** The name USER gave, for the PASS behind it. */
  user: string | null = null;
  /** Set in the transaction state. */
  maildrop: Maildrop | null = null;
  /** UTF8 was said (RFC 6856). */
  utf8 = false;

  #buffer: Buffer = Buffer.alloc(0);
  /** The rest of a line that was too long is being dropped. */
  #skipping = false;
  #running = false;
  #paused = false;
  #ended = false;
  #stopping = false;
  #bad = 0;
  #awaited: ((line: string | MailError | null) => void) | undefined;
  readonly #commands: ReadonlyMap<string, Pop3Command>;
  readonly #onEnd: () => void;

  constructor(
    services: Pop3Services,
    connection: Connection,
    commands: ReadonlyMap<string, Pop3Command>,
    timestamp: string,
    onEnd: () => void,
  ) {
    this.#commands = commands;
    this.services = services;
    this.connection = connection;
    this.timestamp = timestamp;
    this.log = services.log.child({ connection: connection.id });
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
    return originOf(this.connection, 'pop3');
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

  /** The maildrop; commands that need one run only in the transaction state. */
  get drop(): Maildrop {
    if (this.maildrop === null) throw syntaxError('Log in first');
    return this.maildrop;
  }

  // Answers.

  write(data: string | Uint8Array): boolean {
    return this.#ended ? true : this.connection.write(data);
  }

  /** Whether there is still somebody to write to. */
  get open(): boolean {
    return !this.#ended && !this.connection.closed;
  }

  /** Writes; where the client is behind, a promise of the moment it is not. */
  send(data: string | Uint8Array): Promise<void> | undefined {
    return this.write(data) ? undefined : this.connection.drain();
  }

  /** Says goodbye and closes. */
  bye(text: string): void {
    if (this.#ended) return;
    this.write(text);
    this.#ended = true;
    this.#buffer = Buffer.alloc(0);
    this.connection.end();
  }

  // What the client says beside commands.

  /**
   * The next line, for an AUTH exchange; null when the connection ends first. Rejects with a MailError when it is longer
   * than `limits.sasl_response`.
   */
  line(): Promise<string | null> {
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#awaited = (line) => line instanceof MailError ? reject(line) : resolve(line);
      this.#giveLine();
    });
  }

  /** Drops all that was received and not read (STLS, a security layer). */
  discard(): void {
    this.#buffer = Buffer.alloc(0);
    this.#skipping = false;
  }

  /** Logged in: the bounds of strangers end here. */
  admit(): void {
    this.connection.admit();
    this.#watchIdle();
  }

  /** The server stops. */
  async shutdown(): Promise<void> {
    this.#stopping = true;
    if (!this.#running || this.#awaited !== undefined) this.bye(err('Server shutting down', 'SYS/TEMP'));
    while (this.#running && !this.#ended) await new Promise((resolve) => setImmediate(resolve));
  }

  // Input.

  #received(chunk: Buffer): void {
    if (this.#ended) return;
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    if (this.#awaited !== undefined) this.#giveLine();
    else if (!this.#running) void this.#run();
    else if (this.#buffer.length > limits.pop3_waiting_input.value && !this.#paused) {
      this.#paused = true;
      this.connection.pause();
    }
  }

  #giveLine(): void {
    const line = this.#take(limits.sasl_response.value + 2);
    if (line === undefined) return;
    const awaited = this.#awaited;
    this.#awaited = undefined;
    awaited?.(line);
  }

  /** The next whole line without its end; undefined where there is none yet; an error where it is too long. */
  #take(longest: number): string | MailError | undefined {
    for (;;) {
      const lf = this.#buffer.indexOf(LF);
      if (lf < 0) {
        if (this.#buffer.length <= longest) return undefined;
        this.#buffer = Buffer.alloc(0);
        if (this.#skipping) return undefined;
        this.#skipping = true;
        return syntaxError('Line too long');
      }
      const line = this.#buffer.subarray(0, lf + 1);
      this.#buffer = this.#buffer.subarray(lf + 1);
      if (this.#skipping) {
        this.#skipping = false;
        continue;
      }
      if (line.length > longest) return syntaxError('Line too long');
      // RFC 1939 §3 has CRLF; a bare LF is what some scripts send, and ends nothing else here.
      const end = line.length > 1 && line[line.length - 2] === CR ? line.length - 2 : line.length - 1;
      return line.toString('latin1', 0, end);
    }
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (!this.#ended && !this.#stopping) {
        const line = this.#take(limits.pop3_line.value);
        if (line === undefined) {
          if (!this.#paused) break;
          this.#paused = false;
          this.connection.resume();
          continue;
        }
        if (line instanceof MailError) this.#badCommand(line.message);
        else await this.#command(line);
      }
    } finally {
      this.#running = false;
      if (this.#stopping) this.bye(err('Server shutting down', 'SYS/TEMP'));
      else this.#watchIdle();
    }
  }

  async #command(line: string): Promise<void> {
    const space = line.indexOf(' ');
    const name = (space < 0 ? line : line.slice(0, space)).toUpperCase();
    const argument = space < 0 ? '' : line.slice(space + 1);
    const command = this.#commands.get(name);
    if (command === undefined) {
      // A client of another protocol that was led here hears nothing it could take for an answer (ALPACA).
      if (this.maildrop === null && FOREIGN.test(name)) this.bye(err('This is POP3'));
      else this.#badCommand('Unknown command');
      return;
    }
    if (command.state === 'authorization' && this.maildrop !== null) {
      return this.#badCommand('You are logged in already');
    }
    if (command.state === 'transaction' && this.maildrop === null) return this.#badCommand('Log in first');
    try {
      // Most commands are done when they return: a pipeline of them costs no turn each.
      const work = command.run(this, argument);
      if (work !== undefined) await work;
      this.#bad = 0;
    } catch (thrown) {
      this.#failed(name, asMailError(thrown));
    }
  }

  #failed(command: string, error: MailError): void {
    if (error.kind === 'syntax') return this.#badCommand(error.message);
    if (error.kind === 'server') this.log.error('command failed', { command, code: error.code, error });
    this.write(failure(error));
  }

  #badCommand(text: string): void {
    if (++this.#bad < limits.pop3_bad_commands.value) this.write(err(text));
    else this.bye(err('Too many invalid commands'));
  }

  #watchIdle(): void {
    if (this.#ended || this.maildrop === null) return;
    this.connection.setIdleTimeout(
      this.settings.poptimeout * 1000,
      // RFC 1939 §3: the timer ends the session without the UPDATE state.
      () => this.bye(err('Autologout; idle for too long')),
    );
  }

  #closed(): void {
    this.#ended = true;
    this.#buffer = Buffer.alloc(0);
    const awaited = this.#awaited;
    this.#awaited = undefined;
    awaited?.(null);
    const { maildrop } = this;
    this.maildrop = null;
    maildrop?.close().catch((thrown: unknown) =>
      this.log.warn('maildrop not closed', { error: asMailError(thrown) })
    );
    this.#onEnd();
  }

  /** QUIT could not remove what was marked: says so and ends the session all the same (RFC 1939 §6). */
  async abandon(thrown: unknown): Promise<void> {
    const error = asMailError(thrown);
    this.log.error('messages not removed', { code: error.code, error });
    const { maildrop } = this;
    this.maildrop = null;
    await maildrop?.close();
    this.bye(failure(error));
  }

  /** QUIT: everything is let go before the answer, so that the next session does not find the maildrop in use. */
  async leave(text: string): Promise<void> {
    const { maildrop } = this;
    this.maildrop = null;
    await maildrop?.close();
    this.bye(ok(text));
  }
}

/** First words of other protocols. */
const FOREIGN = /^(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|PATCH|TRACE|PROPFIND|EHLO|HELO|LHLO|MAIL|RCPT|DATA)$/;
