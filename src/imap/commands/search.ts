/** SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731, RFC 5182, RFC 7162 §3.1.5). */

import { asMailError } from '../../errors.ts';
import { UidSet } from '../../store/uidset.ts';
import type { SearchCommand, SearchReturn } from '../parse/command.ts';
import { find, type Found, planSearch } from '../search/find.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { esearch, search as searchLine } from '../write/search.ts';

const ALL: SearchReturn = { min: false, max: false, all: true, count: false, save: false };

/**
 * SEARCH. The client's numbering does not change meanwhile. IMAP4rev2 clients are answered by ESEARCH, others too if they
 * said RETURN (Appendix E 4).
 */
export async function search(session: Session, command: SearchCommand, tag: string): Promise<Completion> {
  const selected = session.mailbox;
  const { mailbox } = selected;
  const returns = command.returns ?? (session.rev2 ? ALL : null);
  const plan = planSearch(session, selected, command.key);
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
