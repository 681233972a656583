/**
 * From bytes to commands to answers: pulls one command after the other out of the receiver, runs it and answers
 * its tag.
 *
 * Invariants
 * 1. One command runs at a time. What the client sends meanwhile waits unparsed; beyond `HIGH_WATER` the connection
 *    is paused, so a client that pipelines without reading answers costs a bounded amount of memory.
 * 2. Each tag is answered exactly once, after the untagged data that belongs to its command.
 * 3. Of what the client sent only the tag is ever repeated, and only if it is one (ALPACA).
 * 4. When the connection ends, a waiting line is answered with null, a message in progress is thrown away, and the
 *    session is disposed of; a command in progress notices at its next slice.
 */

import { asMailError, MailError, syntaxError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { CloseReason, ConnectionUser } from '../net/connection.ts';
import type { Roster } from '../net/roster.ts';
import { PendingAppend } from './commands/append.ts';
import { checkState, run } from './commands/table.ts';
import { parseFurtherMessage } from './parse/append.ts';
import type { AnnouncedMessage, Command } from './parse/command.ts';
import { isCommandName, parseCommand } from './parse/parse.ts';
import { AUTHENTICATED_LIMITS, type ReceivedCommand, type ReceiverEvent } from './parse/received.ts';
import { Receiver } from './parse/receiver.ts';
import { refusal, renderRefusal } from './respond.ts';
import { type ClientInput, COMPLETED, type Completion, type Session } from './session.ts';
import { mayAnnounceExpunges } from './view.ts';

/** Bytes that may wait behind a running command before the connection is paused. */
const HIGH_WATER = 64 * 1024;

/** First words of other protocols: a browser or a mail server that was led here (ALPACA, cross-protocol requests). */
const FOREIGN =
  /^(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|PATCH|TRACE|PROPFIND|EHLO|HELO|LHLO|MAIL|RCPT|DATA|USER|PASS)$/i;

/** Drives one session. Construct it, then `start`. */
export class CommandLoop implements ClientInput, ConnectionUser {
  readonly #session: Session;
  /** Undefined in IDLE, as long as nothing comes. */
  #reading: Receiver | undefined = new Receiver();
  /** Longest line that could end IDLE. */
  #idleLine = 0;
  #running = false;
  /** A command has begun and is not complete. */
  #within = false;
  #paused = false;
  #bad = 0;
  #line: ((answer: string | MailError | null) => void) | undefined;
  /** The APPEND whose messages are coming in. */
  #append: PendingAppend | undefined;
  /** Called when no command runs any more; none begins while it is set. */
  #whenIdle: (() => void) | undefined;
  /** Its place among those that stand. */
  standsAt = -1;
  readonly #loops: Roster<'standsAt', CommandLoop>;

  /** @param loops those that stand: this one from its start on until the connection is over */
  constructor(session: Session, loops: Roster<'standsAt', CommandLoop>) {
    this.#session = session;
    this.#loops = loops;
    session.input = this;
  }

  /** Greets and begins to listen (RFC 9051 §7.1.1). */
  start(): void {
    this.#loops.add(this);
    this.#session.connection.serveBy(this);
    const { servername, serverinfo } = this.#session.settings;
    const name = serverinfo === 'off' ? '' : `${servername} `;
    const product = serverinfo === 'on' ? `mailstore ${this.#session.deps.version} ` : '';
    this.#session.untagged(
      `OK [CAPABILITY ${this.#session.capabilities()}] ${name}${product}server ready`,
    );
  }

  // ClientInput

  line(limit: number): Promise<string | null> {
    if (this.#session.closed) return Promise.resolve(null);
    this.#receiver.expectLine(limit);
    return new Promise((resolve, reject) => {
      this.#line = (answer) => answer instanceof MailError ? reject(answer) : resolve(answer);
      this.#takeLine();
    });
  }

  lineEndsIdling(limit: number): void {
    this.#idleLine = limit;
    this.#receiver.expectLine(limit);
  }

  discard(): void {
    this.#receiver.discardBuffered();
  }

  authenticated(): void {
    this.#receiver.limits = AUTHENTICATED_LIMITS;
    this.#session.connection.admit();
    this.#wait(false);
  }

  /** The server stops: what runs is finished, IDLE is ended, then BYE. */
  async shutdown(): Promise<void> {
    const session = this.#session;
    if (this.#running && this.#line === undefined) {
      await new Promise<void>((resolve) => this.#whenIdle = resolve);
    }
    session.bye('Server shutting down', 'UNAVAILABLE');
  }

  get #receiver(): Receiver {
    if (this.#reading === undefined) {
      this.#reading = new Receiver();
      this.#reading.limits = AUTHENTICATED_LIMITS;
      this.#reading.expectLine(this.#idleLine);
    }
    return this.#reading;
  }

  // ConnectionUser

  received(chunk: Uint8Array): void {
    if (this.#session.closed) return;
    this.#receiver.push(chunk);
    if (this.#line !== undefined) this.#takeLine();
    else if (!this.#running) void this.#run();
    else if (this.#receiver.buffered > HIGH_WATER && !this.#paused) {
      this.#paused = true;
      this.#session.connection.pause();
    }
  }

  ended(reason: CloseReason): void {
    this.#abandonAppend();
    const session = this.#session;
    session.dispose();
    const line = this.#line;
    this.#line = undefined;
    line?.(null);
    if (session.deps.log.enabled('debug')) session.log.debug('connection closed', { reason });
    this.#loops.delete(this);
  }

  silent(): void {
    const { idling } = this.#session;
    if (idling === undefined) this.#session.bye('Autologout; idle for too long');
    else idling.silent();
  }

  /** Gives the line that was asked for to whoever asked, if it is there. */
  #takeLine(): void {
    const event = this.#receiver.next();
    if (event === undefined) {
      this.#listen();
      return;
    }
    const line = this.#line;
    this.#line = undefined;
    if (event.type === 'line') {
      line?.(event.text);
      return;
    }
    // The receiver drops the rest of the line; the command that wanted it fails.
    line?.(event.type === 'refused' ? event.error : null);
  }

  /** How long the client may be silent: shorter in the middle of a command. Before login the connection itself counts. */
  #wait(within: boolean): void {
    this.#within = within;
    const seconds = within ? limits.imap_command_idle.value : this.#session.settings.timeout;
    this.#session.connection.setIdleTimeout(seconds * 1000);
  }

  /** Nothing more can be done with what is there. True if bytes that waited may have come in by being asked for. */
  #listen(): boolean {
    const session = this.#session;
    // In IDLE another clock runs, see commands/idle.ts.
    if (session.idling !== undefined) {
      if (this.#receiver.buffered === 0) this.#reading = undefined;
      return this.#goOn();
    }
    const within = !this.#receiver.idle && this.#line === undefined;
    if (within !== this.#within && session.authenticated) this.#wait(within);
    return this.#goOn();
  }

  /** Reads on where too much waited. */
  #goOn(): boolean {
    if (!this.#paused) return false;
    this.#paused = false;
    this.#session.connection.resume();
    return true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    const session = this.#session;
    session.beginTurn();
    try {
      while (!session.closed && this.#whenIdle === undefined) {
        const event = this.#receiver.next();
        if (event === undefined) {
          if (this.#listen()) continue;
          break;
        }
        await this.#handle(event);
        if (session.due) await session.breathe();
      }
    } catch (thrown) {
      // Everything a command can throw is answered in #execute: this is a bug of ours.
      session.log.error('session failed', { error: thrown instanceof Error ? thrown : String(thrown) });
      session.bye('Internal server error', 'SERVERBUG');
    } finally {
      this.#running = false;
      this.#whenIdle?.();
      this.#whenIdle = undefined;
    }
  }

  #handle(event: ReceiverEvent): Promise<void> | void {
    switch (event.type) {
      case 'continue':
        this.#session.write('+ go ahead\r\n');
        return;
      case 'message':
        return this.#message(event.command, event.sync, event.further);
      case 'command':
        return this.#execute(event.command);
      case 'refused':
        this.#abandonAppend();
        if (this.#session.idling !== undefined) return this.#endIdling(event.error);
        this.#refuse(event.tag, event.error, null);
        if (event.fatal) this.#session.bye('The command cannot be followed');
        return;
      case 'line':
        return this.#endIdling(event.text);
    }
  }

  /** The line that ends IDLE came, or one that cannot. */
  async #endIdling(line: string | MailError): Promise<void> {
    const session = this.#session;
    const { idling } = session;
    if (idling === undefined) return;
    // From here on nothing is told by itself, and the client may be silent as before.
    session.idling = undefined;
    await idling.settled();
    this.#wait(false);
    try {
      if (typeof line !== 'string') throw line;
      if (line.toUpperCase() !== 'DONE') throw syntaxError('expected DONE');
      await this.#announce(true);
      this.#complete(idling.tag, 'IDLE', COMPLETED);
    } catch (thrown) {
      await this.#announce(true);
      this.#refuse(idling.tag, thrown, 'IDLE');
    }
  }

  /** An APPEND up to one of its messages: is it welcome? */
  async #message(received: ReceivedCommand, sync: boolean, further: boolean): Promise<void> {
    const session = this.#session;
    try {
      const announced = further ? parseFurtherMessage(received, session.mode) : this.#beginAppend(received);
      const stage = await this.#append?.next(announced, sync);
      // The connection may have ended meanwhile.
      if (stage === undefined || session.closed) return;
      this.#receiver.acceptMessage(stage);
      if (sync) session.write('+ go ahead\r\n');
    } catch (thrown) {
      this.#abandonAppend();
      this.#receiver.refuseMessage();
      await this.#announce(true);
      this.#refuse(received.tag, thrown, received.name);
    }
  }

  /** An APPEND up to its first message. */
  #beginAppend(received: ReceivedCommand): AnnouncedMessage {
    const command = parseCommand(received, this.#session.mode);
    const announced = command.name === 'APPEND' ? command.messages[0] : undefined;
    if (command.name !== 'APPEND' || announced === undefined) {
      throw syntaxError('a message belongs to APPEND');
    }
    checkState(this.#session, 'authenticated');
    this.#append = new PendingAppend(this.#session, command);
    return announced;
  }

  /** Nothing of an APPEND that is coming in is kept. */
  #abandonAppend(): void {
    this.#append?.abort();
    this.#append = undefined;
  }

  /** Runs a complete command and answers its tag. */
  async #execute(received: ReceivedCommand): Promise<void> {
    const session = this.#session;
    const { tag } = received;
    const append = this.#append;
    this.#append = undefined;
    let command: Command | undefined;
    let completion: Completion | null;
    try {
      command = parseCommand(received, session.mode);
      if (command.name === 'APPEND' && append !== undefined) {
        completion = await append.finish();
      } else {
        // Nothing is awaited that need not be: each await is a turn of the queue, and a NOOP would be half of them.
        const settling = session.selected?.settled();
        if (settling !== undefined) await settling;
        const running = run(session, command, tag);
        completion = running instanceof Promise ? await running : running;
      }
    } catch (thrown) {
      append?.abort();
      // What could not be read may have been a FETCH.
      await this.#announce(command !== undefined && mayTell(command));
      this.#refuse(tag, thrown, received.name);
      return;
    }
    this.#bad = 0;
    if (completion === null) return;
    const announcing = this.#announce(mayTell(command), command.name === 'APPEND');
    if (announcing !== undefined) await announcing;
    this.#complete(tag, command.name, completion);
  }

  /** Answers the tag of a command that went well, behind what is to be told. */
  #complete(tag: string, name: string, completion: Completion): void {
    const session = this.#session;
    // BYE was said: it is the last line.
    if (session.closed) return;
    const { code = this.#expungeIssued(), text = 'Completed' } = completion;
    session.write(`${tag} OK ${code === undefined ? '' : `[${code}] `}${text}\r\n`);
    if (completion.layer !== undefined) {
      // What came in before the client could know of the layer is nobody's.
      this.#receiver.discardBuffered();
      session.connection.protect(completion.layer);
    }
    if (name === 'LOGOUT') {
      session.leaving = true;
      session.connection.end();
    }
  }

  /** Tells the client what changed in the selected mailbox; undefined where that is done at once. */
  #announce(expunges: boolean, hasten = false): Promise<void> | undefined {
    const session = this.#session;
    if (session.selected === null || session.closed) return undefined;
    return session.selected.announce(session, expunges, hasten);
  }

  /** RFC 9051 §7.1: messages this command could not tell of are gone; SEARCH for one leaves it out (RFC 2180 §4.3). */
  #expungeIssued(): string | undefined {
    return this.#session.selected?.view.gone.isEmpty === false ? 'EXPUNGEISSUED' : undefined;
  }

  #refuse(tag: string | null, thrown: unknown, name: string | null): void {
    const session = this.#session;
    if (session.closed) return;
    const error = asMailError(thrown);
    if (error.kind === 'server') {
      session.log.error('command failed', { command: name ?? '-', code: error.code, error });
    }
    const refused = refusal(error);
    // A tag that would be markup to a browser is not repeated, correct as it may be.
    const shown = tag === null || (!session.authenticated && /[<>]/.test(tag)) ? '*' : tag;
    session.write(`${shown} ${renderRefusal(refused)}\r\n`);
    if (refused.word !== 'BAD') return;
    this.#bad++;
    const foreign = !session.authenticated &&
      (name === null || !isCommandName(name) || (tag !== null && FOREIGN.test(tag)));
    if (foreign || this.#bad >= limits.imap_bad_commands.value) {
      session.log.info('too many bad commands', {
        count: this.#bad,
        remote: session.connection.remoteAddress,
      });
      session.bye('Too many invalid commands');
    }
  }
}

function mayTell(command: Command): boolean {
  return mayAnnounceExpunges(command.name, 'uid' in command && command.uid);
}
