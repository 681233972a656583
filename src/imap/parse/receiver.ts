/**
 * Bytes of a connection in, whole commands out. The receiver finds line ends and literals and nothing else; what the
 * lines mean is read by `parse.ts` once a command is complete.
 *
 * The caller pulls: `push(chunk)`, then `next()` until it returns undefined. Between two calls of `next` it may change
 * what comes next (`expectLine` after AUTHENTICATE and IDLE, `discardBuffered` for STARTTLS), so pipelined commands
 * wait here, unread, until the one before them is done.
 *
 * Invariants
 * 1. What is kept of an unfinished command never exceeds `limits.command`; the messages of an APPEND are not kept at all.
 * 2. A refused command is consumed to its end: exactly n bytes of each of its non-synchronizing literals are dropped and
 *    never read as commands (RFC 7888 §4). One that cannot be followed exactly is fatal.
 * 3. Each tag gets one `command` or one `refused` event, or the caller refused its message itself.
 * 4. A line ends with LF; a CR before it is dropped. No other CR and no NUL is let through in a line.
 */

import { asMailError, limitError, type MailError, syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { ByteQueue } from '../../net/bytequeue.ts';
import {
  type Literal,
  type LiteralPolicy,
  type MessageSink,
  PREAUTH_LIMITS,
  type ReceivedCommand,
  type ReceiverEvent,
  type ReceiverLimits,
} from './received.ts';

const CLOSE_BRACE = 0x7d;

/** tag = 1*<any ASTRING-CHAR except "+">, then the command's name (RFC 9051 §9). */
const COMMAND = /^([^\x00-\x20"%()*+\\{\x7f-\xff]+) ([^\x00-\x20"%()*\\{\]\x7f-\xff]+)(?=$| )/;
const TAG = /^[^\x00-\x20"%()*+\\{\x7f-\xff]+(?=$| )/;
const UID_NAME = /^ ([^\x00-\x20"%()*\\{\]\x7f-\xff]+)(?=$| )/;
const LITERAL = /(~?)\{([0-9]+)(\+?)\}$/;
const FORBIDDEN = /[\0\r]/;

/** The longest announcement of a literal that is followed: `{` 20 digits `+}`, and the CR before its LF. */
const TAIL = 24;

/** The lines and literals of a command that has none yet: one for all connections, never written to. */
const NONE: never[] = [];

type State =
  | 'line' // the first or a further line of a command
  | 'literal' // `#wanted` bytes of a literal
  | 'decide' // the caller decides about a message
  | 'stream' // `#wanted` bytes of a message go to the sink
  | 'discard' // `#wanted` bytes are dropped, then 'skip'
  | 'skip' // the rest of a refused command's line is dropped
  | 'raw'; // a line that is no command

/** The receiver of one connection. */
export class Receiver {
  /** May be replaced between two calls of `next`, as after login. */
  limits: ReceiverLimits = PREAUTH_LIMITS;
  readonly #policy: LiteralPolicy | undefined;

  readonly #bytes = new ByteQueue();
  #state: State = 'line';
  #wanted = 0;
  #rawLimit = 0;
  #tail = '';
  #sink: MessageSink | undefined;
  #sync = false;

  #tag = '';
  #name = '';
  #argumentsAt = 0;
  #lines: string[] = NONE;
  #literals: Literal[] = NONE;
  #lineBytes = 0;
  #literalBytes = 0;

  constructor(policy?: LiteralPolicy) {
    this.#policy = policy;
  }

  /** Bytes received and not yet consumed: stop reading from the socket while it is large. */
  get buffered(): number {
    return this.#bytes.length;
  }

  /** Between two commands: nothing of a command has been taken in, and no line is expected. */
  get idle(): boolean {
    return this.#state === 'line' && this.#lines.length === 0 && this.#bytes.length === 0;
  }

  /** Adds bytes. The chunk belongs to the receiver from now on. */
  push(chunk: Uint8Array): void {
    this.#bytes.push(chunk);
  }

  /** What the bytes so far amount to, or undefined when more are needed or a decision is. */
  next(): ReceiverEvent | undefined {
    while (true) {
      switch (this.#state) {
        case 'decide':
          return undefined;
        case 'stream': {
          const failed = this.#stream();
          if (failed !== undefined) return failed;
          if (this.#wanted > 0) return undefined;
          this.#state = 'line';
          break;
        }
        case 'discard': {
          const dropped = Math.min(this.#wanted, this.#bytes.length);
          this.#bytes.drop(dropped);
          this.#wanted -= dropped;
          if (this.#wanted > 0) return undefined;
          this.#state = 'skip';
          break;
        }
        case 'skip':
          if (!this.#skip()) return undefined;
          break;
        case 'literal':
          if (this.#bytes.length < this.#wanted) return undefined;
          this.#takeLiteral();
          break;
        case 'raw':
        case 'line': {
          const raw = this.#state === 'raw';
          const length = this.#bytes.lineLength();
          const limit = raw ? this.#rawLimit : this.limits.line;
          if (length < 0 ? this.#bytes.length > limit + 1 : length > limit) return this.#tooLong(limit);
          if (length < 0) return undefined;
          const text = this.#bytes.takeLine(length);
          if (raw) {
            this.#state = 'line';
            return { type: 'line', text };
          }
          const event = this.#line(text);
          if (event !== undefined) return event;
        }
      }
    }
  }

  /**
   * The next line is no command but an answer of the client, of at most `limit` bytes: base64 of AUTHENTICATE, DONE of
   * IDLE. Call it before the next `next()`.
   */
  expectLine(limit: number): void {
    this.#state = 'raw';
    this.#rawLimit = limit;
  }

  /** Lets the announced message through to `sink`. The caller sends the continuation request where `sync` was set. */
  acceptMessage(sink: MessageSink): void {
    if (this.#state !== 'decide') return;
    this.#sink = sink;
    this.#state = 'stream';
  }

  /** Turns the announced message down; the caller answers the tag. A message the client sends all the same is dropped. */
  refuseMessage(): void {
    if (this.#state !== 'decide') return;
    if (this.#sync) this.#forget('line');
    else this.#forget('discard');
  }

  /** Drops everything received and unread, as STARTTLS requires (RFC 9051 §6.2.1); returns how many bytes. */
  discardBuffered(): number {
    const dropped = this.#bytes.length;
    this.#bytes.drop(dropped);
    this.#forget('line');
    return dropped;
  }

  /** A line of a command is complete. */
  #line(text: string): ReceiverEvent | undefined {
    const first = this.#lines.length === 0;
    if (first && text === '') return undefined; // iOS sends CRLF before a tag
    if (first) {
      const refused = this.#begin(text);
      if (refused !== undefined) return refused;
    }
    if (FORBIDDEN.test(text)) {
      return this.#refuse(text, syntaxError('a command line must not hold NUL or a CR without LF'));
    }
    this.#lineBytes += text.length;
    if (this.#lineBytes + this.#literalBytes > this.limits.command) {
      return this.#refuse(
        text,
        limitError(`a command may hold at most ${this.limits.command} bytes`, 'toobig'),
      );
    }
    const announced = text.charCodeAt(text.length - 1) === CLOSE_BRACE ? LITERAL.exec(text) : null;
    if (this.#lines === NONE) this.#lines = [text];
    else this.#lines.push(text);
    if (announced !== null) return this.#announced(text, announced);
    const command = this.#received();
    this.#forget('line');
    return { type: 'command', command };
  }

  /** Reads tag and name of a command's first line. */
  #begin(text: string): ReceiverEvent | undefined {
    const match = COMMAND.exec(text);
    if (match === null) {
      this.#tag = TAG.exec(text)?.[0] ?? '';
      const error = this.#tag === ''
        ? syntaxError('a command begins with a tag of printable characters, a space and its name')
        : syntaxError('a command name must follow the tag after one space');
      return this.#refuse(text, error);
    }
    const tag = match[1] as string;
    this.#tag = tag;
    if (tag.length > limits.imap_tag.value) {
      return this.#refuse(text, syntaxError(`a tag may have at most ${limits.imap_tag.value} characters`));
    }
    this.#name = (match[2] as string).toUpperCase();
    this.#argumentsAt = match[0].length;
    if (this.#name === 'UID') {
      const second = UID_NAME.exec(text.slice(this.#argumentsAt));
      if (second !== null) {
        this.#name = `UID ${(second[1] as string).toUpperCase()}`;
        this.#argumentsAt += second[0].length;
      }
    }
    return undefined;
  }

  /** A line ends in the announcement of a literal: `match` is flag, digits and plus. */
  #announced(text: string, match: RegExpExecArray): ReceiverEvent | undefined {
    const binary = match[1] === '~';
    const sync = match[3] === '';
    const size = Number(match[2]);
    if (!Number.isSafeInteger(size)) {
      return this.#refuse(text, limitError('a literal of this size is not possible', 'toobig'));
    }
    if (this.#name === 'APPEND' && !(this.#literals.length === 0 && match.index === this.#argumentsAt + 1)) {
      // The first argument is the mailbox; any other literal of APPEND is a message.
      const further = this.#literals.at(-1)?.streamed === true;
      const literal: Literal = { text: '', size, binary, streamed: true };
      this.#addLiteral(literal);
      this.#wanted = size;
      this.#sync = sync;
      this.#state = 'decide';
      const command: ReceivedCommand = further
        ? { tag: this.#tag, name: this.#name, argumentsAt: 0, lines: [text, ''], literals: [literal] }
        : this.#received(['']);
      return { type: 'message', command, size, sync, further };
    }
    const { literal, literals } = this.limits;
    const refused = this.#literals.length >= literals
      ? limitError(`a command may hold at most ${literals} literals`, 'toobig')
      : this.#literalBytes + size > literal
      ? limitError(`the literals of a command may hold at most ${literal} bytes`, 'toobig')
      : this.#policy?.(this.#name, size, sync);
    if (refused !== undefined) return this.#refuse(text, refused);
    this.#literalBytes += size;
    this.#addLiteral({ text: '', size, binary, streamed: false });
    this.#wanted = size;
    this.#state = 'literal';
    return sync ? { type: 'continue' } : undefined;
  }

  #addLiteral(literal: Literal): void {
    if (this.#literals === NONE) this.#literals = [literal];
    else this.#literals.push(literal);
  }

  #takeLiteral(): void {
    const last = this.#literals.length - 1;
    const text = this.#bytes.takeText(this.#wanted);
    this.#literals[last] = { ...this.#literals[last] as Literal, text };
    this.#wanted = 0;
    this.#state = 'line';
  }

  /** Hands what there is of a message to the sink; an event when the sink refused it. */
  #stream(): ReceiverEvent | undefined {
    const length = Math.min(this.#wanted, this.#bytes.length);
    if (length === 0) return undefined;
    const bytes = this.#bytes.takeView(length);
    this.#wanted -= length;
    try {
      this.#sink?.write(bytes);
    } catch (thrown) {
      // The client is sending by now, asked or not: the rest is dropped to stay in step.
      const event: ReceiverEvent = {
        type: 'refused',
        tag: this.#tag,
        error: asMailError(thrown),
        fatal: false,
      };
      this.#forget('discard');
      return event;
    }
    return undefined;
  }

  /** Gives up on the command whose current line is `text`, complete. */
  #refuse(text: string, error: MailError): ReceiverEvent {
    const tag = this.#tag !== '' && this.#tag.length <= limits.imap_tag.value ? this.#tag : null;
    const fatal = !this.#follow(text);
    return { type: 'refused', tag, error, fatal };
  }

  /** A line beyond its limit; its end may not have come yet. */
  #tooLong(limit: number): ReceiverEvent {
    const head = this.#bytes.text(0, limits.imap_tag.value + 1);
    const tag = this.#state === 'raw'
      ? null
      : this.#lines.length > 0
      ? this.#tag
      : TAG.exec(head)?.[0] ?? null;
    const error = syntaxError(`a line may hold at most ${limit} bytes`, 'toobig');
    const event: ReceiverEvent = {
      type: 'refused',
      tag: tag !== null && tag.length <= limits.imap_tag.value ? tag : null,
      error,
      fatal: this.limits.fatal || this.#state === 'raw',
    };
    this.#forget('skip');
    return event;
  }

  /** Drops the rest of a refused command's line. False when more bytes are needed. */
  #skip(): boolean {
    const length = this.#bytes.lineLength();
    const to = length < 0 ? this.#bytes.length : length;
    this.#tail = (this.#tail + this.#bytes.text(to - TAIL, to)).slice(-TAIL);
    this.#bytes.drop(length < 0 ? to : to + 1);
    if (length < 0) return false;
    this.#follow(this.#tail.endsWith('\r') ? this.#tail.slice(0, -1) : this.#tail);
    return true;
  }

  /**
   * Forgets the command and goes where its line's end leads: over a non-synchronizing literal, or to the next command.
   * The client does not send a synchronizing literal once the tag is answered. False when the size cannot be followed.
   */
  #follow(line: string): boolean {
    const announced = LITERAL.exec(line);
    if (announced === null || announced[3] === '') {
      this.#forget('line');
      return true;
    }
    this.#wanted = Number(announced[2]);
    this.#forget('discard');
    return Number.isSafeInteger(this.#wanted);
  }

  #received(further: readonly string[] = []): ReceivedCommand {
    return {
      tag: this.#tag,
      name: this.#name,
      argumentsAt: this.#argumentsAt,
      lines: further.length === 0 ? this.#lines : [...this.#lines, ...further],
      literals: further.length === 0 ? this.#literals : [...this.#literals],
    };
  }

  #forget(state: State): void {
    this.#state = state;
    this.#tag = '';
    this.#name = '';
    this.#tail = '';
    this.#lines = NONE;
    this.#literals = NONE;
    this.#lineBytes = 0;
    this.#literalBytes = 0;
    this.#sink = undefined;
  }
}
