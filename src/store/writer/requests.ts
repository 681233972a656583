/** What workers and tools may ask of the writer. Everything is checked again there: rights, names, quota. */
import type { AclEntry, Identity, MailboxName, Mark, Snooze, StoreOperation } from '../border.ts';

/** A message on its way into a mailbox. Its structure is a blob of the request; the body is the next one or a stage file. */
export interface MessageData {
  hash: string;
  size: number;
  headerSize: number;
  envelope: string;
  bodystructure: string;
  messageId: string | null;
  sentDate: number | null;
  /** What THREAD compares (mime/thread.ts); null where nobody computed it, as in a backup of an older program. */
  thread?: string | null;
  /** Absolute path of the durable stage file, or null when the blob behind the structure is the body. */
  stage: string | null;
}

/** A message file found in the spool. */
export interface AdoptedMessage extends MessageData {
  partition: string;
  file: string;
  internaldate: number;
}

/** A saved message. Its structure is a blob, the body the next one or a stage file. Times are unix seconds. */
export interface RestoredMessage {
  data: MessageData;
  flags: string[];
  internaldate: number;
}

export interface DeliveryAddress {
  userid: string;
  /** Wanted mailbox; '' is the INBOX. */
  path: string;
  poster: Identity | null;
  /** Which of the change's messages; the first where it is not said. */
  message?: number;
  /** Where it goes instead, all of it or nothing. None are places, too: the message is not kept. */
  placements?: PlacementData[];
  /** Whose rights count for them. */
  by?: Identity;
  marks?: Mark[];
}

/** One mailbox a delivery puts its message into; see the border's `Placement`. */
export interface PlacementData {
  owner: string;
  path: string;
  flags: string[];
  byAddress?: boolean;
  create?: boolean;
  orInbox?: boolean;
  specialUse?: string;
  mailboxid?: string;
  snooze?: Snooze;
}

export type Change =
  | {
    op: 'deliver';
    targets: DeliveryAddress[];
    /** The blobs stand in their order: structure, then the body of one that has no stage file. */
    messages: MessageData[];
    ignoreQuota: boolean;
  }
  /** Wakes the messages of an owner that sleep until then at most, in unix seconds; some of them if they are many. */
  | { op: 'wake'; owner: number; upTo: number }
  | { op: 'mark'; userid: string; marks: Mark[] }
  | {
    op: 'append';
    by: Identity;
    name: MailboxName;
    /** At least one. The blobs stand in their order: structure, then the body of one that has no stage file. */
    messages: { data: MessageData; flags: string[]; internaldate: number | null }[];
  }
  | {
    op: 'store';
    by: Identity;
    owner: number;
    mailbox: number;
    uids: string;
    operation: StoreOperation;
    flags: string[];
    unchangedSince: number | null;
  }
  | { op: 'expunge'; by: Identity; owner: number; mailbox: number; uids: string | null; unmarked: boolean }
  | { op: 'copy'; by: Identity; owner: number; mailbox: number; uids: string; to: MailboxName; move: boolean }
  /** Claims messages as this session's \Recent ones. With an `upTo` of 0 it only asks up to where others did. */
  | { op: 'recent'; by: Identity; owner: number; mailbox: number; upTo: number }
  /** Logs what was claimed. */
  | { op: 'told'; by: Identity; owner: number; mailbox: number; upTo: number }
  | { op: 'create'; by: Identity; name: MailboxName; specialUse: string[] }
  | { op: 'delete'; by: Identity; name: MailboxName }
  | { op: 'rename'; by: Identity; from: MailboxName; to: MailboxName }
  | { op: 'subscribe'; by: Identity; name: MailboxName; on: boolean }
  | { op: 'acl'; by: Identity; name: MailboxName; identifier: string; rights: string | null }
  | { op: 'quota'; by: Identity; root: MailboxName; storage: number | null; messages: number | null }
  /** A Sieve script, its content the blob. Replaces one of that name; a new one makes at most so many. */
  | { op: 'putscript'; by: Identity; owner: string; name: string; maxScripts: number }
  | { op: 'activatescript'; by: Identity; owner: string; name: string | null }
  | { op: 'deletescript'; by: Identity; owner: string; name: string }
  | { op: 'renamescript'; by: Identity; owner: string; name: string; to: string }
  /** Metadata of a mailbox, or with null of the server. A value is the number of a blob, null removes the entry. */
  | {
    op: 'metadata';
    by: Identity;
    name: MailboxName | null;
    entries: [entry: string, blob: number | null][];
  }
  | { op: 'login'; userid: string }
  /** With `before` only where that stands there (null: nothing). Answers whether it was set. */
  | { op: 'secret'; userid: string; secret: string | null; before?: string | null }
  | { op: 'purgeuser'; userid: string }
  | { op: 'undelete'; owner: string; mailboxid: string; path: string }
  /** Begin a user's index anew, with empty mailboxes of the names directory.db has: everything else is lost. */
  | { op: 'replaceowner'; userid: string }
  /** Message files of the owner's folder that no row names become messages. The structures are the blobs. */
  | { op: 'adopt'; userid: string; path: string; messages: AdoptedMessage[] }
  /** After a whole restore: nothing that clients saw after the restored moment may mean something else now. */
  | { op: 'raise'; owner: number; uids: number; newUidvalidity: boolean }
  /**
   * A mailbox, made where it is not there, its owner, too; with these rights or those of a new one, and the metadata it had: who,
   * what, and the number of the blob. Answers with their ids.
   */
  | {
    op: 'restoremailbox';
    name: MailboxName;
    specialUse: string[];
    acl: AclEntry[] | null;
    metadata: [userid: string, entry: string, blob: number][];
  }
  /** Saved messages added to a mailbox, whatever rights and quota say: it is an administrator who restores. */
  | { op: 'restoremessages'; owner: number; mailbox: number; messages: RestoredMessage[] }
  /** Flags of messages as they were saved. */
  | { op: 'restoreflags'; owner: number; mailbox: number; flags: [uids: string, flags: string[]][] }
  | {
    op: 'expire';
    owner: number;
    expungedBefore: number;
    deletedBefore: number;
    deliveredBefore: number;
    /** Marks that ended before. */
    marksBefore: number;
  };

/** A change with the id its answer carries (DESIGN rule 10) and the session whose own change it is. */
export interface ChangeRequest {
  id: string;
  origin: string;
  change: Change;
}

/** Outcome per target of 'deliver', in order. */
export interface DeliveredTarget {
  userid: string;
  path: string;
  uid?: number;
  uidvalidity?: number;
  /** The message had been delivered to this mailbox before; nothing was stored again. */
  duplicate?: boolean;
  /** Where it went, for a target with placements, in their order. */
  placed?: DeliveredPlace[];
  /** Number of the placement that was refused. */
  failed?: number;
  error?: { kind: string; code: string; text: string };
}

export interface DeliveredPlace {
  owner: string;
  path: string;
  mailboxid: string;
  /** Null where the mailbox had the message before. */
  uid: number | null;
  uidvalidity: number;
}
