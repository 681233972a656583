/** COPY, MOVE and EXPUNGE. Within an owner a copy is index rows only; across owners parts get a second link. */
import { userError } from '../../../errors.ts';
import { DELETED, SEEN } from '../../flags.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import type { MailboxRow } from '../../index/rows.ts';
import type { AddedMessage, PartData } from '../../log/events.ts';
import { hasRight } from '../../rights.ts';
import { partFile } from '../../spool/spool.ts';
import { UidSet } from '../../uidset.ts';
import { type Context, demand, noMailbox } from '../context.ts';
import type { Change } from '../requests.ts';
import { mapKeywords, selectUids } from './flags.ts';
import { checkQuota } from './message.ts';
import { seenOf } from './seen.ts';

type Copy = Extract<Change, { op: 'copy' }>;
type Expunge = Extract<Change, { op: 'expunge' }>;

/** Messages of one step: a few milliseconds of the writer (DESIGN rule 15). */
export const COPY_STEP = 2500;

/** The answer to a COPY or MOVE; UIDs in sequence-set form. */
export interface Copied {
  uidvalidity: number;
  source: string;
  destination: string;
}

/**
 * RFC 9051 §6.4.7, RFC 6851. A MOVE is one record: destination before source (DESIGN rule 8). Yields between its steps; between
 * them the owners are nobody else's (writer/long.ts).
 */
export function* decideCopy(context: Context, change: Copy): Generator<void, Copied> {
  const from = context.mailboxById(change.owner, change.mailbox, change.by);
  demand(from.rights, change.move ? 'rte' : 'r', change.move ? 'move messages' : 'copy messages');
  const to = context.mailbox(change.to, change.by);
  demand(to.rights, 'i', 'add messages to that mailbox');
  const { uids, size, used } = yield* present(from, UidSet.parse(change.uids));
  if (uids.isEmpty) return { uidvalidity: to.row.uidvalidity, source: '', destination: '' };
  const first = to.row.uidnext;
  if (first + uids.size > 0xfffffffe) throw userError('cannot', 'The mailbox has used up its UIDs');
  const sameRoot = from.index === to.index && from.row.quotaroot === to.row.quotaroot;
  if (!(change.move && sameRoot)) checkQuota(to.index, to.row, size, uids.size);
  const { map, newKeywords, identical } = mapKeywords(from.row, to.row, used);
  const keepsAll = ['w', 's', 't'].every((right) => hasRight(to.rights, right)) &&
    change.by.userid === to.index.userid && change.by.userid === from.index.userid;
  if (newKeywords.length > 0 && hasRight(to.rights, 'w')) {
    context.emit(to.index, { k: 'keywords', mb: to.row.id, names: newKeywords });
  }
  const q = to.index.nextModseq();
  if (from.index === to.index && keepsAll) {
    for (const { step, before } of steps(uids)) {
      if (before > 0) yield;
      context.emit(to.index, {
        k: 'copy',
        from: from.row.id,
        mb: to.row.id,
        q,
        u: step.toString(),
        first: first + before,
        savedate: context.now,
        // No keyword has a place there: the one bit that is never set keeps none of them.
        map: identical ? [] : map.length === 0 ? [[62, 5]] : map,
      });
    }
  } else yield* copyRows(context, change, from, to, uids, q, map);
  if (change.move) {
    const gone = from.index.nextModseq();
    for (const { step } of steps(uids)) {
      if (uids.size > COPY_STEP) yield;
      context.emit(from.index, {
        k: 'expunge',
        mb: from.row.id,
        q: gone,
        u: step.toString(),
        at: context.now,
      });
    }
  }
  return {
    uidvalidity: to.row.uidvalidity,
    source: uids.toString(),
    destination: UidSet.range(first, first + uids.size - 1).toString(),
  };
}

/** A set in steps, with the number of members before each. */
function* steps(uids: UidSet): IterableIterator<{ step: UidSet; before: number }> {
  for (let before = 0; before < uids.size; before += COPY_STEP) {
    yield { step: uids.slice(before + 1, before + COPY_STEP), before };
  }
}

interface Place {
  index: OwnerIndex;
  row: MailboxRow;
  rights: string;
}

/** Which of the UIDs are there, the size of their messages, and the union of their flags. */
function* present(
  { index, row }: Place,
  wanted: UidSet,
): Generator<void, { uids: UidSet; size: number; used: { lo: number; hi: number } }> {
  const pairs: number[] = [];
  let size = 0;
  let lo = 0;
  let hi = 0;
  const where = 'FROM msg WHERE mailbox = ? AND uid BETWEEN ? AND ?';
  for (const { step, before } of steps(wanted.clip(1, row.uidnext - 1))) {
    if (before > 0) yield;
    const uids = selectUids(index, row.id, step, '', []);
    uids.forEachRun((from, to) => {
      pairs.push(from, to);
      size += index.sql(`SELECT sum(size) ${where}`).values(row.id, from, to)[0]?.[0] as number;
      if (row.keywords.length === 0) return;
      const flags = index.sql(`SELECT DISTINCT flags & 4294967295, flags >> 32 ${where}`)
        .values(row.id, from, to) as [number, number][];
      for (const [low, high] of flags) {
        lo |= low;
        hi |= high;
      }
    });
  }
  return { uids: UidSet.fromRuns(pairs), size, used: { lo: lo >>> 0, hi: hi >>> 0 } };
}

/** Copies row by row: to another owner, or where the caller's rights or \Seen state change the flags. */
function* copyRows(
  context: Context,
  change: Copy,
  from: Place,
  to: Place,
  uids: UidSet,
  q: number,
  map: readonly [number, number][],
): Generator<void, void> {
  const sameOwner = from.index === to.index;
  const owner = context.state.owners.ownerOf(from.index);
  const ownSource = change.by.userid === from.index.userid;
  const ownTarget = change.by.userid === to.index.userid;
  const seen = ownSource ? UidSet.empty : seenOf(from.index, from.row.id, change.by.userid);
  const statement = from.index.sql(
    'SELECT m.uid, m.flags & 4294967295, m.flags >> 32, m.internaldate, m.part, p.hash, p.file, p.partition, p.size, ' +
      'p.headersize, p.envelope, p.bodystructure, p.structure, p.messageid, p.sentdate, p.thread ' +
      'FROM msg m JOIN part p ON p.id = m.part WHERE m.mailbox = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid',
  );
  type Row = [
    number,
    number,
    number,
    number,
    number,
    string,
    string,
    string,
    number,
    number,
    string,
    string,
    Uint8Array,
    string | null,
    number | null,
    string | null,
  ];
  const seenTarget: number[] = [];
  const known = new Map<number, number>();
  const copyStep = (step: UidSet): void => {
    from.index.demandIntact(from.row.id, step);
    const parts: PartData[] = [];
    const msgs: AddedMessage[] = [];
    let uid = to.row.uidnext;
    let { nextPart } = to.index;
    step.forEachRun((lowest, highest) => {
      for (const row of statement.values(from.row.id, lowest, highest) as Row[]) {
        const [source, sourceLo, sourceHi, internaldate, sourcePart, hash, file, partition, size] = row;
        let lo = sourceLo & 31;
        let hi = 0;
        for (const [a, b] of map) {
          const on = a < 32 ? (sourceLo >>> a) & 1 : (sourceHi >>> (a - 32)) & 1;
          if (on) {
            if (b < 32) lo |= 1 << b;
            else hi |= 1 << (b - 32);
          }
        }
        const isSeen = ownSource ? (lo & SEEN) !== 0 : seen.has(source);
        if (!hasRight(to.rights, 'w')) lo &= SEEN | DELETED, hi = 0;
        if (!hasRight(to.rights, 't')) lo &= ~DELETED;
        lo &= ~SEEN;
        if (isSeen && hasRight(to.rights, 's')) {
          if (ownTarget) lo |= SEEN;
          else seenTarget.push(uid);
        }
        let part = sameOwner ? sourcePart : known.get(sourcePart);
        if (part === undefined) {
          part = nextPart++;
          known.set(sourcePart, part);
          // What is written elsewhere would get a digest of its own there: damage must not pass for mail.
          from.index.intact('part', 'WHERE id = ?', sourcePart);
          parts.push({
            id: part,
            hash,
            file: partFile(hash, context.lsn, part),
            partition: to.row.partition,
            size,
            headerSize: row[9],
            envelope: row[10],
            bodystructure: row[11],
            structure: context.blob(row[12]),
            messageId: row[13],
            sentDate: row[14],
            thread: row[15],
            source: { link: context.state.spool.path(partition, owner.folder, file) },
          });
        }
        msgs.push([uid++, lo >>> 0, hi >>> 0, internaldate, context.now, part]);
      }
    });
    context.emit(to.index, { k: 'add', mb: to.row.id, q, parts, msgs, dup: null });
  };
  for (const { step, before } of steps(uids)) {
    if (before > 0) yield;
    copyStep(step);
  }
  if (seenTarget.length > 0) {
    const all = seenOf(to.index, to.row.id, change.by.userid).union(UidSet.fromSorted(seenTarget));
    context.emit(to.index, { k: 'seen', mb: to.row.id, q, userid: change.by.userid, u: all.toString() });
  }
}

/** RFC 9051 §6.4.3, RFC 4315: removes what is marked \Deleted, among `uids` or all. */
export function decideExpunge(context: Context, change: Expunge): { expunged: string; modseq: number } {
  const { index, row, rights } = context.mailboxById(change.owner, change.mailbox, change.by);
  const lacking = !hasRight(rights, 'e') ? 'e' : change.unmarked && !hasRight(rights, 't') ? 't' : null;
  if (lacking !== null) {
    if (!hasRight(rights, 'l')) throw noMailbox();
    throw userError('noperm', `You lack the right '${lacking}' needed to expunge messages`);
  }
  if (row.deleted === 0 && !change.unmarked) return { expunged: '', modseq: row.highestmodseq };
  const among = change.uids === null ? UidSet.range(1, 0xffffffff) : UidSet.parse(change.uids);
  const uids = selectUids(index, row.id, among, change.unmarked ? '' : 'AND (flags & 8) <> 0', []);
  if (uids.isEmpty) return { expunged: '', modseq: row.highestmodseq };
  const q = index.nextModseq();
  const at = context.settings.expunge_mode === 'immediate' ? 0 : context.now;
  context.emit(index, { k: 'expunge', mb: row.id, q, u: uids.toString(), at });
  return { expunged: uids.toString(), modseq: q };
}
