/**
 * The border of the store: everything a protocol, a tool or a filter may ask of it. A protocol never speaks
 * SQL and never touches a file; the store never formats a protocol line (promise 7).
 *
 * Rights travel with the handles: whoever holds a `Mailbox` has been checked for what the handle offers, and the
 * writer checks again when it decides. A mailbox the caller may not look up does not exist (promise 5).
 *
 * Every promise of a changing method resolves after the change is durable and visible to all, never before
 * (promise 1). Failures are `MailError`s.
 */
import type { UidSet } from './uidset.ts';
import type {
  Delivery,
  DeliveryRequest,
  DeliveryResult,
  DeliveryTarget,
  Mark,
  Stage,
  StagedMessage,
} from './border/delivery.ts';
import type { Metadata } from './border/metadata.ts';
import type { Identity, MailboxName } from './border/name.ts';
import type { Scripts } from './border/scripts.ts';

export type * from './border/delivery.ts';
export type * from './border/metadata.ts';
export type * from './border/name.ts';
export type * from './border/scripts.ts';

/** What LIST needs of one mailbox, as of one moment. Costs no look into the owner's index. */
export interface ListedMailbox {
  readonly name: MailboxName;
  /** RFC 8474 object id, never reused. */
  readonly mailboxid: string;
  /** Special-use attributes with backslash, e.g. `\\Sent` (RFC 6154). */
  readonly specialUse: readonly string[];
  /** The caller's rights on it, letters of RFC 4314. */
  readonly rights: string;
  readonly hasChildren: boolean;
  readonly subscribed: boolean;
  /** False for a name that only stands because it has children. */
  readonly selectable: boolean;
}

/** With the counters of STATUS. Sizes in bytes. */
export interface MailboxInfo extends ListedMailbox {
  readonly uidvalidity: number;
  readonly uidnext: number;
  readonly highestmodseq: number;
  readonly exists: number;
  readonly recent: number;
  readonly unseen: number;
  readonly deleted: number;
  readonly size: number;
}

export interface QuotaRoot {
  /** External-free name: the owner's userid for `user/x`, or the mailbox the root sits on. */
  readonly root: MailboxName;
  /** STORAGE in bytes; limit null = unlimited. */
  readonly storageUsed: number;
  readonly storageLimit: number | null;
  readonly messagesUsed: number;
  readonly messagesLimit: number | null;
}

/** One ACL entry: identifier (userid, `anyone`, `group:x`, leading '-' = negative) and its rights letters. */
export interface AclEntry {
  readonly identifier: string;
  readonly rights: string;
}

/** A row of a mailbox without the parts that never change. Times are unix seconds. */
export type NarrowRow = [
  uid: number,
  flagsLo: number,
  flagsHi: number,
  modseq: number,
  size: number,
  internaldate: number,
  savedate: number,
  part: number,
];

/** What never changes of a message, by name: what is not asked for is not read. Strings are latin1 (one char, one byte). */
export interface PartColumns {
  envelope: string;
  bodystructure: string;
  /** Bytes of the header, the empty line included. */
  headersize: number;
  /** Compact part tree of mime/structure.ts. */
  structure: Uint8Array;
  /** Unix seconds of the Date field; null if it is absent or no date. */
  sentdate: number | null;
  /** What THREAD compares, see mime/thread.ts; null where the message was stored before that was kept. */
  thread: string | null;
  /** Where the bytes lie, for `content`. */
  place: string;
}

export type PartColumn = keyof PartColumns;

/** A narrow row followed by the columns asked for, in that order. */
export type WideRow<Columns extends readonly PartColumn[] = readonly PartColumn[]> = [
  ...narrow: NarrowRow,
  ...part: { -readonly [At in keyof Columns]: PartColumns[Columns[At]] },
];

/** Where the columns of the part begin in a wide row. */
export const NARROW_COLUMNS = 8;

/**
 * What a line of text about a message is made of: constant text, what the index has, or the names of its flags with a space
 * between them (in the order of the bits: the five system flags, then the keywords). `position` is that among the messages
 * handed to `Mailbox.lines`.
 */
export type LinePiece =
  | 'uid'
  | 'position'
  | 'modseq'
  | 'size'
  | 'envelope'
  | 'bodystructure'
  | { readonly text: string }
  | { readonly flags: readonly string[] };

/** Lines of consecutive messages, latin1, in memory that is the caller's. */
export interface Lines {
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  readonly count: number;
  /** UID of the last; 0 where there are none. */
  readonly last: number;
  /** Highest of them. */
  readonly modseq: number;
}

/** Bytes of one message; offsets count octets. Close it. */
export interface MessageContent {
  readonly size: number;
  /**
   * Bytes [start, end), clipped to the size; fewer only where the file is shorter than it should be. May be a view that the
   * next call overwrites: copy or send at once.
   */
  read(start: number, end: number): Uint8Array;
  /** The same into the caller's memory from its beginning on: as many bytes as fit. Returns how many there were. */
  readInto(target: Uint8Array, start: number): number;
  close(): void;
}

/** What another connection (or this one, `own`) changed in a selected mailbox; modseq is that of the change. */
export type MailboxChange =
  | { kind: 'exists'; uids: UidSet; uidnext: number; modseq: number; own: boolean }
  | { kind: 'flags'; uids: UidSet; modseq: number; own: boolean }
  | { kind: 'expunge'; uids: UidSet; modseq: number; own: boolean }
  | { kind: 'keywords' }
  | { kind: 'renamed'; name: MailboxName }
  | { kind: 'rights'; rights: string }
  | { kind: 'deleted' };

/** Who hears of the changes of a selected mailbox. */
export interface MailboxListener {
  heard(change: MailboxChange): void;
}

/** Flags as a client names them: system flags with backslash, keywords without. */
export type StoreOperation = 'add' | 'remove' | 'replace';

export interface StoreResult {
  /** Rows really changed; their new modseq is `modseq` (0 if none changed). */
  readonly changed: UidSet;
  /** Rows not touched because their modseq is above `unchangedSince` (RFC 7162 §3.1.3). */
  readonly modified: UidSet;
  readonly modseq: number;
}

export interface CopyResult {
  readonly uidvalidity: number;
  /** Pairwise equal in size and order: source UIDs ascending, destination UIDs ascending. */
  readonly source: UidSet;
  readonly destination: UidSet;
}

/** One message of an APPEND. Time is unix seconds; null is now. */
export interface AppendMessage {
  readonly message: StagedMessage;
  readonly flags: readonly string[];
  readonly internaldate: number | null;
}

export interface AppendResult {
  readonly uidvalidity: number;
  /** In the order of the messages. */
  readonly uids: UidSet;
}

/** State of a mailbox at the moment it was selected; later changes arrive at the listener, none is lost between. */
export interface MailboxSnapshot {
  readonly uidvalidity: number;
  readonly uidnext: number;
  readonly highestmodseq: number;
  readonly exists: number;
  readonly unseen: number;
  /** As `Mailbox.firstUnseen` finds it, where it is known without a look. */
  readonly firstUnseen: number | undefined;
  /** Messages this session is the first to be told about, as UIDs (RFC 3501 §2.3.2 \Recent). */
  readonly recent: UidSet;
  readonly mailboxid: string;
}

/** An open mailbox with the caller's rights. Reads are synchronous and see the newest durable state. */
export interface Mailbox {
  readonly name: MailboxName;
  readonly mailboxid: string;
  readonly rights: string;
  readonly readOnly: boolean;
  /** Keyword table in bit order; grows, the array is replaced when it does. */
  readonly keywords: readonly string[];
  /** False when no further keyword can be made (PERMANENTFLAGS without \*). */
  readonly keywordsOpen: boolean;
  readonly snapshot: MailboxSnapshot;
  /** UIDs as of the snapshot, in ascending order. Computed when first asked for. */
  uids(): UidSet;
  /** The quota root that counts the mailbox, if there is one. */
  quotaRoots(): QuotaRoot[];
  /** Lowest UID without \Seen for this user; 0 where there is none, or where it would take long to find. */
  firstUnseen(): number;
  /**
   * Rows of the given UIDs in ascending order, at most `limit`, starting after UID `after`. Messages expunged but
   * still within their grace are included, so that a session that was not told yet can go on reading them (RFC 2180 §4.1).
   */
  narrow(uids: UidSet, after: number, limit: number): NarrowRow[];
  wide<const Columns extends readonly PartColumn[]>(
    uids: UidSet,
    after: number,
    limit: number,
    columns: Columns,
  ): WideRow<Columns>[];
  /**
   * The same messages as lines of text, in a third of the time that rows take: the caller says what a line is made of, the
   * store fills in what it knows. `positions` are the messages that are counted, `uids` among them. Null where it cannot be
   * done so, and rows have to do: few or scattered messages, some that were expunged, a mailbox of somebody else whose \\Seen
   * is another.
   */
  lines(
    uids: UidSet,
    after: number,
    limit: number,
    line: readonly LinePiece[],
    positions: UidSet,
  ): Lines | null;
  /** UIDs whose flags have all bits of `all` and none of `none`; an index or one narrow scan, never a file. */
  withFlags(all: { lo: number; hi: number }, none: { lo: number; hi: number }): UidSet;
  /** UIDs changed after `modseq` and those expunged after it (CONDSTORE). */
  changedSince(modseq: number): { changed: UidSet; expunged: UidSet };
  /** Those of `uids` that were changed after `modseq`: one scan from the first to the last of them. */
  changedAmong(uids: UidSet, modseq: number): UidSet;
  /**
   * Opens the message of a row; with its `place`, the index is not asked again. Throws 'nonexistent' if it was expunged and
   * its file is gone.
   */
  content(row: NarrowRow | WideRow, place?: string): MessageContent;
  /**
   * The session has told its client of the messages up to this UID: those no session of the user was told of before are
   * its \Recent ones (RFC 3501 §2.3.2), and nobody else's. Empty where the mailbox is read-only: that claims nothing.
   */
  claimRecent(upTo: number): Promise<UidSet>;
  /** Another session of this process is claiming just now: `claimRecent` waits for that. */
  readonly recentAsked: boolean;
  store(
    uids: UidSet,
    operation: StoreOperation,
    flags: readonly string[],
    unchangedSince?: number,
  ): Promise<StoreResult>;
  /** Expunges the messages marked \Deleted among `uids` (null = all). Returns what went. */
  expunge(uids: UidSet | null): Promise<{ expunged: UidSet; modseq: number }>;
  /** Expunges messages, marked \Deleted or not, as one change. Needs the rights for both. */
  remove(uids: UidSet): Promise<void>;
  copy(uids: UidSet, destination: MailboxName): Promise<CopyResult>;
  move(uids: UidSet, destination: MailboxName): Promise<CopyResult>;
  /**
   * The listener is told now of every change that is durable now: news of what another process was answered for may still be
   * on its way here.
   */
  refresh(): void;
  /** No further changes are delivered. */
  close(): void;
}

/** A maildrop that one POP3 session has for itself (RFC 1939 §4), in all processes. The system lets go of it with the process. */
export interface MaildropLock {
  /** When the session before this one began, in unix seconds; null for the first. */
  readonly before: number | null;
  /** Harmless twice. */
  release(): void;
}

/** One authenticated user's view of the store. Cheap; one per connection. */
export interface StoreSession {
  readonly identity: Identity;
  /** On the first login of a user: creates INBOX and the configured folders when autocreate says so. */
  login(): Promise<void>;
  /** All mailboxes the caller may look up, own first, then others, each group by name. Counters: `info()` of each. */
  list(): ListedMailbox[];
  /** Subscribed names, whether or not they exist. */
  subscriptions(): MailboxName[];
  subscribe(name: MailboxName, on: boolean): Promise<void>;
  /** One mailbox; MailError 'nonexistent'. */
  info(name: MailboxName): MailboxInfo;
  create(name: MailboxName, specialUse?: readonly string[]): Promise<MailboxInfo>;
  delete(name: MailboxName): Promise<void>;
  rename(from: MailboxName, to: MailboxName): Promise<void>;
  select(
    name: MailboxName,
    readOnly: boolean,
    listener: MailboxListener | MailboxListener['heard'],
  ): Promise<Mailbox>;
  /**
   * Takes the maildrop of a mailbox for one POP3 session; others can go on reading and changing it by IMAP. MailError
   * 'inuse' while another session has it.
   */
  lockMaildrop(name: MailboxName): MaildropLock;
  /** A stage for an append, of up to `limit` bytes (0 = no limit); with `onDisk` even a small body takes no memory. */
  stage(limit: number, onDisk?: boolean): Stage;
  /**
   * Adds one or more messages to a mailbox as one change: all of them or none (RFC 3502). Throws 'toobig' when what
   * describes them together does not fit into one record of the log.
   */
  append(name: MailboxName, messages: readonly AppendMessage[]): Promise<AppendResult>;
  acl(name: MailboxName): AclEntry[];
  setAcl(name: MailboxName, identifier: string, rights: string | null): Promise<void>;
  quotaRoots(name: MailboxName): QuotaRoot[];
  quota(root: MailboxName): QuotaRoot;
  setQuota(root: MailboxName, limits: { storage: number | null; messages: number | null }): Promise<void>;
  readonly metadata: Metadata;
  /**
   * Name of the Sieve script for what happens in a mailbox (RFC 6785 §3.6): its own /shared/imapsieve/script, else the server's; null
   * where there is none or it is empty. To be asked after each change: it costs two look-ups, and nothing is kept that could be old.
   */
  eventScript(mailbox: MailboxName): string | null;
  /** The caller's own Sieve scripts. */
  readonly scripts: Scripts;
  /** Those of another user, or with '' the global ones: for administrators. MailError 'noperm'. */
  scriptsOf(userid: string): Scripts;
}

/** Stored secret of a user, as auth needs it. Opaque JSON to the store. */
export interface SecretRecord {
  readonly userid: string;
  readonly secret: string;
  readonly changed: number;
}

export interface Secrets {
  get(userid: string): SecretRecord | null;
  list(): SecretRecord[];
  /** Up to `count` of them in the order of their userids, behind `after`. */
  page(after: string, count: number): SecretRecord[];
  set(userid: string, secret: string): Promise<void>;
  /**
   * Sets it only where what stands there is still `before`, null for nothing; false where somebody was faster. Decided by
   * the writer: of several who try at once one wins.
   */
  replace(userid: string, before: string | null, secret: string): Promise<boolean>;
  remove(userid: string): Promise<void>;
}

/** The store as a worker or a tool holds it. */
export interface Store {
  session(identity: Identity): StoreSession;
  readonly secrets: Secrets;
  /** Whether the recipient may get mail now; throws 'nouser', 'overquota', 'noperm' or 'unavailable'. */
  recipient(request: DeliveryRequest): Promise<DeliveryTarget>;
  /** A stage for a delivery; up to `limit` bytes (0 = no limit). */
  stage(limit: number): Stage;
  /**
   * Delivers to all recipients as one change: each message is stored once, and answered per recipient. Never throws for a single
   * one. Uses all messages up.
   */
  deliver(deliveries: readonly Delivery[], options: { ignoreQuota: boolean }): Promise<DeliveryResult[]>;
  /** Whether a mark of this user is set and has not ended. */
  marked(userid: string, kind: string, key: string): boolean;
  /** Sets marks without a message: all of them, or none where a fresh one is there ('alreadyexists'). */
  mark(userid: string, marks: readonly Mark[]): Promise<void>;
  /** The script that `DeliveryTarget.script` names; null where it was replaced meanwhile (`activeScript` has the new one). */
  scriptByHash(userid: string, hash: string): Uint8Array | null;
  /** A user's script by its name, or with '' a global one, as `include` finds it (RFC 6609). */
  scriptNamed(userid: string, name: string): Uint8Array | null;
  activeScript(userid: string): { name: string; hash: string; content: Uint8Array } | null;
  /** Administration that no protocol offers yet. */
  readonly admin: StoreAdmin;
  close(): Promise<void>;
}

export interface DeletedMailbox {
  readonly name: MailboxName;
  readonly mailboxid: string;
  readonly deletedAt: number;
  readonly exists: number;
}

export interface ExpireOptions {
  readonly expungeDays: number | null;
  readonly deleteDays: number | null;
  readonly duplicateDays?: number | null;
  /** One user; all where it is not said. */
  readonly userid?: string;
}

export interface Remembered {
  /** `id` is the Message-ID, a space, and the unix time of the Date field, where there is one. Times are unix seconds. */
  readonly delivered: readonly { id: string; mailbox: MailboxName; at: number }[];
  readonly marks: readonly { kind: string; key: string; until: number }[];
}

/** What the command line tools need beside an admin's session. */
export interface StoreAdmin {
  owners(): { userid: string; created: number; partition: string }[];
  /** Removes a user's mail for good. */
  purgeUser(userid: string): Promise<void>;
  deletedMailboxes(owner: string): DeletedMailbox[];
  undelete(mailboxid: string, as: MailboxName): Promise<void>;
  /**
   * Removes expunged messages older than `expungeDays`, deleted mailboxes older than `deleteDays`, what was delivered longer ago
   * than `duplicateDays` (duplicate_retention where it is not said), and marks that have ended. Null leaves that alone.
   */
  expire(options: ExpireOptions): Promise<{ messages: number; mailboxes: number }>;
  /** Whom and what duplicate suppression and marks remember of a user. */
  remembered(userid: string): Remembered;
  /**
   * Builds a user's index anew. Throws 'corruption' when that way is not possible.
   */
  reconstruct(userid: string, from: ReconstructSource): Promise<ReconstructReport>;
}

/**
 * - `log`: exactly, from its snapshot and the log.
 * - `snapshot`: from what there is of them, where records are missing. UIDNEXTs and modseqs are raised beyond what those can have
 *   given; message files that no row names any more are in INBOX.
 * - `spool`: from the message files alone, with new UIDVALIDITYs, everything in INBOX.
 */
export type ReconstructSource = 'log' | 'snapshot' | 'spool';

export interface ReconstructReport {
  /** Log records applied on top of the snapshot; 0 from the spool. */
  readonly records: number;
  readonly messages: number;
  /** Messages that are in INBOX because their files were found without a row: from the snapshot and from the spool alone. */
  readonly adopted: number;
  /** Message files that were missing or damaged and have their bytes back. */
  readonly mended: readonly string[];
  /** Those whose bytes are nowhere else: file, what is wrong, and the messages. */
  readonly damaged: readonly string[];
}
