/** STORE: flags of messages, with CONDSTORE's condition and the rights of RFC 4314 §4. */
import { userError } from '../../../errors.ts';
import { DELETED, type FlagBits, keywordBit, MAX_KEYWORDS, SEEN, systemFlagBit } from '../../flags.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import type { MailboxRow } from '../../index/rows.ts';
import { hasRight } from '../../rights.ts';
import { UidSet } from '../../uidset.ts';
import type { Context } from '../context.ts';
import type { Change } from '../requests.ts';
import { flagBits } from './message.ts';
import { seenOf } from './seen.ts';

type Store = Extract<Change, { op: 'store' }>;

/** Runs from this length on are counted before their UIDs are listed: a list costs ten times as much. */
const LONG_RUN = 32;

/** UIDs of the given runs that meet a condition on their row. */
export function selectUids(
  index: OwnerIndex,
  mailbox: number,
  uids: UidSet,
  condition: string,
  parameters: number[],
): UidSet {
  const pairs: number[] = [];
  const where = `FROM msg WHERE mailbox = ? AND uid BETWEEN ? AND ? ${condition}`;
  uids.forEachRun((lo, hi) => {
    if (hi - lo >= LONG_RUN) {
      // Nearly always it is all of a run or none of it.
      const count = index.sql(`SELECT count(*) ${where}`).values(mailbox, lo, hi, ...parameters)[0]?.[0];
      if (count === hi - lo + 1) pairs.push(lo, hi);
      if (count === hi - lo + 1 || count === 0) return;
    }
    const rows = index.sql(`SELECT uid ${where} ORDER BY uid`).values(mailbox, lo, hi, ...parameters);
    for (const row of rows) pairs.push(row[0] as number, row[0] as number);
  });
  return UidSet.fromRuns(pairs);
}

/** The flags a caller may change, as bits: 's' is \Seen, 't' \Deleted, 'w' everything else. */
function permitted(rights: string): FlagBits {
  const write = hasRight(rights, 'w');
  let lo = write ? 0xffffffff & ~(SEEN | DELETED) : 0;
  if (hasRight(rights, 's')) lo |= SEEN;
  if (hasRight(rights, 't')) lo |= DELETED;
  return { lo: lo >>> 0, hi: write ? 0x3fffffff : 0 };
}

export function decideStore(
  context: Context,
  change: Store,
): { changed: string; modified: string; modseq: number } {
  const { index, row, rights } = context.mailboxById(change.owner, change.mailbox, change.by);
  const own = change.by.userid === index.userid;
  const may = permitted(rights);
  if (may.lo === 0 && may.hi === 0) throw userError('noperm', 'You may not change flags in this mailbox');
  const mayMake = hasRight(rights, 'w') && change.operation !== 'remove';
  const named = mayMake ? change.flags : known(row, change.flags);
  const { bits, newKeywords } = flagBits(row, named);
  const wanted = { lo: (bits.lo & may.lo) >>> 0, hi: (bits.hi & may.hi) >>> 0 };
  // RFC 4314 §4: NO only when none of the flags named may be changed.
  if (change.operation !== 'replace' && change.flags.length > 0 && (bits.lo !== 0 || bits.hi !== 0)) {
    if (wanted.lo === 0 && wanted.hi === 0) throw userError('noperm', 'You may not change these flags');
  }
  let uids = UidSet.parse(change.uids);
  let modified = UidSet.empty;
  // Where nothing depends on all that are there, one look for those that will change is enough.
  if (!own || change.unchangedSince !== null) uids = selectUids(index, row.id, uids, '', []);
  if (change.unchangedSince !== null) {
    modified = selectUids(index, row.id, uids, 'AND modseq > ?', [change.unchangedSince]);
    uids = uids.subtract(modified);
  }
  if (newKeywords.length > 0) context.emit(index, { k: 'keywords', mb: row.id, names: newKeywords });
  const q = index.nextModseq();
  let changed = UidSet.empty;
  if (!own) {
    const seen = seenOf(index, row.id, change.by.userid);
    const target = change.operation === 'remove'
      ? (bits.lo & SEEN) !== 0 ? seen.subtract(uids) : seen
      : (bits.lo & SEEN) !== 0
      ? seen.union(uids)
      : change.operation === 'replace'
      ? seen.subtract(uids)
      : seen;
    if (hasRight(rights, 's') && target.toString() !== seen.toString()) {
      changed = changed.union(target.subtract(seen)).union(seen.subtract(target));
      context.emit(index, { k: 'seen', mb: row.id, q, userid: change.by.userid, u: target.toString() });
    }
    wanted.lo = (wanted.lo & ~SEEN) >>> 0;
  }
  const mask = own ? may : { lo: (may.lo & ~SEEN) >>> 0, hi: may.hi };
  const set = (op: 'add' | 'remove', lo: number, hi: number): void => {
    if (lo === 0 && hi === 0) return;
    const test = op === 'add'
      ? 'AND (flags & ((? << 32) | ?)) <> ((? << 32) | ?)'
      : 'AND (flags & ((? << 32) | ?)) <> 0';
    const touched = selectUids(index, row.id, uids, test, op === 'add' ? [hi, lo, hi, lo] : [hi, lo]);
    if (touched.isEmpty) return;
    context.emit(index, { k: 'flags', mb: row.id, q, u: touched.toString(), op, lo, hi });
    changed = changed.union(touched);
  };
  if (change.operation !== 'remove') set('add', wanted.lo, wanted.hi);
  if (change.operation === 'remove') set('remove', wanted.lo, wanted.hi);
  if (change.operation === 'replace') {
    set('remove', (mask.lo & ~wanted.lo) >>> 0, (mask.hi & ~wanted.hi) >>> 0);
  }
  return {
    changed: changed.toString(),
    modified: modified.toString(),
    modseq: changed.isEmpty ? 0 : q,
  };
}

/** The named flags that exist already: removing a keyword nobody has set changes nothing. */
function known(row: MailboxRow, names: readonly string[]): string[] {
  const lower = new Set(row.keywords.map((keyword) => keyword.toLowerCase()));
  return names.filter((name) => systemFlagBit(name) !== 0 || lower.has(name.toLowerCase()));
}

/** Where each keyword of a source mailbox stands in a destination, and which have to be made there. */
export function mapKeywords(
  source: MailboxRow,
  destination: MailboxRow,
  used: FlagBits,
): { map: [number, number][]; newKeywords: string[]; identical: boolean } {
  const map: [number, number][] = [];
  const newKeywords: string[] = [];
  let identical = true;
  source.keywords.forEach((keyword, at) => {
    const { lo, hi } = keywordBit(at);
    if ((used.lo & lo) === 0 && (used.hi & hi) === 0) return;
    const lower = keyword.toLowerCase();
    let to = destination.keywords.findIndex((name) => name.toLowerCase() === lower);
    if (to === -1) to = destination.keywords.length + newKeywords.push(keyword) - 1;
    if (to >= MAX_KEYWORDS) {
      newKeywords.length = Math.max(0, MAX_KEYWORDS - destination.keywords.length);
      identical = false;
      return; // the copy loses a keyword its mailbox has no room for (RFC 9051 §6.4.7: flags SHOULD be kept)
    }
    if (to !== at) identical = false;
    map.push([at + 5, to + 5]);
  });
  return { map, newKeywords, identical };
}
