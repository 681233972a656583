/**
 * The events of the redo log. Each says what became true, never what was asked: applying needs no decision, no
 * clock and no other owner, so replay, replication and normal operation do the same (DESIGN, one writer).
 * UID sets are in sequence-set form ("1:5,7"). Times are unix seconds.
 */
import type { AclEntry } from '../border.ts';

/** Where the bytes of a new part come from when its file is missing. */
export type PartSource =
  | { blob: number } // blob of this record
  | { stage: string } // durable stage file, absolute path
  | { link: string }; // another owner's file that existed when the record was made

/** What a message is, whoever has it. Recipients of one delivery share it, and a record holds it once (record.ts). */
export interface PartContent {
  /** SHA-256 of the bytes, hex. */
  hash: string;
  size: number;
  headerSize: number;
  envelope: string;
  bodystructure: string;
  /** Index of the blob that holds the compact part tree. */
  structure: number;
  messageId: string | null;
  sentDate: number | null;
  /** What THREAD compares (mime/thread.ts); missing in records of older programs. */
  thread?: string | null;
  source: PartSource;
}

/** A new immutable part (one stored message body). */
export interface PartData extends PartContent {
  id: number;
  /** File name inside the owner's folder of the partition. */
  file: string;
  partition: string;
}

/** [uid, lo, hi, internaldate, savedate, part id] */
export type AddedMessage = [number, number, number, number, number, number];

export interface MailboxData {
  id: number;
  path: string;
  mailboxid: string;
  uidvalidity: number;
  uidnext: number;
  specialUse: string[];
  acl: readonly AclEntry[];
  partition: string;
  created: number;
}

export type OwnerEvent =
  | { k: 'mailbox'; m: number; data: MailboxData; q: number }
  | { k: 'add'; mb: number; q: number; parts: PartData[]; msgs: AddedMessage[]; dup: string | null }
  | { k: 'keywords'; mb: number; names: string[] }
  | { k: 'flags'; mb: number; q: number; u: string; op: 'add' | 'remove' | 'replace'; lo: number; hi: number }
  | { k: 'expunge'; mb: number; q: number; u: string; at: number }
  | {
    k: 'copy';
    from: number;
    mb: number;
    q: number;
    u: string;
    first: number;
    savedate: number;
    /** Keyword bit numbers [source, destination] where they differ. */
    map: [number, number][];
  }
  | { k: 'seen'; mb: number; q: number; userid: string; u: string }
  | { k: 'recent'; mb: number; userid: string; uid: number }
  | { k: 'rename'; mb: number; path: string; q: number }
  | { k: 'delete'; mb: number; at: number; q: number }
  | { k: 'undelete'; mb: number; path: string; q: number }
  | { k: 'acl'; mb: number; acl: readonly AclEntry[] }
  | { k: 'subscribe'; owner: string; path: string; on: boolean }
  | { k: 'quota'; path: string; storage: number | null; messages: number | null; set: boolean }
  /**
   * After a restore: clients may know UIDs and modseqs that were given after the moment that was restored. Every mailbox gets
   * its UIDNEXT so much higher, or a new UIDVALIDITY, and every message a modseq above all that were ever given.
   */
  | { k: 'raise'; q: number; uids: number; parts: number; uidvalidities: [number, number][] }
  | {
    k: 'purge';
    expunged: [number, string][];
    mailboxes: number[];
    parts: number[];
    /** Partition and file of each part: unlinked after the commit, and again after a replay. */
    files: [string, string][];
    /** Duplicate suppression entries older than this go. */
    delivered: number;
    /** Marks that ended before this go; missing in records of older programs. */
    marks?: number;
  }
  | ScriptEvent
  | SnoozeEvent
  | MarksEvent
  | MetadataEvent;

/**
 * Metadata of a mailbox, or with 0 of the server. The userid is '' for shared entries. A value is a blob of the record, null removes
 * the entry.
 */
export interface MetadataEvent {
  k: 'metadata';
  mb: number;
  q: number;
  userid: string;
  entries: [entry: string, blob: number | null][];
}

/** What becomes of a message that sleeps. */
export interface Waking {
  /** Unix time. */
  readonly until: number;
  /** Object id of the mailbox of the same owner that it moves to. */
  readonly to: string;
  /** Flags that change then; first those in `remove` go. */
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** A message sleeps, or with null does no more. One that is expunged, as by a MOVE, sleeps no more either. */
export interface SnoozeEvent {
  k: 'snooze';
  mb: number;
  uid: number;
  q: number;
  wake: Waking | null;
}

/** Marks by kind and key with their ends: first those in `drop` go, then `set` are set or moved. */
export interface MarksEvent {
  k: 'marks';
  set: [kind: string, key: string, until: number][];
  drop: [kind: string, key: string][];
}

/** Sieve scripts. Of an owner's scripts at most one is active. */
export type ScriptEvent =
  /** `content` is a blob of the record; its hash is SHA-256, hex. Replaces one of that name. */
  | { k: 'script'; name: string; content: number; hash: string; at: number; active: boolean }
  | { k: 'scriptgone'; name: string }
  | { k: 'scriptname'; name: string; to: string }
  | { k: 'scriptactive'; name: string | null };

export type DirectoryEvent =
  | { k: 'owner'; id: number; userid: string; folder: string; partition: string; created: number }
  | { k: 'ownergone'; id: number; at: number }
  | {
    k: 'mb';
    o: number;
    m: number;
    path: string;
    mailboxid: string;
    specialUse: string[];
    acl: readonly AclEntry[];
    uidvalidity: number;
  }
  | { k: 'mbgone'; o: number; m: number }
  /** The owner's active Sieve script by the hash of its content. */
  | { k: 'script'; o: number; hash: string | null }
  | { k: 'secret'; userid: string; secret: string | null; at: number };
