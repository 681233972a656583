/** SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731, RFC 5182, RFC 7162 §3.1.5). */

import { asMailError } from '../../errors.ts';
import { UidSet } from '../../store/uidset.ts';
import { findFlagged } from '../flagged.ts';
import type { SearchCommand, SearchReturn } from '../parse/command.ts';
import { compileSearch, type SearchPlan } from '../search/evaluate.ts';
import { StoredMessage } from '../search/stored.ts';
import type { Selected } from '../selected.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { esearch, search as searchLine } from '../write/search.ts';
import { localZone } from '../zone.ts';

/** Rows taken at a time. */
const ROW_SLICE = 2000;
const FILE_SLICE = 100;

const ALL: SearchReturn = { min: false, max: false, all: true, count: false, save: false };

interface Found {
  readonly uids: UidSet;
  /** Of each message found; empty unless the search asks for MODSEQ. */
  readonly modseqs: ReadonlyMap<number, number>;
}

/**
 * SEARCH. The client's numbering does not change meanwhile. IMAP4rev2 clients are answered by ESEARCH, others too if they
 * said RETURN (Appendix E 4).
 */
export async function search(session: Session, command: SearchCommand, tag: string): Promise<Completion> {
  const selected = session.mailbox;
  const { view, mailbox } = selected;
  const returns = command.returns ?? (session.rev2 ? ALL : null);
  const plan = compileSearch(command.key, {
    uids: view.uids,
    lastUid: view.uids.max || mailbox.snapshot.uidnext,
    recent: view.recent,
    saved: selected.saved,
    keywords: mailbox.keywords,
    zone: localZone,
  });
  if (plan.modseq) session.enableCondstore();
  let found: Found;
  try {
    found = await find(session, selected, plan);
  } catch (thrown) {
    // RFC 9051 §6.4.4.1: a SAVE that ends in NO leaves an empty result.
    if (returns?.save === true && asMailError(thrown).kind !== 'syntax') selected.saved = UidSet.empty;
    throw thrown;
  }
  if (session.closed) return COMPLETED;
  // What is left out since another process expunged it meanwhile is known to be gone when the tag is answered.
  mailbox.refresh();
  if (returns?.save === true) selected.saved = savedResult(returns, found.uids);
  const numbers = selected.numbers(found.uids, command.uid);
  if (returns === null) {
    session.write(searchLine(numbers, plan.modseq ? highest(found, null) : null));
  } else if (returns.min || returns.max || returns.all || returns.count) {
    const modseq = plan.modseq ? highest(found, returns) : null;
    session.write(esearch(tag, command.uid, returns, numbers, modseq));
  }
  return COMPLETED;
}

/** The messages that match, by index where that suffices, else slice by slice; stops when the client is gone. */
async function find(session: Session, selected: Selected, plan: SearchPlan): Promise<Found> {
  const { mailbox, view } = selected;
  const { all, none, test, need } = plan;
  const modseqs = new Map<number, number>();
  let uids = plan.candidates.intersect(view.present);
  if (all.lo !== 0 || all.hi !== 0 || none.lo !== 0 || none.hi !== 0) {
    uids = await findFlagged(session, selected, uids, all, none);
  }
  if (test === null) return { uids, modseqs };
  const fromFile = need === 'header' || need === 'body';
  const limit = fromFile ? FILE_SLICE : ROW_SLICE;
  const matching: number[] = [];
  let after = 0;
  while (!session.closed) {
    const rows = fromFile ? mailbox.wide(uids, after, limit) : mailbox.narrow(uids, after, limit);
    for (const row of rows) {
      const message = new StoredMessage(mailbox, row);
      try {
        if (test(message)) {
          matching.push(message.uid);
          if (plan.modseq) modseqs.set(message.uid, message.modseq);
        }
      } catch (thrown) {
        // Expunged so long ago that its file is gone: it matches nothing.
        if (asMailError(thrown).code !== 'nonexistent') throw thrown;
      } finally {
        message.close();
      }
      if (fromFile && session.due) {
        await session.breathe();
        if (session.closed) break;
      }
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) break;
    after = last[0];
    if (session.due) await session.breathe();
  }
  return { uids: UidSet.fromSorted(matching), modseqs };
}

/** What `$` stands for afterwards (RFC 9051 §6.4.4.1, table 4). */
function savedResult(returns: SearchReturn, found: UidSet): UidSet {
  if (returns.all || returns.count || !(returns.min || returns.max) || found.isEmpty) return found;
  return UidSet.of(...(returns.min ? [found.min] : []), ...(returns.max ? [found.max] : []));
}

/**
 * The modseq an answer carries (RFC 7162 §3.1.5, RFC 4731 §3.2): the highest of all, or of the lowest and highest message
 * where only those are asked for.
 */
function highest({ uids, modseqs }: Found, returns: SearchReturn | null): number {
  const few = returns !== null && !returns.all && !returns.count;
  const asked = few ? savedResult(returns, uids) : uids;
  let top = 0;
  for (const uid of asked) top = Math.max(top, modseqs.get(uid) ?? 0);
  return top;
}
