/** Rows of an owner's mailbox table as the program holds them. */

import type { AclEntry } from '../border.ts';
import type { SqlValue } from './statements.ts';

/** One mailbox. Counters are those of the owner (\Seen of other users stands in the `seen` table). */
export interface MailboxRow {
  id: number;
  path: string;
  mailboxid: string;
  uidvalidity: number;
  uidnext: number;
  highestmodseq: number;
  messages: number;
  unseen: number;
  deleted: number;
  size: number;
  recentuid: number;
  /** All messages with UIDs below this one are \Seen; those from it on may be. */
  seenbelow: number;
  specialUse: string[];
  acl: readonly AclEntry[];
  /** Path of the quota root that counts it, or null. */
  quotaroot: string | null;
  partition: string;
  keywords: string[];
  created: number;
  deletedat: number | null;
}

/** A row from its columns in order (tables.ts). */
export function mailboxFromValues(values: readonly SqlValue[]): MailboxRow {
  const [
    id,
    path,
    mailboxid,
    uidvalidity,
    uidnext,
    highestmodseq,
    messages,
    unseen,
    deleted,
    size,
    recentuid,
    specialuse,
    acl,
    quotaroot,
    partition,
    keywords,
    created,
    deletedat,
    seenbelow,
  ] = values as [
    number,
    string,
    string,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    string,
    string,
    string | null,
    string,
    string,
    number,
    number | null,
    number,
  ];
  return {
    id,
    path,
    mailboxid,
    uidvalidity,
    uidnext,
    highestmodseq,
    messages,
    unseen,
    deleted,
    size,
    recentuid,
    seenbelow,
    specialUse: JSON.parse(specialuse) as string[],
    acl: JSON.parse(acl) as AclEntry[],
    quotaroot,
    partition,
    keywords: JSON.parse(keywords) as string[],
    created,
    deletedat,
  };
}

/** The columns of a row, in order. */
export function mailboxValues(row: MailboxRow): SqlValue[] {
  return [
    row.id,
    row.path,
    row.mailboxid,
    row.uidvalidity,
    row.uidnext,
    row.highestmodseq,
    row.messages,
    row.unseen,
    row.deleted,
    row.size,
    row.recentuid,
    JSON.stringify(row.specialUse),
    JSON.stringify(row.acl),
    row.quotaroot,
    row.partition,
    JSON.stringify(row.keywords),
    row.created,
    row.deletedat,
    row.seenbelow,
  ];
}

/** What a user who is not the owner has seen of a mailbox; UIDs in sequence-set form, '' for none. */
export interface SeenRow {
  uids: string;
  recentuid: number;
  modseq: number;
}

/** Limits and use of a quota root; bytes and messages, null = unlimited. */
export interface QuotaRow {
  path: string;
  storageLimit: number | null;
  messageLimit: number | null;
  storage: number;
  messages: number;
}

/** A quota root from its columns in order. */
export function quotaFromValues(values: readonly SqlValue[]): QuotaRow {
  const [path, storageLimit, messageLimit] = values as [string, number | null, number | null];
  return { path, storageLimit, messageLimit, storage: 0, messages: 0 };
}

/** The nearest quota root at or above a path, among `roots`. '' is the root of all. */
export function quotarootOf(path: string, roots: ReadonlyMap<string, QuotaRow>): string | null {
  for (let at = path;;) {
    if (roots.has(at)) return at;
    if (at === '') return null;
    const slash = at.lastIndexOf('/');
    at = slash === -1 ? '' : at.slice(0, slash);
  }
}
