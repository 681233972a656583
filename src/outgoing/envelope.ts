/** A message on its way out: who it is from, who it is for, its bytes, and what became of it. */

/** What a sender may ask of reports about one recipient (RFC 3461 §4.1): `NEVER`, or some of the others. */
export type DsnNotify = readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[];

export interface OutgoingRecipient {
  /** Without brackets, as RFC 5321 writes it; Unicode. */
  readonly address: string;
  readonly notify?: DsnNotify;
  /** Type and address the recipient was named by first, `rfc822;user@example.org` (RFC 3461 §4.2). */
  readonly originalRecipient?: string;
}

/** RFC 2852 §4: seconds from now, negative once the time has passed with `notify`. */
export interface DeliverBy {
  readonly seconds: number;
  readonly mode: 'return' | 'notify';
  readonly trace: boolean;
}

export interface Envelope {
  /** Without brackets, '' for the null path; Unicode. */
  readonly sender: string;
  readonly recipients: readonly OutgoingRecipient[];
  /** What reports return of the message (RFC 3461 §4.3). */
  readonly ret?: 'FULL' | 'HDRS';
  /** RFC 3461 §4.4 */
  readonly envid?: string;
  readonly deliverBy?: DeliverBy;
}

export interface OutgoingMessage {
  /** Octets, for SIZE and BDAT. */
  readonly size: number;
  /** Holds bytes above 127. */
  readonly eightBit: boolean;
  /** Its header needs SMTPUTF8 (RFC 6531 §3.1). */
  readonly smtputf8: boolean;
  /** The bytes in order, `size` of them, as often as asked for. A piece is the receiver's until it asks for the next. */
  chunks(): Iterable<Uint8Array>;
}

/** A message that lies in memory. */
export function messageOf(bytes: Uint8Array): OutgoingMessage {
  return {
    size: bytes.length,
    eightBit: bytes.some((byte) => byte > 127),
    smtputf8: false,
    chunks: () => [bytes],
  };
}

/** What became of a message for one recipient. */
export interface Outcome {
  readonly address: string;
  readonly kind: 'sent' | 'temporary' | 'permanent';
  /** RFC 3463 */
  readonly status: string;
  /** What the server said, or why it could not be asked; for the log. */
  readonly text: string;
  /** Sent through a server that does not know until when it is to be delivered (RFC 2852 §4.1.4.2). */
  readonly untimed?: true;
}

/** Hands messages over to an MTA. */
export interface Mailer {
  /**
   * Resolves to one outcome per recipient, in their order, when the MTA has taken the message or not. Never throws.
   * @param seconds how long it may take at most; `limits.outgoing_transaction` where it is not given
   */
  send(envelope: Envelope, message: OutgoingMessage, seconds?: number): Promise<Outcome[]>;
}
