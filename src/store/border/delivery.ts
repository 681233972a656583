/** Messages on their way in: received, delivered, and what is remembered of them. */
import type { MailError } from '../../errors.ts';
import type { Identity, MailboxName } from './name.ts';

/** A message being received: bytes are written in order, then finished or thrown away. */
export interface Stage {
  /** Appends bytes. Throws MailError 'toobig' beyond the limit given to `stage()`, 'unavailable' on a disk failure. */
  write(chunk: Uint8Array): void;
  readonly size: number;
  /** Computes structure and hash and makes a large body durable. The stage is used up. */
  finish(): Promise<StagedMessage>;
  /** Forgets it; harmless after finish or twice. */
  abort(): void;
}

/** A complete message, not in any mailbox yet. Valid until used in one change or aborted. */
export interface StagedMessage {
  readonly size: number;
  readonly messageId: string | null;
  /** Its Date field in seconds since 1970; null where there is none that can be read. */
  readonly sentDate: number | null;
  /** Header fields of the message, latin1, with the final empty line. */
  readonly header: string;
  /** Bytes of memory it takes until it is used: what describes it, and the body unless that is on disk. */
  readonly held: number;
  /** The whole message; a large one is mapped, not read. To be asked for before the message is used or aborted. */
  bytes(): Uint8Array;
  abort(): void;
}

/** A recipient that exists and may be delivered to. */
export interface DeliveryTarget {
  readonly name: MailboxName;
  /** The userid the envelope address stands for. */
  readonly userid: string;
  /** Hash of the userid's active Sieve script (`Store.scriptByHash`); null where there is none. */
  readonly script: string | null;
}

export interface DeliveryRequest {
  /** Canonical userid of the recipient, from names.ts. */
  readonly userid: string;
  /** The part behind '+', or null. Its folder is used if the poster has the `p` right, otherwise the INBOX. */
  readonly detail: string | null;
  /** Who posts: null is an anonymous poster (ordinary LMTP); an authenticated user otherwise. */
  readonly poster: Identity | null;
  /** Refuse with 'overquota' now if `size` bytes more do not fit (IGNOREQUOTA passes null). */
  readonly size: number | null;
}

/** One mailbox a delivery puts its message into. */
export interface Placement {
  readonly mailbox: MailboxName;
  /**
   * As a client names them. Those the script's owner has no right to give are left out, and so are keywords that are no atoms or
   * for which the mailbox has no room: no mail is lost for a flag.
   */
  readonly flags?: readonly string[];
  /**
   * As mail to its address comes in: with the poster's `p`, else into the INBOX, which needs no right. Else the script's
   * owner needs `i` on it, and one that may not be looked up does not exist.
   */
  readonly byAddress?: boolean;
  /** Made if it is not there, as CREATE would. */
  readonly create?: boolean;
  /** Into the recipient's INBOX where it cannot be put there: no such mailbox, no right, no name for one. */
  readonly orInbox?: boolean;
  /** The mailbox with this special use, where there is one (RFC 8579); one that is made gets it. */
  readonly specialUse?: string;
  /** The mailbox with this object id of the same owner, where there is one (RFC 9042). */
  readonly mailboxid?: string;
  /**
   * It comes there later, and is in the recipient's mailbox for what sleeps until then (special use \Snoozed), which is made where
   * there is none. Where it cannot be there, or the other is no mailbox of the recipient's, it comes at once.
   */
  readonly snooze?: Snooze;
}

/** When a message wakes, and what its flags are then. */
export interface Snooze {
  /** Unix time. */
  readonly until: number;
  /** First those in `removeFlags` go. As with `flags`, those that cannot be given are left out. */
  readonly addFlags: readonly string[];
  readonly removeFlags: readonly string[];
}

/** Something that must not be done twice before `until` (unix time), told apart by kind and key. */
export interface Mark {
  readonly kind: string;
  readonly key: string;
  readonly until: number;
  /** It must not be there yet: else everything of its delivery is refused with 'alreadyexists'. */
  readonly fresh?: boolean;
}

/** A message for one recipient. */
export interface Delivery {
  readonly target: DeliveryTarget;
  /** Recipients may share one, or have messages of their own. */
  readonly message: StagedMessage;
  /** Where it goes; undefined where the address says so. None: it is not kept. */
  readonly placements?: readonly Placement[];
  /** Set with the placements, all or nothing. */
  readonly marks?: readonly Mark[];
  /** Whose rights the placements need: undefined is the recipient's, without any group. */
  readonly by?: Identity;
}

/** Where one placement put its message. */
export interface Placed {
  readonly mailbox: MailboxName;
  readonly mailboxid: string;
  /** Null where the mailbox had the message before (`duplicatesuppression`). */
  readonly uid: number | null;
  readonly uidvalidity: number;
}

export interface DeliveryResult {
  readonly target: DeliveryTarget;
  /** Set if it was delivered where the address says. */
  readonly uid?: number;
  readonly uidvalidity?: number;
  /** Of a delivery with placements: where each of them put it, in their order. */
  readonly placed?: readonly Placed[];
  /** Of a delivery that failed for one of its placements: its number. */
  readonly failed?: number;
  /** Set if not: what to tell the sender for this recipient. */
  readonly error?: MailError;
}
