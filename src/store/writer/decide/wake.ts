/**
 * Waking: messages whose time has come move to where they belong, with the flags that their script wanted.
 *
 * Invariants
 * 1. No message is lost or left asleep for a mailbox that is gone or that its owner may not put mail into: it goes to the INBOX.
 * 2. It is the move of a message that was counted before, so no quota refuses it.
 */
import type { OwnerIndex } from '../../index/owner.ts';
import type { MailboxRow } from '../../index/rows.ts';
import { type Sleeper, sleepers } from '../../index/snoozed.ts';
import { hasRight } from '../../rights.ts';
import type { Context } from '../context.ts';
import type { Change } from '../requests.ts';
import { fittingFlags } from './fitting.ts';
import { mapKeywords } from './flags.ts';
import { allowedFlags, flagBits, LAST_UID } from './message.ts';

type Wake = Extract<Change, { op: 'wake' }>;

/** Messages of one change: a few milliseconds of the writer (DESIGN rule 15). */
const MOST = 100;

/** Answers with when the next one wakes, in unix seconds; null where none sleeps. */
export function decideWake(context: Context, change: Wake): { woken: number; next: number | null } {
  const index = context.indexById(change.owner);
  const all = sleepers(index);
  const due = all.filter(({ until }) => until <= change.upTo).slice(0, MOST);
  let woken = 0;
  const stuck: Sleeper[] = [];
  for (const sleeper of due) {
    if (wake(context, index, sleeper)) woken++;
    else stuck.push(sleeper);
  }
  return { woken, next: all[due.length]?.until ?? (stuck.length > 0 ? change.upTo + RETRY : null) };
}

/** Seconds until one that has no mailbox to go to is looked at again: its owner has no INBOX for now. */
const RETRY = 3600;

/** False where there is no mailbox for it. */
function wake(context: Context, index: OwnerIndex, sleeper: Sleeper): boolean {
  const { mailbox, uid, add, remove } = sleeper;
  const from = index.mailboxes.get(mailbox) as MailboxRow;
  const q = index.nextModseq();
  const message = index.sql('SELECT flags & 4294967295, flags >> 32 FROM msg WHERE mailbox = ? AND uid = ?')
    .values(mailbox, uid)[0] as [number, number] | undefined;
  if (message === undefined) {
    context.emit(index, { k: 'snooze', mb: mailbox, uid, q, wake: null });
    return true;
  }
  const to = target(context, index, sleeper);
  if (to === null) return false;
  const [lo, hi] = message;
  let there = uid;
  if (to !== from) {
    there = to.uidnext;
    const { map, newKeywords, identical } = mapKeywords(from, to, { lo: lo >>> 0, hi });
    if (newKeywords.length > 0) context.emit(index, { k: 'keywords', mb: to.id, names: newKeywords });
    context.emit(index, {
      k: 'copy',
      from: from.id,
      mb: to.id,
      q,
      u: String(uid),
      first: there,
      savedate: context.now,
      // No keyword has a place there: the one bit that is never set keeps none of them.
      map: identical ? [] : map.length === 0 ? [[62, 5]] : map,
    });
  }
  const rights = context.rights(to, { userid: index.userid, admin: false, groups: [] }, index.userid);
  const known = new Set(to.keywords.map((keyword) => keyword.toLowerCase()));
  const gone = allowedFlags(rights, remove).filter((name) =>
    name.startsWith('\\') || known.has(name.toLowerCase())
  );
  change(context, index, to, there, 'remove', fittingFlags(to, gone));
  change(context, index, to, there, 'add', fittingFlags(to, allowedFlags(rights, add)));
  if (to === from) context.emit(index, { k: 'snooze', mb: from.id, uid, q: index.nextModseq(), wake: null });
  else {
    // What is expunged sleeps no more (index/apply.ts).
    context.emit(index, {
      k: 'expunge',
      mb: from.id,
      q: index.nextModseq(),
      u: String(uid),
      at: context.settings.expunge_mode === 'immediate' ? 0 : context.now,
    });
  }
  return true;
}

/** Where a message goes: its mailbox, else the INBOX. */
function target(context: Context, index: OwnerIndex, { to, mailbox }: Sleeper): MailboxRow | null {
  const rows = [...index.byPath.values()];
  const wanted = rows.find((row) => row.mailboxid === to);
  const inbox = index.byPath.get('');
  const by = { userid: index.userid, admin: false, groups: [] };
  for (const row of [wanted, inbox]) {
    if (row === undefined) continue;
    if (row.id === mailbox) return row;
    if (row.uidnext > LAST_UID) continue;
    if (row === inbox || hasRight(context.rights(row, by, index.userid), 'i')) return row;
  }
  return null;
}

/** Adds or removes flags of one message. */
function change(
  context: Context,
  index: OwnerIndex,
  row: MailboxRow,
  uid: number,
  op: 'add' | 'remove',
  names: readonly string[],
): void {
  if (names.length === 0) return;
  const { bits: { lo, hi }, newKeywords } = flagBits(row, names);
  if (lo === 0 && hi === 0) return;
  if (newKeywords.length > 0) context.emit(index, { k: 'keywords', mb: row.id, names: newKeywords });
  const test = op === 'add'
    ? '(flags & ((?3 << 32) | ?4)) <> ((?3 << 32) | ?4)'
    : '(flags & ((?3 << 32) | ?4)) <> 0';
  const found = index.sql(`SELECT 1 FROM msg WHERE mailbox = ?1 AND uid = ?2 AND ${test}`)
    .values(row.id, uid, hi, lo);
  if (found.length === 0) return;
  context.emit(index, { k: 'flags', mb: row.id, q: index.nextModseq(), u: String(uid), op, lo, hi });
}
