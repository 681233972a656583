/**
 * One LMTP connection: cuts its bytes into command lines, message data and chunks, and runs the commands in order.
 *
 * Invariants:
 * 1. Replies leave in the order of the commands (RFC 2920 §3.2); those of one group leave in one write.
 * 2. While a command works (`#working`) nothing else is read from the input. Only lookups of recipients overlap.
 * 3. Memory is bounded: one line, one header (Reception), `limits.lmtp_waiting_input` of input that came early and
 *    one chunk of the connection beyond it.
 * 4. A message that is not complete when the connection ends is forgotten; one that is complete is delivered
 *    even if nobody is left to be told.
 * 5. After STARTTLS nothing is known that was said before it, and nothing that was sent before it is read.
 */

import type { Authenticator } from '../auth/login.ts';
import type { InterfaceDomains } from '../auth/interface.ts';
import { originOf } from '../auth/attempt.ts';
import { offered, type SaslContext } from '../auth/sasl.ts';
import type { Settings } from '../config/settings.ts';
import type { Deliverer } from '../delivery/deliverer.ts';
import { asMailError, type MailError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Connection } from '../net/connection.ts';
import type { SecurityLayer } from '../net/layer.ts';
import type { Identity, Store } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';
import { COMMANDS } from './commands/table.ts';
import type { Dialogue, Transaction } from './dialogue.ts';
import { DotDecoder } from './dots.ts';
import { failureReply } from './failure.ts';
import { parseCommand } from './parse/command.ts';
import { renderLines, renderReply, type Reply, reply } from './write.ts';

/** What all connections of a process share. */
export interface LmtpServices {
  readonly settings: Settings;
  readonly store: Store;
  readonly deliverer: Deliverer;
  readonly authenticator: Authenticator;
  readonly interfaces: InterfaceDomains;
  readonly log: Log;
}

const LF = 10;
const CR = 13;
const EMPTY = Buffer.alloc(0);
/** Recipients looked up at the same time. */
const LOOKUPS = 100;

type Mode =
  | { readonly kind: 'line'; readonly handler: ((line: string) => void) | null }
  | {
    readonly kind: 'data';
    readonly decoder: DotDecoder;
    readonly sink: (bytes: Buffer) => void;
    readonly done: () => void;
  }
  | {
    readonly kind: 'chunk';
    left: number;
    readonly sink: (bytes: Buffer) => void;
    readonly done: () => void;
  };

const COMMAND_MODE: Mode = { kind: 'line', handler: null };

export class LmtpSession implements Dialogue {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly store: Store;
  readonly deliverer: Deliverer;
  readonly log: Log;
  readonly interfaces: InterfaceDomains;
  readonly trusted: boolean;
  user: Identity | null = null;
  clientName = '';
  transaction: Transaction | null = null;

  readonly #authenticator: Authenticator;
  readonly #onEnd: () => void;
  #mode: Mode = COMMAND_MODE;
  #chunk: Buffer = EMPTY;
  #at = 0;
  readonly #queue: Buffer[] = [];
  #queued = 0;
  #paused = false;
  /** The part of a line that came in earlier chunks, and whether the line has outgrown its limit. */
  #partial = '';
  #overlong = false;
  /** A command that waits for the lookups in front of it. */
  #heldLine: string | null = null;
  /** Pieces of work that must end before the input goes on. */
  #working = 0;
  #running = false;
  #lookups: Promise<() => void>[] = [];
  #badCommands = 0;
  #ended = false;
  #leaving = false;
  #admitted = false;

  constructor(services: LmtpServices, connection: Connection, trusted: boolean, onEnd: () => void) {
    this.connection = connection;
    this.settings = services.settings;
    this.store = services.store;
    this.deliverer = services.deliverer;
    this.interfaces = services.interfaces;
    this.#authenticator = services.authenticator;
    this.log = services.log.child({ conn: connection.id, rip: connection.remoteAddress || 'local' });
    this.trusted = trusted;
    this.#onEnd = onEnd;
    connection.onClose(() => this.#end());
    connection.onData((chunk) => this.#receive(chunk));
    this.#watchIdle();
  }

  get mechanisms(): readonly string[] {
    return this.trusted ? [] : offered(this.sasl);
  }

  get sasl(): SaslContext {
    return {
      settings: this.settings,
      authenticator: this.#authenticator,
      origin: originOf(this.connection, 'lmtp'),
      channel: this.#authenticator.channelOf(this.connection),
    };
  }

  reset(): void {
    this.transaction?.reception?.abort();
    this.transaction = null;
  }

  say(answer: Reply): void {
    if (this.#lookups.length > 0) this.#lookups.push(Promise.resolve(() => this.#write(renderReply(answer))));
    else this.#write(renderReply(answer));
  }

  sayLines(code: number, lines: readonly string[]): void {
    this.#write(renderLines(code, lines));
  }

  wait(work: Promise<void>): void {
    this.#working++;
    work.catch((thrown: unknown) => this.#answerFailure(thrown)).then(() => {
      this.#working--;
      this.#watchIdle();
      if (this.#leaving) this.leave();
      this.#run();
    });
  }

  lookUp(work: Promise<() => void>): void {
    this.#lookups.push(work);
    if (this.#lookups.length >= LOOKUPS) this.#settleLookups();
  }

  readLine(handler: (line: string) => void): void {
    this.#mode = { kind: 'line', handler };
  }

  readData(sink: (bytes: Buffer) => void, done: () => void): void {
    this.#mode = { kind: 'data', decoder: new DotDecoder(), sink, done };
  }

  readChunk(size: number, sink: (bytes: Buffer) => void, done: () => void): void {
    this.#mode = { kind: 'chunk', left: size, sink, done };
  }

  logIn(user: Identity, layer: SecurityLayer | undefined): void {
    this.user = user;
    this.#admit();
    if (layer === undefined) return;
    // What was pipelined behind AUTH came without the layer's protection.
    this.#dropInput();
    this.connection.protect(layer);
    // RFC 4954 §4: as after the greeting, the client says LHLO again.
    this.clientName = '';
  }

  startTls(): void {
    // RFC 3207 §4.2, CVE-2021-33515: what was pipelined behind STARTTLS in plain text is never read.
    this.#dropInput();
    this.wait(
      this.connection.startTls().then(() => {
        // What waits by now came encrypted, in the flight that ended the handshake.
        this.reset();
        this.clientName = '';
        this.user = null;
      }, (thrown: unknown) => {
        this.log.info('TLS handshake failed', { error: thrown instanceof Error ? thrown : undefined });
        this.connection.destroy();
      }),
    );
  }

  close(): void {
    this.#dropInput();
    this.reset();
    this.#ended = true;
    this.connection.end();
  }

  /** The process is going down: says so as soon as nothing is being delivered, and closes. */
  leave(): void {
    this.#leaving = true;
    if (this.#working > 0 || this.#ended) return;
    this.#write(renderReply(reply(421, '4.3.2', `${this.settings.servername} is shutting down`)));
    this.close();
  }

  // Input.

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    // A connection may hand over bytes from inside `resume()`, in the middle of a run.
    if (this.#working > 0 || this.#running) {
      this.#queue.push(chunk);
      this.#queued += chunk.length;
      if (this.#queued > limits.lmtp_waiting_input.value && !this.#paused) {
        this.#paused = true;
        this.connection.pause();
      }
      return;
    }
    this.#chunk = chunk;
    this.#at = 0;
    this.#run();
  }

  /** Handles what is there until it is used up or a command works on its own. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      this.#handleInput();
    } finally {
      this.#running = false;
    }
  }

  #handleInput(): void {
    for (;;) {
      if (this.#ended || this.#working > 0) return;
      if (this.#heldLine !== null) {
        const line = this.#heldLine;
        this.#heldLine = null;
        this.#guard(() => this.#takeLine(line));
        continue;
      }
      const mode = this.#mode;
      if (mode.kind === 'chunk' && mode.left === 0) {
        this.#mode = COMMAND_MODE;
        this.#guard(mode.done);
        continue;
      }
      if (this.#at >= this.#chunk.length && !this.#nextChunk()) {
        if (this.#lookups.length === 0) return;
        this.#settleLookups();
        continue;
      }
      if (mode.kind === 'line') this.#readLine();
      else if (mode.kind === 'data') {
        const end = mode.decoder.push(this.#chunk, this.#at, mode.sink);
        this.#at = end < 0 ? this.#chunk.length : end;
        if (end >= 0) {
          this.#mode = COMMAND_MODE;
          this.#guard(mode.done);
        }
      } else {
        const end = Math.min(this.#at + mode.left, this.#chunk.length);
        const piece = this.#chunk.subarray(this.#at, end);
        mode.left -= end - this.#at;
        this.#at = end;
        mode.sink(piece);
      }
    }
  }

  #nextChunk(): boolean {
    if (this.#queue.length === 0 && this.#paused) {
      this.#paused = false;
      this.connection.resume();
    }
    const next = this.#queue.shift();
    this.#at = 0;
    this.#chunk = next ?? EMPTY;
    this.#queued -= this.#chunk.length;
    return next !== undefined;
  }

  #dropInput(): void {
    this.#queue.length = 0;
    this.#queued = 0;
    this.#chunk = EMPTY;
    this.#at = 0;
    this.#partial = '';
    this.#overlong = false;
    this.#heldLine = null;
    this.#mode = COMMAND_MODE;
  }

  /** Takes one line from the chunk, or what there is of it. */
  #readLine(): void {
    const chunk = this.#chunk;
    const start = this.#at;
    const lf = chunk.indexOf(LF, start);
    const end = lf < 0 ? chunk.length : lf + 1;
    this.#at = end;
    const exchange = this.#mode.kind === 'line' && this.#mode.handler !== null;
    const bound = exchange ? limits.sasl_response.value + 2 : limits.lmtp_line.value;
    if (this.#overlong || this.#partial.length + end - start > bound) {
      this.#partial = '';
      this.#overlong = lf < 0;
      if (this.clientName === '') this.#giveUp(reply(421, '4.7.0', 'Line too long before LHLO'));
      else if (lf >= 0) {
        this.#mode = COMMAND_MODE;
        this.#badCommand(
          exchange
            ? reply(500, '5.5.6', 'Authentication exchange line is too long')
            : reply(500, '5.5.2', 'Line too long'),
        );
      }
      return;
    }
    const text = chunk.toString('latin1', start, end);
    if (lf < 0) {
      this.#partial += text;
      return;
    }
    const line = this.#partial + text;
    this.#partial = '';
    if (line.charCodeAt(line.length - 2) !== CR) {
      // RFC 5321 §2.3.8: a line ends with CRLF and nothing else.
      this.#mode = COMMAND_MODE;
      this.#badCommand(reply(500, '5.5.2', 'A line ends with CR LF'));
      return;
    }
    this.#guard(() => this.#takeLine(line.slice(0, -2)));
  }

  #takeLine(line: string): void {
    const mode = this.#mode;
    if (mode.kind === 'line' && mode.handler !== null) {
      this.#mode = COMMAND_MODE;
      mode.handler(line);
      return;
    }
    const command = parseCommand(line);
    if (this.#lookups.length > 0 && command?.verb !== 'RCPT') {
      this.#heldLine = line;
      this.#settleLookups();
      return;
    }
    const handler = command === null ? undefined : COMMANDS.get(command.verb);
    if (command !== null && handler !== undefined) {
      handler(this, command.argument);
      if (this.trusted && this.clientName !== '') this.#admit();
    } else if (command?.verb === 'HELO' || command?.verb === 'EHLO') {
      // RFC 2033 §4.1
      this.#badCommand(reply(500, '5.5.1', 'This is LMTP, say LHLO'));
    } else if (this.clientName === '' || (!this.trusted && this.user === null)) {
      // Another protocol's client, sent here by a browser perhaps (ALPACA): nothing it says is answered twice.
      this.#giveUp(reply(421, '4.7.0', 'Unknown command, this is LMTP'));
    } else {
      this.#badCommand(reply(500, '5.5.2', 'Unknown command'));
    }
  }

  // Work and its end.

  #settleLookups(): void {
    const lookups = this.#lookups;
    this.wait(
      Promise.all(lookups).then((answers) => {
        this.#lookups = [];
        for (const answer of answers) answer();
      }),
    );
  }

  /** Runs a part of a command; what it throws is its answer. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#answerFailure(thrown);
    }
  }

  #answerFailure(thrown: unknown): void {
    const error: MailError = asMailError(thrown);
    if (error.kind === 'syntax') this.#badCommand(failureReply(error, this.settings));
    else {
      if (error.kind === 'server') this.log.error('command failed', { error });
      this.say(failureReply(error, this.settings));
    }
  }

  #badCommand(answer: Reply): void {
    if (++this.#badCommands > limits.lmtp_bad_commands.value) {
      this.#giveUp(reply(421, '4.7.0', 'Too many bad commands'));
    } else this.say(answer);
  }

  /** Says why and closes; lookups in front of it are answered no more. */
  #giveUp(why: Reply): void {
    this.log.info('connection given up', { result: `${why.code} ${why.status}`, reason: why.text });
    this.#write(renderReply(why));
    this.close();
  }

  #write(text: string): void {
    if (this.connection.write(text) || this.#working > 0) return;
    // The peer does not read its answers: no more commands until it does, or its answers would fill memory.
    this.wait(this.connection.drain());
  }

  #watchIdle(): void {
    if (this.#ended) return;
    this.connection.setIdleTimeout(limits.lmtp_idle.value * 1000, () => this.#timeOut());
  }

  #timeOut(): void {
    // Our own work is not the peer's silence; `wait` sets the clock again.
    if (this.#ended || this.#working > 0) return;
    this.#giveUp(reply(421, '4.4.2', 'Timeout, closing'));
  }

  /** No stranger any more: the limits of those end here. */
  #admit(): void {
    if (this.#admitted) return;
    this.#admitted = true;
    this.connection.admit();
  }

  #end(): void {
    this.#ended = true;
    this.#dropInput();
    this.reset();
    this.#onEnd();
  }
}
