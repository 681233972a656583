/**
 * The expiry run (cyr_expire): expunged messages, deleted mailboxes, old duplicate entries and marks go for good.
 *
 * It is done in steps of a few milliseconds (writer/long.ts): looking for what still needs a part reads every row of the owner.
 */
import type { OwnerRow } from '../../index/directory.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import type { MailboxRow } from '../../index/rows.ts';
import { UidSet } from '../../uidset.ts';
import type { Context } from '../context.ts';
import type { Change } from '../requests.ts';
import { step } from '../../step.ts';

type Expire = Extract<Change, { op: 'expire' }>;

/** Messages removed by one request: its record has a name for each of their files. */
const SLICE = 20_000;

/** Rows read, or removed, in one step. */
const READ = 5000;
const REMOVE = 1000;

export interface Expired {
  messages: number;
  mailboxes: number;
  /** True when there may be more: ask again. */
  more: boolean;
}

/** A row of `msg` or `expunged`. */
type Row = [mailbox: number, uid: number, part: number, expungedat: number];

/**
 * Decides one slice for one owner. Rows go in the record; files are handed to `unlink` after the commit, and again
 * after a replay.
 */
export function* decideExpire(
  context: Context,
  change: Expire,
  unlink: (owner: OwnerRow, files: [string, string][]) => void,
): Generator<void, Expired> {
  const index = context.indexById(change.owner);
  const doomed = [...index.mailboxes.values()].filter((row) =>
    row.deletedat !== null && row.deletedat < change.deletedBefore
  );
  // What is left in a deleted mailbox is expunged first, so that there is one way out for all.
  let room = SLICE;
  for (const row of doomed) room -= yield* expungeAll(context, index, row, room);
  const ids = new Set(doomed.map(({ id }) => id));
  const rows: Row[] = [];
  for (const page of pages(index, 'expunged')) {
    for (const row of page) if (ids.has(row[0]) || row[3] < change.expungedBefore) rows.push(row);
    if (rows.length >= SLICE) break;
    yield;
  }
  rows.length = Math.min(rows.length, SLICE);
  const gone = doomed.filter((row) => row.messages === 0 && isEmptied(index, row, rows)).map(({ id }) => id);
  const old =
    index.sql('SELECT 1 FROM delivered WHERE at < ? LIMIT 1').get(change.deliveredBefore) !== null ||
    index.sql('SELECT 1 FROM mark WHERE until < ? LIMIT 1').get(change.marksBefore) !== null;
  if (rows.length === 0 && gone.length === 0 && !old) return { messages: 0, mailboxes: 0, more: false };
  const unused = yield* unreferenced(index, rows);
  const files: [string, string][] = [];
  for (let from = 0; from < rows.length; from += REMOVE) {
    yield;
    files.push(...purge(context, index, rows.slice(from, from + REMOVE), unused));
    step('expire.slice');
  }
  context.emit(index, {
    k: 'purge',
    expunged: [],
    mailboxes: gone,
    parts: [],
    files: [],
    delivered: change.deliveredBefore,
    marks: change.marksBefore,
  });
  const owner = context.state.owners.ownerOf(index);
  if (files.length > 0) context.afterCommit.push(() => unlink(owner, files));
  const more = rows.length === SLICE || gone.length < doomed.length;
  return { messages: rows.length, mailboxes: gone.length, more };
}

/** Expunges the messages of a deleted mailbox, at most `room`; returns how many. */
function* expungeAll(
  context: Context,
  index: OwnerIndex,
  row: MailboxRow,
  room: number,
): Generator<void, number> {
  let done = 0;
  while (row.messages > 0 && done < room) {
    const uids = index.sql('SELECT uid FROM msg WHERE mailbox = ? ORDER BY uid LIMIT ?')
      .values(row.id, Math.min(REMOVE, room - done)).map(([uid]) => uid as number);
    if (uids.length === 0) break;
    const u = UidSet.fromSorted(uids).toString();
    context.emit(index, { k: 'expunge', mb: row.id, q: index.nextModseq(), u, at: 0 });
    done += uids.length;
    yield;
  }
  return done;
}

/** Whether nothing of a mailbox is left when these rows are gone. */
function isEmptied(index: OwnerIndex, { id }: MailboxRow, rows: readonly Row[]): boolean {
  const there = index.sql('SELECT count(*) FROM expunged WHERE mailbox = ?').values(id)[0]?.[0];
  return there === rows.filter(([mailbox]) => mailbox === id).length;
}

/** All rows of a table, in the order of its key. */
function* pages(index: OwnerIndex, table: 'msg' | 'expunged'): IterableIterator<Row[]> {
  const statement = index.sql(
    `SELECT mailbox, uid, part, ${table === 'msg' ? '0' : 'expungedat'} FROM ${table} ` +
      'WHERE (mailbox, uid) > (?, ?) ORDER BY mailbox, uid LIMIT ?',
  );
  for (let last: Row | undefined = [0, 0, 0, 0]; last !== undefined;) {
    const page = statement.values(last[0], last[1], READ) as Row[];
    if (page.length > 0) yield page;
    last = page.length === READ ? page.at(-1) : undefined;
  }
}

/** The parts of these expunged rows that no other row points at. */
function* unreferenced(index: OwnerIndex, rows: readonly Row[]): Generator<void, Set<number>> {
  const parts = new Set(rows.map((row) => row[2]));
  const going = new Map<number, Set<number>>();
  for (const [mailbox, uid] of rows) {
    const uids = going.get(mailbox);
    if (uids === undefined) going.set(mailbox, new Set([uid]));
    else uids.add(uid);
  }
  for (const table of ['msg', 'expunged'] as const) {
    if (parts.size === 0) break;
    for (const page of pages(index, table)) {
      for (const [mailbox, uid, part] of page) {
        if (parts.has(part) && !(table === 'expunged' && going.get(mailbox)?.has(uid))) parts.delete(part);
      }
      yield;
    }
  }
  return parts;
}

/** Removes rows, and the parts that are unused with the last row that had them. Returns the parts' files. */
function purge(
  context: Context,
  index: OwnerIndex,
  rows: readonly Row[],
  unused: Set<number>,
): [string, string][] {
  const parts: number[] = [];
  const files: [string, string][] = [];
  const byMailbox = new Map<number, number[]>();
  for (const [mailbox, uid, part] of rows) {
    const uids = byMailbox.get(mailbox);
    if (uids === undefined) byMailbox.set(mailbox, [uid]);
    else uids.push(uid);
    if (!unused.delete(part)) continue;
    parts.push(part);
    const file = index.sql('SELECT partition, file FROM part WHERE id = ?').values(part)[0];
    if (file !== undefined) files.push(file as [string, string]);
  }
  context.emit(index, {
    k: 'purge',
    expunged: [...byMailbox].map(([mailbox, uids]) => [mailbox, UidSet.fromSorted(uids).toString()]),
    mailboxes: [],
    parts,
    files,
    delivered: 0,
  });
  return files;
}
