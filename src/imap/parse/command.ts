/**
 * Every command a client can send, parsed: one member of the union `Command` per command, told apart by `name`.
 * A UID command is its plain form with `uid: true`, since the two differ only in what the set's numbers mean.
 *
 * Mailbox names are Unicode with the client's separator (INBOX in upper case whatever the client wrote); turning them
 * into owner and path is the business of store/names.ts. Flags keep the letters they came with.
 */

import type { SearchKey } from '../search/key.ts';
import type { SequenceSet } from '../sequence.ts';
import type { SortCriterion } from '../sort/criterion.ts';

/** What the connection has switched on; it decides how names and sets are read. */
export interface ParseMode {
  /**
   * Mailbox names are UTF-8, not modified UTF-7: after ENABLE IMAP4rev2 or UTF8=ACCEPT (RFC 9051 §5.1, RFC 6855 §3).
   */
  readonly utf8: boolean;
  /** `$` and RETURN (SAVE) are understood (RFC 9051 §6.4.4.1); where not, they are a syntax error. */
  readonly searchres: boolean;
}

export type Command =
  | PlainCommand
  | AuthenticateCommand
  | LoginCommand
  | EnableCommand
  | IdCommand
  | SelectCommand
  | CreateCommand
  | MailboxCommand
  | RenameCommand
  | ListCommand
  | LsubCommand
  | StatusCommand
  | AppendCommand
  | ExpungeCommand
  | SearchCommand
  | SortCommand
  | ThreadCommand
  | FetchCommand
  | StoreCommand
  | CopyCommand
  | GetQuotaCommand
  | SetQuotaCommand
  | SetAclCommand
  | AclIdentifierCommand;

/** The name of every command of the union. */
export type CommandName = Command['name'];

/** Commands without arguments. DONE is no command: the receiver hands it over as a line. */
export interface PlainCommand {
  readonly name:
    | 'CAPABILITY'
    | 'NOOP'
    | 'LOGOUT'
    | 'STARTTLS'
    | 'NAMESPACE'
    | 'IDLE'
    | 'CHECK'
    | 'CLOSE'
    | 'UNSELECT';
}

/** AUTHENTICATE (RFC 9051 §6.2.2). */
export interface AuthenticateCommand {
  readonly name: 'AUTHENTICATE';
  /** Upper case. */
  readonly mechanism: string;
  /** The initial response decoded from base64 (empty for `=`), or null when the client waits for a challenge. */
  readonly initial: Uint8Array | null;
}

/** LOGIN (RFC 9051 §6.2.3). */
export interface LoginCommand {
  readonly name: 'LOGIN';
  readonly user: string;
  readonly password: string;
}

/** ENABLE (RFC 9051 §6.3.1): names in upper case, unknown ones included (they are ignored, not refused). */
export interface EnableCommand {
  readonly name: 'ENABLE';
  readonly capabilities: readonly string[];
}

/** ID (RFC 2971 §3.1): null for NIL. */
export interface IdCommand {
  readonly name: 'ID';
  readonly params: readonly IdParam[] | null;
}

export interface IdParam {
  readonly field: string;
  readonly value: string | null;
}

/** SELECT and EXAMINE, with the CONDSTORE parameter (RFC 9051 §6.3.2, RFC 7162 §3.1.8). */
export interface SelectCommand {
  readonly name: 'SELECT' | 'EXAMINE';
  readonly mailbox: string;
  readonly condstore: boolean;
}

/** CREATE (RFC 9051 §6.3.4) with USE (RFC 6154 §3). */
export interface CreateCommand {
  readonly name: 'CREATE';
  readonly mailbox: string;
  /** Attributes as given, as `\Sent`; empty without USE. */
  readonly use: readonly string[];
}

/** Commands that name one mailbox and nothing else. */
export interface MailboxCommand {
  readonly name: 'DELETE' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'GETQUOTAROOT' | 'GETACL' | 'MYRIGHTS';
  readonly mailbox: string;
}

/** RENAME (RFC 9051 §6.3.6). */
export interface RenameCommand {
  readonly name: 'RENAME';
  readonly from: string;
  readonly to: string;
}

/** LIST, basic and extended (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154). */
export interface ListCommand {
  readonly name: 'LIST';
  readonly reference: string;
  /** Patterns with `*` and `%`. One that is no valid name matches nothing and was left out. */
  readonly patterns: readonly string[];
  readonly select: ListSelect;
  readonly returns: ListReturn;
  /** True when any extended syntax was used: then attributes such as \NonExistent and CHILDINFO may be answered. */
  readonly extended: boolean;
  /** True for a single empty pattern: the client asks for the separator and the reference's root. */
  readonly rootOnly: boolean;
}

export interface ListSelect {
  readonly subscribed: boolean;
  readonly remote: boolean;
  readonly recursiveMatch: boolean;
  readonly specialUse: boolean;
}

export interface ListReturn {
  readonly subscribed: boolean;
  readonly children: boolean;
  readonly specialUse: boolean;
  /** The items of RETURN (STATUS (...)), or null. */
  readonly status: readonly StatusItem[] | null;
}

/** LSUB (RFC 3501 §6.3.9). */
export interface LsubCommand {
  readonly name: 'LSUB';
  readonly reference: string;
  readonly patterns: readonly string[];
}

/** RFC 9051 §6.3.11, RFC 3501 (RECENT), RFC 7162, RFC 7889, RFC 9208 §4.1.4 (DELETED-STORAGE). */
export type StatusItem =
  | 'MESSAGES'
  | 'RECENT'
  | 'UIDNEXT'
  | 'UIDVALIDITY'
  | 'UNSEEN'
  | 'DELETED'
  | 'DELETED-STORAGE'
  | 'SIZE'
  | 'HIGHESTMODSEQ'
  | 'APPENDLIMIT';

/** STATUS. Items appear once each, in the order asked. */
export interface StatusCommand {
  readonly name: 'STATUS';
  readonly mailbox: string;
  readonly items: readonly StatusItem[];
}

/** A date-time with its zone, as in APPEND. */
export interface DateTime {
  /** Unix seconds. */
  readonly time: number;
  /** Minutes east of Greenwich. */
  readonly zone: number;
}

/** APPEND (RFC 9051 §6.3.12) of at least one message (RFC 3502). */
export interface AppendCommand {
  readonly name: 'APPEND';
  readonly mailbox: string;
  readonly messages: readonly AnnouncedMessage[];
}

/** Everything of a message of APPEND but its bytes, which the receiver streams. */
export interface AnnouncedMessage {
  readonly flags: readonly string[];
  readonly internaldate: DateTime | null;
  /** Bytes of the message. */
  readonly size: number;
  /** The message was announced as literal8, `~{n}` (RFC 3516): it may hold NUL. */
  readonly binary: boolean;
}

/** EXPUNGE (`set` null) and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9). */
export interface ExpungeCommand {
  readonly name: 'EXPUNGE';
  readonly set: SequenceSet | null;
}

/** SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731). */
export interface SearchCommand {
  readonly name: 'SEARCH';
  readonly uid: boolean;
  /** Null without RETURN: rev1 clients get `* SEARCH`. RETURN () is ALL. */
  readonly returns: SearchReturn | null;
  readonly key: SearchKey;
}

export interface SearchReturn {
  readonly min: boolean;
  readonly max: boolean;
  readonly all: boolean;
  readonly count: boolean;
  readonly save: boolean;
}

/** SORT and UID SORT (RFC 5256 §3). */
export interface SortCommand {
  readonly name: 'SORT';
  readonly uid: boolean;
  /** At least one, as given. */
  readonly criteria: readonly SortCriterion[];
  readonly key: SearchKey;
}

/** THREAD and UID THREAD (RFC 5256 §3). */
export interface ThreadCommand {
  readonly name: 'THREAD';
  readonly uid: boolean;
  readonly algorithm: 'ORDEREDSUBJECT' | 'REFERENCES';
  readonly key: SearchKey;
}

/** FETCH and UID FETCH (RFC 9051 §6.4.5, RFC 7162 §3.1.4). Macros are expanded; a UID FETCH holds the UID item. */
export interface FetchCommand {
  readonly name: 'FETCH';
  readonly uid: boolean;
  readonly set: SequenceSet;
  /** Each item once. */
  readonly items: readonly FetchItem[];
  /** CHANGEDSINCE; the MODSEQ item is then among the items. */
  readonly changedSince: number | null;
}

export type FetchItem = FetchField | FetchSection | FetchBinary | FetchBinarySize;

/** Items answered from the index. BODY is BODYSTRUCTURE without extension data. */
export interface FetchField {
  readonly kind: 'field';
  readonly field:
    | 'UID'
    | 'FLAGS'
    | 'INTERNALDATE'
    | 'RFC822.SIZE'
    | 'ENVELOPE'
    | 'BODY'
    | 'BODYSTRUCTURE'
    | 'MODSEQ';
}

/** BODY[section], BODY.PEEK[section], RFC822, RFC822.HEADER and RFC822.TEXT. */
export interface FetchSection {
  readonly kind: 'section';
  /** What the answer is called, as `BODY[1.HEADER.FIELDS (From)]<0>`: latin1, ready to be written. */
  readonly label: string;
  /** Part numbers; empty for the message itself. */
  readonly part: readonly number[];
  /** What of the part; empty text for all of it. */
  readonly text: '' | 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'TEXT' | 'MIME';
  /** Field names of HEADER.FIELDS and HEADER.FIELDS.NOT in lower case, else empty. */
  readonly fields: readonly string[];
  /** False when fetching it sets \Seen. */
  readonly peek: boolean;
  readonly partial: Partial | null;
}

/** BINARY[part] and BINARY.PEEK[part]: the part with its transfer encoding undone. */
export interface FetchBinary {
  readonly kind: 'binary';
  readonly label: string;
  readonly part: readonly number[];
  readonly peek: boolean;
  readonly partial: Partial | null;
}

/** BINARY.SIZE[part]: bytes of the decoded part. */
export interface FetchBinarySize {
  readonly kind: 'binarysize';
  readonly label: string;
  readonly part: readonly number[];
}

/** `<offset.length>`: bytes, `length` at least 1. */
export interface Partial {
  readonly offset: number;
  readonly length: number;
}

/** STORE and UID STORE (RFC 9051 §6.4.6, RFC 7162 §3.1.3). */
export interface StoreCommand {
  readonly name: 'STORE';
  readonly uid: boolean;
  readonly set: SequenceSet;
  readonly mode: 'replace' | 'add' | 'remove';
  readonly silent: boolean;
  readonly flags: readonly string[];
  readonly unchangedSince: number | null;
}

/** COPY, MOVE and their UID forms (RFC 9051 §6.4.7, §6.4.8). */
export interface CopyCommand {
  readonly name: 'COPY' | 'MOVE';
  readonly uid: boolean;
  readonly set: SequenceSet;
  readonly mailbox: string;
}

/** GETQUOTA (RFC 9208 §4.1.1). */
export interface GetQuotaCommand {
  readonly name: 'GETQUOTA';
  readonly root: string;
}

/** SETQUOTA (RFC 9208 §4.1.3). Resource names in upper case, limits in the resource's unit. */
export interface SetQuotaCommand {
  readonly name: 'SETQUOTA';
  readonly root: string;
  readonly limits: readonly { readonly resource: string; readonly limit: number }[];
}

/** SETACL (RFC 4314 §3.1). */
export interface SetAclCommand {
  readonly name: 'SETACL';
  readonly mailbox: string;
  readonly identifier: string;
  readonly mode: 'replace' | 'add' | 'remove';
  /** The letters as given, without the + or -. */
  readonly rights: string;
}

/** DELETEACL and LISTRIGHTS (RFC 4314 §3.2, §3.4). */
export interface AclIdentifierCommand {
  readonly name: 'DELETEACL' | 'LISTRIGHTS';
  readonly mailbox: string;
  readonly identifier: string;
}
