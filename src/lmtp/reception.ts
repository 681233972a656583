/**
 * One message on its way from the connection into the store.
 *
 * Invariants:
 * 1. Memory is bounded: only the header is held, up to `limits.lmtp_header`; everything else goes straight on.
 * 2. Bytes are passed through unchanged, unless `munge8bit` is on. In front go the trace lines, away go Return-Path fields of
 *    the header.
 * 3. After the first failure nothing more is written, the stage is given back, and the reply is kept for the end:
 *    the rest of the data must still be read (RFC 5321 §4.1.1.4, RFC 3030 §2).
 */

import { limits } from '../limits.ts';
import type { Stage, StagedMessage } from '../store/border.ts';
import { headerEnd, readHeader } from './header.ts';
import { type Reply, reply } from './write.ts';

export interface ReceptionOptions {
  /** Opens the place the message is written to; what it throws refuses the message. */
  readonly stage: () => Stage;
  /** Greatest size in bytes as sent (RFC 1870 §5), 0 for none. */
  readonly maxSize: number;
  readonly refuseBareLf: boolean;
  readonly refuseNul: boolean;
  readonly refuse8bitHeader: boolean;
  /** Puts X in the place of 8-bit characters in the header, as Cyrus does (`munge8bit`). */
  readonly munge8bitHeader: boolean;
  /** The lines in front; called once, when the header is known. */
  readonly trace: (addMessageId: boolean) => string;
  /** The reply for what the stage throws. */
  readonly failure: (thrown: unknown) => Reply;
}

const LF = 10;
const CR = 13;
const X = 88;
const EMPTY = Buffer.alloc(0);

export class Reception {
  readonly #options: ReceptionOptions;
  #refusal: Reply | null = null;
  #stage: Stage | null = null;
  /** Null once the header is written. */
  #header: Buffer | null = EMPTY;
  #headerLength = 0;
  #size = 0;
  #lastByte = 0;
  #peerQueueId = '';
  #error: unknown;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    try {
      this.#stage = options.stage();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** Octets received so far, without the lines in front. */
  get size(): number {
    return this.#size;
  }

  /** The client's own id of the message, from its Received field; '' if it has none. */
  get peerQueueId(): string {
    return this.#peerQueueId;
  }

  /** Why the message cannot be taken, as soon as that is known. */
  get refusal(): Reply | null {
    return this.#refusal;
  }

  /** What the store threw, for the log; undefined where the message itself is at fault. */
  get error(): unknown {
    return this.#error;
  }

  /** Takes the next bytes. Never throws; the buffer belongs to the reception from here on. */
  write(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#size += chunk.length;
    if (this.#refusal !== null) return;
    this.#check(chunk);
    if (this.#refusal !== null) return;
    if (this.#header === null) this.#store(chunk);
    else this.#takeHeader(chunk);
  }

  /** The whole message is here: makes it ready for delivery, or resolves to why not. */
  async finish(): Promise<StagedMessage | Reply> {
    if (this.#header !== null && this.#refusal === null) {
      this.#openMessage(this.#header.subarray(0, this.#headerLength));
    }
    const stage = this.#stage;
    if (this.#refusal !== null || stage === null) return this.#refusal ?? this.#options.failure(undefined);
    try {
      return await stage.finish();
    } catch (thrown) {
      this.#fail(thrown);
      return this.#options.failure(thrown);
    }
  }

  /** The transaction is over without a delivery. */
  abort(): void {
    this.#refuse(reply(451, '4.3.0', 'Transaction was given up'));
  }

  #refuse(why: Reply): void {
    if (this.#refusal !== null) return;
    this.#refusal = why;
    this.#header = null;
    this.#stage?.abort();
  }

  #fail(thrown: unknown): void {
    this.#error ??= thrown;
    this.#refuse(this.#options.failure(thrown));
  }

  /** What of the bytes themselves is refused by size or by option. */
  #check(chunk: Buffer): void {
    const { maxSize, refuseNul, refuseBareLf } = this.#options;
    if (maxSize > 0 && this.#size > maxSize) {
      this.#refuse(reply(552, '5.3.4', `Message is larger than ${maxSize} bytes`));
    } else if (refuseNul && chunk.includes(0)) {
      this.#refuse(reply(554, '5.6.0', 'Message contains NUL characters'));
    } else if (refuseBareLf) {
      if (hasBareLf(chunk, this.#lastByte)) {
        this.#refuse(reply(554, '5.6.0', 'Message contains bare newlines'));
      }
      this.#lastByte = chunk[chunk.length - 1] as number;
    }
  }

  #takeHeader(chunk: Buffer): void {
    const held = this.#headerLength;
    if (held === 0) {
      const end = headerEnd(chunk, chunk.length, 0);
      if (end >= 0) {
        this.#openMessage(chunk.subarray(0, end), chunk.subarray(end));
        return;
      }
    }
    this.#hold(chunk);
    const header = this.#header as Buffer;
    const end = headerEnd(header, this.#headerLength, held);
    if (end >= 0) this.#openMessage(header.subarray(0, end), header.subarray(end, this.#headerLength));
    else if (this.#headerLength > limits.lmtp_header.value) {
      // What is known so far decides; the rest of the header passes like body.
      const cut = header.lastIndexOf(LF, this.#headerLength - 1) + 1 || this.#headerLength;
      this.#openMessage(header.subarray(0, cut), header.subarray(cut, this.#headerLength));
    }
  }

  /** Appends to the held header; the buffer doubles, so that many small chunks cost no more than few large ones. */
  #hold(chunk: Buffer): void {
    const needed = this.#headerLength + chunk.length;
    let header = this.#header as Buffer;
    if (needed > header.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, header.length * 2, 4096));
      header.copy(larger, 0, 0, this.#headerLength);
      header = larger;
    }
    chunk.copy(header, this.#headerLength);
    this.#header = header;
    this.#headerLength = needed;
  }

  /** Writes the lines in front, the header without what must go, and what came behind it. */
  #openMessage(header: Buffer, rest: Buffer = EMPTY): void {
    this.#header = null;
    const facts = readHeader(header.toString('latin1'));
    this.#peerQueueId = facts.peerQueueId;
    // RFC 5321 §6.3
    if (facts.hops > limits.lmtp_hops.value) {
      this.#refuse(reply(554, '5.4.6', 'Too many hops, this looks like a mail loop'));
      return;
    }
    if (this.#options.refuse8bitHeader && facts.isHeader && facts.eightBit) {
      this.#refuse(reply(554, '5.6.0', 'Message contains non-ASCII characters in its header'));
      return;
    }
    const front = this.#options.trace(!facts.hasMessageId);
    this.#store(Buffer.from(facts.isHeader ? front : `${front}\r\n`, 'latin1'));
    if (this.#options.munge8bitHeader && facts.isHeader && facts.eightBit) munge(header);
    let from = 0;
    for (const [start, end] of facts.returnPaths) {
      this.#store(header.subarray(from, start));
      from = end;
    }
    this.#store(header.subarray(from));
    this.#store(rest);
  }

  #store(bytes: Buffer): void {
    if (bytes.length === 0 || this.#refusal !== null) return;
    try {
      this.#stage?.write(bytes);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }
}

/** X for every byte above 127. */
function munge(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at++) {
    if ((bytes[at] as number) > 127) bytes[at] = X;
  }
}

/** Whether a line feed comes without a carriage return; `before` is the byte in front of the chunk. */
export function hasBareLf(chunk: Buffer, before: number): boolean {
  if (chunk[0] === LF && before !== CR) return true;
  for (let at = chunk.indexOf(LF, 1); at > 0; at = chunk.indexOf(LF, at + 1)) {
    if (chunk[at - 1] !== CR) return true;
  }
  return false;
}
