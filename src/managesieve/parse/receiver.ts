/**
 * Bytes of a connection in, whole commands out (RFC 5804 §1.2). The caller pulls: `push(chunk)`, then `next()` until it
 * returns undefined; between two calls it may say that a string comes next (AUTHENTICATE) or drop what is there.
 *
 * Invariants
 * 1. What is kept of an unfinished command is one line and the literals that the limits allow.
 * 2. A refused command is consumed to its end: exactly n octets of each of its literals are dropped and never read as
 *    commands. One that cannot be followed exactly is fatal.
 * 3. Each command gets one event.
 * 4. A line ends with LF; a CR before it is dropped. No other CR and no NUL is let through in a line.
 */

import { asMailError, type MailError, syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { ByteQueue } from '../../net/bytequeue.ts';
import { commandName, literalAt, readLine } from './lexer.ts';
import type { Argument, ReceiverEvent, ReceiverLimits } from './received.ts';

/** The longest announcement of a literal that is followed: a space, `{`, 20 digits, `+}`, and the CR before its LF. */
const TAIL = 25;

type State =
  | 'line' // the first or a further line of a command
  | 'literal' // `#wanted` bytes of a literal
  | 'discard' // `#wanted` bytes are dropped, then 'skip'
  | 'skip'; // the rest of a refused command's line is dropped

export class Receiver {
  /** May be replaced between two calls of `next`, as after a login. */
  limits: ReceiverLimits;
  readonly #bytes = new ByteQueue();
  #state: State = 'line';
  /** A string is expected instead of a command. */
  #bare = false;
  #wanted = 0;
  #tail = '';
  #name = '';
  #args: Argument[] = [];
  /** Literals of the command, and their bytes. */
  #literals = 0;
  #held = 0;
  /** In the middle of a command: its first line has been read. */
  #within = false;

  constructor(bounds: ReceiverLimits) {
    this.limits = bounds;
  }

  /** Bytes received and not yet consumed: stop reading from the socket while it is large. */
  get buffered(): number {
    return this.#bytes.length;
  }

  /** Adds bytes. The chunk belongs to the receiver from now on. */
  push(chunk: Uint8Array): void {
    this.#bytes.push(chunk);
  }

  /** The next line is a string of the client alone: a response of AUTHENTICATE (§2.1). Call it before `next()`. */
  expectString(): void {
    this.#bare = true;
  }

  /** Drops everything received and unread (STARTTLS, a security layer). */
  discard(): void {
    this.#bytes.drop(this.#bytes.length);
    this.#forget('line');
  }

  /** What the bytes so far amount to, or undefined when more are needed. */
  next(): ReceiverEvent | undefined {
    for (;;) {
      switch (this.#state) {
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
          this.#args.push({ kind: 'string', text: this.#bytes.takeText(this.#wanted) });
          this.#state = 'line';
          break;
        case 'line': {
          const length = this.#bytes.lineLength();
          const { line } = this.limits;
          if (length < 0 ? this.#bytes.length > line : length > line) return this.#tooLong();
          if (length < 0) return undefined;
          const event = this.#line(this.#bytes.takeLine(length));
          if (event !== undefined) return event;
        }
      }
    }
  }

  #line(text: string): ReceiverEvent | undefined {
    const first = !this.#within;
    // A stray line end is no command; of a response it is an empty one that some clients send for "".
    if (first && text === '' && !this.#bare) return undefined;
    try {
      if (/[\0\r]/.test(text)) throw syntaxError('A line must not hold NUL or a CR without LF');
      let at = 0;
      if (first && !this.#bare) {
        this.#name = commandName(text);
        if (this.#name === '') throw syntaxError('Expected a command');
        at = this.#name.length;
      }
      this.#within = true;
      // A response begins with its string; a further line of a command with the space behind a literal.
      const line = first && this.#bare ? readLine(` ${text}`, 0) : readLine(text, at);
      this.#args.push(...line.args);
      if (this.#args.length > limits.managesieve_literals.value) throw syntaxError('Too many arguments');
      if (line.literal >= 0) {
        this.#announced(line.literal);
        return undefined;
      }
      return this.#complete();
    } catch (thrown) {
      return this.#refuse(text, asMailError(thrown));
    }
  }

  #announced(octets: number): void {
    this.#literals++;
    this.#held += octets;
    const refused = this.#literals > limits.managesieve_literals.value
      ? syntaxError('Too many literals')
      : this.#bare && this.#held > limits.sasl_response.value
      ? syntaxError('The response is too long')
      : this.limits.literal(this.#held);
    if (refused !== undefined) throw refused;
    this.#wanted = octets;
    this.#state = 'literal';
  }

  #complete(): ReceiverEvent {
    const args = this.#args;
    const name = this.#name;
    const bare = this.#bare;
    this.#forget('line');
    if (!bare) return { type: 'command', command: { name, args } };
    const [only] = args;
    if (args.length > 1 || (only !== undefined && only.kind !== 'string')) {
      return { type: 'refused', name, error: syntaxError('Expected a string'), fatal: false };
    }
    return { type: 'string', text: only?.text ?? '' };
  }

  /** Gives up on the command whose current line is `text`. */
  #refuse(text: string, error: MailError): ReceiverEvent {
    const name = this.#name;
    const followed = this.#follow(text);
    const large = error.kind === 'limit' || this.limits.literal(this.#wanted) !== undefined;
    return { type: 'refused', name, error, fatal: !followed || (this.limits.fatal && large) };
  }

  #tooLong(): ReceiverEvent {
    const name = this.#name;
    const error = syntaxError(`A line has at most ${this.limits.line} bytes`);
    this.#forget('skip');
    return { type: 'refused', name, error, fatal: this.limits.fatal };
  }

  /** Drops the rest of a refused command's line. False when more bytes are needed. */
  #skip(): boolean {
    const length = this.#bytes.lineLength();
    const to = length < 0 ? this.#bytes.length : length;
    this.#tail = (this.#tail + this.#bytes.text(to - TAIL, to)).slice(-TAIL);
    this.#bytes.drop(length < 0 ? to : to + 1);
    if (length < 0) return false;
    // Behind a literal whose size is none, nothing is read any more.
    this.#follow(this.#tail.endsWith('\r') ? this.#tail.slice(0, -1) : this.#tail);
    return true;
  }

  /** Forgets the command and goes where its line's end leads. False when the size of its literal cannot be followed. */
  #follow(line: string): boolean {
    const octets = literalAt(line);
    if (octets < 0) {
      this.#forget('line');
      return true;
    }
    this.#forget('discard');
    this.#wanted = octets;
    return octets !== Infinity;
  }

  #forget(state: State): void {
    this.#state = state;
    this.#bare = false;
    this.#within = false;
    this.#wanted = 0;
    this.#tail = '';
    this.#name = '';
    this.#args = [];
    this.#literals = 0;
    this.#held = 0;
  }
}
