/** The tables whose rows carry a digest, with the columns it covers, in order (digest.ts). */
import { serverError } from '../../errors.ts';
import { digestOf } from './digest.ts';
import type { SqlValue } from './statements.ts';

/** A table name and its columns but `digest`. */
export type Tables = Readonly<Record<string, readonly string[]>>;

export const OWNER_TABLES = {
  state: ['id', 'format', 'owner', 'userid', 'lsn', 'modseq', 'nextmailbox', 'nextpart', 'counts'],
  mailbox: [
    'id',
    'path',
    'mailboxid',
    'uidvalidity',
    'uidnext',
    'highestmodseq',
    'messages',
    'unseen',
    'deleted',
    'size',
    'recentuid',
    'specialuse',
    'acl',
    'quotaroot',
    'partition',
    'keywords',
    'created',
    'deletedat',
    'seenbelow',
  ],
  part: [
    'id',
    'hash',
    'file',
    'partition',
    'size',
    'headersize',
    'envelope',
    'bodystructure',
    'structure',
    'messageid',
    'sentdate',
    'thread',
  ],
  seen: ['mailbox', 'userid', 'uids', 'recentuid', 'modseq'],
  subscription: ['owner', 'path'],
  quotaroot: ['path', 'storagelimit', 'messagelimit'],
  delivered: ['messageid', 'mailbox', 'at'],
  annotation: ['mailbox', 'uid', 'entry', 'userid', 'value', 'modseq'],
  script: ['name', 'content', 'hash', 'changed', 'active'],
  mark: ['kind', 'key', 'until'],
} as const satisfies Tables;

export const DIRECTORY_TABLES = {
  state: ['id', 'format', 'lsn', 'start', 'uidvalidity', 'nextowner', 'ownersformat', 'counts'],
  /** `script` is the hash of the active Sieve script, so that a delivery to somebody without one opens nothing for it. */
  owner: ['id', 'userid', 'folder', 'partition', 'created', 'gone', 'script'],
  mailbox: ['owner', 'id', 'path', 'mailboxid', 'specialuse', 'acl', 'uidvalidity'],
  grantee: ['identifier', 'owner', 'mailbox'],
  /** What a checkpoint vouched for: an index below its LSN has lost its journal. */
  floor: ['owner', 'lsn'],
  secret: ['userid', 'secret', 'changed'],
} as const satisfies Tables;

/** Tables whose rows `state.counts` counts: all but `state`, and `msg`, which the mailboxes count. */
export const COUNTED = [
  'mailbox',
  'part',
  'expunged',
  'seen',
  'subscription',
  'quotaroot',
  'delivered',
  'annotation',
  'script',
  'mark',
];
export const DIRECTORY_COUNTED = ['owner', 'mailbox', 'grantee', 'floor', 'secret'];

/** Rows of each table as `state.counts` holds them. */
export type Counts = Record<string, number>;

/** Statement that inserts a whole row: its columns in order, then the digest. */
export function insertText(
  tables: Tables,
  table: string,
  verb: 'INSERT' | 'INSERT OR IGNORE' | 'INSERT OR REPLACE' = 'INSERT',
): string {
  const columns = [...columnsOf(tables, table), 'digest'];
  return `${verb} INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
}

/** Columns of a table but `digest`. */
export function columnsOf(tables: Tables, table: string): readonly string[] {
  const columns = tables[table];
  if (columns === undefined) throw serverError(`there is no table ${table}`);
  return columns;
}

/** The columns of a row followed by its digest, as `insertText` wants them. */
export function withDigest(table: string, columns: readonly SqlValue[]): SqlValue[] {
  return [...columns, digestOf(table, columns)];
}

/** Texts made before: callers' conditions are constants, so there are few. */
const SELECTS = new WeakMap<Tables, Map<string, string>>();

/** Statement that reads rows as `isIntact` wants them. */
export function selectText(tables: Tables, table: string, where = ''): string {
  let made = SELECTS.get(tables);
  if (made === undefined) SELECTS.set(tables, made = new Map<string, string>());
  const key = `${table} ${where}`;
  let text = made.get(key);
  if (text === undefined) {
    text = `SELECT ${columnsOf(tables, table).join(', ')}, digest FROM ${key}`;
    made.set(key, text);
  }
  return text;
}

/** Whether a row, its columns followed by its digest, is what was written. */
export function isIntact(table: string, row: readonly SqlValue[]): boolean {
  return digestOf(table, row.slice(0, -1)) === row.at(-1);
}
