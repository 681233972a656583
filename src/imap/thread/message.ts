/** What THREAD asks of a message, and what it makes of many (RFC 5256 §3). */

/** One message to be threaded. */
export interface ThreadMessage {
  readonly uid: number;
  /** Unix seconds, UTC (RFC 5256 §2.2). */
  readonly sent: number;
  /** The base subject as `sortText` makes it. */
  readonly subject: string;
  /** The subject is that of a reply or forward. */
  readonly reply: boolean;
}

/** The same with its message ids, normalized by `normalizeId`. */
export interface ReferringMessage extends ThreadMessage {
  readonly id: string | null;
  /** Oldest first. */
  readonly references: readonly string[];
}

/** A message with its answers; `uid` 0 is a parent that is not among the messages found, only at the top of a thread. */
export interface ThreadNode {
  readonly uid: number;
  readonly children: readonly ThreadNode[];
}
