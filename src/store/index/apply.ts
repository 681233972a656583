/**
 * Applying an owner's events to the index. Normal operation, recovery and restore all come through here; nothing is
 * decided: the same events on the same index give the same index.
 */
import { ANSWERED, DELETED, DRAFT, FLAGGED, SEEN } from '../flags.ts';
import type { OwnerEvent } from '../log/events.ts';
import { UidSet } from '../uidset.ts';
import { serverError } from '../../errors.ts';
import type { OwnerIndex } from './owner.ts';
import { FACTOR, messageChk } from './digest.ts';
import { applyMarks } from './marks.ts';
import { applyMetadata } from './metadata.ts';
import { applyScript } from './scripts.ts';
import { applySnooze, forgetSleepers } from './snoozed.ts';
import { type MailboxRow, mailboxValues, quotarootOf } from './rows.ts';

type Add = Extract<OwnerEvent, { k: 'add' }>;
type Copy = Extract<OwnerEvent, { k: 'copy' }>;
type Flags = Extract<OwnerEvent, { k: 'flags' }>;
type Expunge = Extract<OwnerEvent, { k: 'expunge' }>;
type Purge = Extract<OwnerEvent, { k: 'purge' }>;

const SYSTEM = ANSWERED | FLAGGED | DRAFT | DELETED | SEEN;

function mailboxOf(index: OwnerIndex, id: number): MailboxRow {
  const row = index.mailboxes.get(id);
  if (row === undefined) throw serverError(`${index.path}: the log names mailbox ${id}, which is not there`);
  return row;
}

/** Applies one event inside the open transaction. `blobs` are those of its record. */
export function applyOwnerEvent(index: OwnerIndex, event: OwnerEvent, blobs: readonly Uint8Array[]): void {
  switch (event.k) {
    case 'mailbox':
      return applyMailbox(index, event);
    case 'add':
      return applyAdd(index, event, blobs);
    case 'copy':
      return applyCopy(index, event);
    case 'flags':
      return applyFlags(index, event);
    case 'expunge':
      return applyExpunge(index, event);
    case 'keywords': {
      const row = mailboxOf(index, event.mb);
      row.keywords = [...row.keywords, ...event.names];
      index.touch(row);
      return;
    }
    case 'seen':
      index.putSeen(event.mb, event.userid, (row) => ({ ...row, uids: event.u, modseq: event.q }));
      index.raiseModseq(mailboxOf(index, event.mb), event.q);
      return;
    case 'recent':
      return applyRecent(index, event);
    case 'rename': {
      const row = mailboxOf(index, event.mb);
      if (index.byPath.get(row.path) === row) index.byPath.delete(row.path);
      row.path = event.path;
      index.byPath.set(row.path, row);
      index.raiseModseq(row, event.q);
      index.touch(row);
      // Within one record several rows can trade names: the unique index must see the new ones one by one.
      index.sql('UPDATE mailbox SET path = ? WHERE id = ?').run(row.path, row.id);
      recountQuotas(index);
      return;
    }
    case 'delete': {
      const row = mailboxOf(index, event.mb);
      if (index.byPath.get(row.path) === row) index.byPath.delete(row.path);
      row.deletedat = event.at;
      index.raiseModseq(row, event.q);
      index.touch(row);
      index.sql('UPDATE mailbox SET deletedat = ? WHERE id = ?').run(row.deletedat, row.id);
      recountQuotas(index);
      return;
    }
    case 'undelete': {
      const row = mailboxOf(index, event.mb);
      row.deletedat = null;
      row.path = event.path;
      index.byPath.set(row.path, row);
      index.raiseModseq(row, event.q);
      index.touch(row);
      index.sql('UPDATE mailbox SET path = ?, deletedat = NULL WHERE id = ?').run(row.path, row.id);
      recountQuotas(index);
      return;
    }
    case 'acl': {
      const row = mailboxOf(index, event.mb);
      row.acl = event.acl;
      index.touch(row);
      return;
    }
    case 'subscribe':
      if (event.on) index.insert('subscription', [event.owner, event.path], 'INSERT OR IGNORE');
      else index.remove('subscription', 'owner = ? AND path = ?', event.owner, event.path);
      return;
    case 'quota':
      if (event.set) {
        index.quotas.set(event.path, {
          path: event.path,
          storageLimit: event.storage,
          messageLimit: event.messages,
          storage: 0,
          messages: 0,
        });
      } else index.quotas.delete(event.path);
      index.touchQuotas();
      recountQuotas(index);
      return;
    case 'raise':
      return applyRaise(index, event);
    case 'purge':
      return applyPurge(index, event);
    case 'marks':
      return applyMarks(index, event);
    case 'metadata':
      return applyMetadata(index, event, blobs);
    case 'snooze':
      return applySnooze(index, event);
    default:
      return applyScript(index, event, blobs);
  }
}

/** Assigns every mailbox its quota root anew and sums up: for the rare changes that move them. */
function recountQuotas(index: OwnerIndex): void {
  for (const quota of index.quotas.values()) {
    quota.storage = 0;
    quota.messages = 0;
  }
  for (const row of index.mailboxes.values()) {
    const root = row.deletedat === null ? quotarootOf(row.path, index.quotas) : null;
    if (root !== row.quotaroot) {
      row.quotaroot = root;
      index.touch(row);
    }
    if (root !== null) index.countQuota(root, row.messages, row.size);
  }
}

function applyMailbox(index: OwnerIndex, event: Extract<OwnerEvent, { k: 'mailbox' }>): void {
  const { data } = event;
  const row: MailboxRow = {
    id: data.id,
    path: data.path,
    mailboxid: data.mailboxid,
    uidvalidity: data.uidvalidity,
    uidnext: data.uidnext,
    highestmodseq: event.q,
    messages: 0,
    unseen: 0,
    deleted: 0,
    size: 0,
    recentuid: 0,
    seenbelow: data.uidnext,
    specialUse: data.specialUse,
    acl: data.acl,
    quotaroot: quotarootOf(data.path, index.quotas),
    partition: data.partition,
    keywords: [],
    created: data.created,
    deletedat: null,
  };
  index.insert('mailbox', mailboxValues(row));
  index.mailboxes.set(row.id, row);
  index.byPath.set(row.path, row);
  if (row.id >= index.nextMailbox) index.nextMailbox = row.id + 1;
  index.raiseModseq(row, event.q);
}

function applyAdd(index: OwnerIndex, event: Add, blobs: readonly Uint8Array[]): void {
  const row = mailboxOf(index, event.mb);
  const sizes = new Map<number, number>();
  for (const part of event.parts) {
    const structure = blobs[part.structure];
    if (structure === undefined) throw serverError(`${index.path}: a log record lacks its structure`);
    index.insert('part', [
      part.id,
      part.hash,
      part.file,
      part.partition,
      part.size,
      part.headerSize,
      part.envelope,
      part.bodystructure,
      structure,
      part.messageId,
      part.sentDate,
      part.thread ?? null,
    ]);
    sizes.set(part.id, part.size);
    if (part.id >= index.nextPart) index.nextPart = part.id + 1;
  }
  const insert = index.sql('INSERT INTO msg VALUES (?1, ?2, (?3 << 32) | ?4, ?5, ?6, ?7, ?8, ?9, ?10)');
  const delta = { messages: 0, size: 0, unseen: 0, deleted: 0 };
  for (const [uid, lo, hi, internaldate, savedate, part] of event.msgs) {
    const size = sizes.get(part) ?? partSize(index, part);
    if (size === undefined) throw serverError(`${index.path}: a log record names part ${part} without data`);
    const chk = messageChk(event.mb, uid, lo, hi, event.q, size, internaldate, savedate, part);
    insert.run(event.mb, uid, hi, lo, event.q, size, internaldate, savedate, part, chk);
    delta.messages++;
    delta.size += size;
    if ((lo & SEEN) === 0) delta.unseen++;
    if ((lo & DELETED) !== 0) delta.deleted++;
    if (uid >= row.uidnext) row.uidnext = uid + 1;
  }
  if (event.dup !== null) {
    const savedate = event.msgs[0]?.[4] ?? 0;
    index.remove('delivered', 'messageid = ? AND mailbox = ?', event.dup, event.mb);
    index.insert('delivered', [event.dup, event.mb, savedate]);
  }
  index.count(row, delta);
  index.raiseModseq(row, event.q);
}

/** Size of a part that stands in the index already: a copy within the owner. */
function partSize(index: OwnerIndex, part: number): number | undefined {
  return index.sql('SELECT size FROM part WHERE id = ?').values(part)[0]?.[0] as number | undefined;
}

/** Totals of a run of messages: [count, size, unseen, deleted]. */
function totals(
  index: OwnerIndex,
  mailbox: number,
  lo: number,
  hi: number,
): [number, number, number, number] {
  return index.sql(
    'SELECT count(*), coalesce(sum(size), 0), coalesce(sum((flags & 16) = 0), 0), coalesce(sum((flags & 8) <> 0), 0) ' +
      'FROM msg WHERE mailbox = ? AND uid BETWEEN ? AND ?',
  ).values(mailbox, lo, hi)[0] as [number, number, number, number];
}

function applyCopy(index: OwnerIndex, event: Copy): void {
  const row = mailboxOf(index, event.mb);
  const delta = { messages: 0, size: 0, unseen: 0, deleted: 0 };
  let next = event.first;
  UidSet.parse(event.u).forEachRun((lo, hi) => {
    const [count, size, unseen, deleted] = totals(index, event.from, lo, hi);
    delta.messages += count;
    delta.size += size;
    delta.unseen += unseen;
    delta.deleted += deleted;
    // A row that is missing may not move the UIDs of those behind it: the client was told which message got which.
    if (count !== hi - lo + 1) {
      throw index.damaged(`${hi - lo + 1 - count} messages of mailbox ${event.from} are missing`);
    }
    const flags = mapFlags(event.map);
    index.sql(
      `INSERT INTO msg SELECT ?1, uid + ?2, ${flags}, ?3, size, internaldate, ?4, part, chk + ${CHANGED} + ` +
        `(?1 - mailbox) * ${FACTOR.mailbox} + ?2 * ${FACTOR.uid} + (?4 - savedate) * ${FACTOR.savedate} + ` +
        `${changed(flags)} FROM msg WHERE mailbox = ?5 AND uid BETWEEN ?6 AND ?7`,
    ).run(event.mb, next - lo, event.q, event.savedate, event.from, lo, hi);
    next += count;
  });
  if (next > row.uidnext) row.uidnext = next;
  index.count(row, delta);
  index.raiseModseq(row, event.q);
}

/** SQL that moves keyword bits to their places in another mailbox. */
function mapFlags(map: readonly [number, number][]): string {
  if (map.length === 0) return 'flags';
  const moved = map.map(([from, to]) => `(((flags >> ${from}) & 1) << ${to})`).join(' | ');
  return `((flags & ${SYSTEM}) | ${moved})`;
}

function applyFlags(index: OwnerIndex, event: Flags): void {
  const row = mailboxOf(index, event.mb);
  const counted = event.op === 'replace' || (event.lo & (SEEN | DELETED)) !== 0;
  // Of one flag by itself it is known what each row that changes adds to the counters.
  const alone = event.op !== 'replace' && event.hi === 0 && (event.lo === SEEN || event.lo === DELETED);
  const changing = !alone ? '' : `AND (flags & ?2) ${event.op === 'add' ? '=' : '<>'} 0`;
  const update = index.sql(
    `UPDATE msg SET ${flagsText(event)} WHERE mailbox = ?4 AND uid BETWEEN ?5 AND ?6 ${changing}`,
  );
  const delta = { messages: 0, size: 0, unseen: 0, deleted: 0 };
  const count = (sign: 1 | -1, lo: number, hi: number): void => {
    if (!counted || alone) return;
    const [, , unseen, deleted] = totals(index, event.mb, lo, hi);
    delta.unseen += sign * unseen;
    delta.deleted += sign * deleted;
  };
  UidSet.parse(event.u).forEachRun((lo, hi) => {
    count(-1, lo, hi);
    const { changes } = update.run(event.hi, event.lo, event.q, event.mb, lo, hi);
    count(1, lo, hi);
    if (!alone) return;
    const more = event.op === 'add' ? changes : -changes;
    if (event.lo === SEEN) delta.unseen -= more;
    else delta.deleted += more;
  });
  if (counted) index.count(row, delta);
  if ((event.lo & SEEN) !== 0 || event.op === 'replace') noteSeen(index, row, event);
  index.raiseModseq(row, event.q);
}

/** Messages looked at to raise `seenbelow`: what one change may cost beside its own work. */
const RAISE = 200;

/** Moves `seenbelow` after a change of \Seen: down to where it was taken away, or some way up over messages that have it. */
function noteSeen(index: OwnerIndex, row: MailboxRow, event: Flags): void {
  if (row.unseen === 0) return; // `count` did it
  if (event.op !== 'add') {
    row.seenbelow = Math.min(row.seenbelow, UidSet.parse(event.u).min);
    return;
  }
  const next = `(SELECT uid, flags FROM msg WHERE mailbox = ? AND uid >= ? ORDER BY uid LIMIT ${RAISE})`;
  const [unseen] = index.sql(`SELECT uid FROM ${next} WHERE (flags & 16) = 0 LIMIT 1`).values(
    row.id,
    row.seenbelow,
  );
  const [last] = unseen === undefined
    ? index.sql(`SELECT max(uid) + 1 FROM ${next}`).values(row.id, row.seenbelow)
    : [unseen];
  row.seenbelow = (last?.[0] as number | null) ?? row.seenbelow;
}

/** What the new modseq ?3 adds to a row's `chk`. */
const CHANGED = `(?3 - modseq) * ${FACTOR.modseq}`;

/** What it adds when a row's flags become those of the expression. */
function changed(flags: string): string {
  if (flags === 'flags') return '0';
  return `((${flags} & 4294967295) - (flags & 4294967295)) * ${FACTOR.lo} + ` +
    `((${flags} >> 32) - (flags >> 32)) * ${FACTOR.hi}`;
}

/** The columns a flag change sets: halves ?1 and ?2 of the flags, modseq ?3. */
function flagsText({ op, hi }: Flags): string {
  // Without keywords beyond the lower half, the bits that change are all that is added or taken away.
  const low = hi === 0 && op !== 'replace';
  const bits = low ? '?2' : '((?1 << 32) | ?2)';
  const flags = op === 'add' ? `flags | ${bits}` : op === 'remove' ? `flags & ~${bits}` : bits;
  const chk = !low
    ? changed(`(${flags})`)
    : op === 'add'
    ? `(?2 & ~flags) * ${FACTOR.lo}`
    : `(?2 & flags) * ${-FACTOR.lo}`;
  return `flags = ${flags}, modseq = ?3, chk = chk + ${CHANGED} + ${chk}`;
}

function applyExpunge(index: OwnerIndex, event: Expunge): void {
  const row = mailboxOf(index, event.mb);
  const delta = { messages: 0, size: 0, unseen: 0, deleted: 0 };
  UidSet.parse(event.u).forEachRun((lo, hi) => {
    const [count, size, unseen, deleted] = totals(index, event.mb, lo, hi);
    delta.messages -= count;
    delta.size -= size;
    delta.unseen -= unseen;
    delta.deleted -= deleted;
    index.sql(
      'INSERT INTO expunged SELECT mailbox, uid, flags, ?3, size, internaldate, savedate, part, ?2, ' +
        `chk + ${CHANGED} + ?2 * ${FACTOR.expungedat} FROM msg WHERE mailbox = ?1 AND uid BETWEEN ?4 AND ?5`,
    ).run(event.mb, event.at, event.q, lo, hi);
    index.tally('expunged', count);
    index.sql('DELETE FROM msg WHERE mailbox = ? AND uid BETWEEN ? AND ?').run(event.mb, lo, hi);
  });
  index.count(row, delta);
  index.raiseModseq(row, event.q);
  forgetSleepers(index, event.mb, event.u);
}

function applyRecent(index: OwnerIndex, event: Extract<OwnerEvent, { k: 'recent' }>): void {
  const row = mailboxOf(index, event.mb);
  if (event.userid === index.userid) {
    row.recentuid = event.uid;
    index.touch(row);
    return;
  }
  index.putSeen(event.mb, event.userid, (row) => ({ ...row, recentuid: event.uid }));
}

function applyRaise(index: OwnerIndex, event: Extract<OwnerEvent, { k: 'raise' }>): void {
  const validities = new Map(event.uidvalidities);
  for (const row of index.mailboxes.values()) {
    const uidvalidity = validities.get(row.id);
    if (uidvalidity === undefined) row.uidnext += event.uids;
    else {
      row.uidvalidity = uidvalidity;
      index.sql('UPDATE mailbox SET uidvalidity = ? WHERE id = ?').run(uidvalidity, row.id);
    }
    index.raiseModseq(row, event.q);
    index.touch(row);
  }
  for (const table of ['msg', 'expunged']) {
    index.sql(`UPDATE ${table} SET modseq = ?1, chk = chk + (?1 - modseq) * ${FACTOR.modseq}`).run(event.q);
  }
  for (const [mailbox, userid] of index.intact('seen', '') as [number, string][]) {
    index.putSeen(mailbox, userid, (row) => ({ ...row, modseq: event.q }));
  }
  index.nextPart += event.parts;
}

function applyPurge(index: OwnerIndex, event: Purge): void {
  for (const [mailbox, uids] of event.expunged) {
    UidSet.parse(uids).forEachRun((lo, hi) => {
      index.remove('expunged', 'mailbox = ? AND uid BETWEEN ? AND ?', mailbox, lo, hi);
    });
  }
  for (const id of event.mailboxes) {
    index.sql('DELETE FROM msg WHERE mailbox = ?').run(id);
    for (const table of ['expunged', 'seen', 'annotation', 'delivered']) {
      index.remove(table, 'mailbox = ?', id);
    }
    index.remove('mailbox', 'id = ?', id);
    index.mailboxes.delete(id);
  }
  for (const id of event.parts) index.remove('part', 'id = ?', id);
  if (event.delivered > 0) index.remove('delivered', 'at < ?', event.delivered);
  if (event.marks !== undefined) index.remove('mark', 'until < ?', event.marks);
}
