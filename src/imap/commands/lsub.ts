import { Listing, PatternSet } from '../listing.ts';
import type { LsubCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { subscribedNames } from './list.ts';
import { listLine } from '../write/list.ts';

/**
 * LSUB (RFC 3501 §6.3.9): subscribed names, whether or not they exist. For a pattern that ends in `%`, a level that is
 * not subscribed but has a subscribed name below it is answered with \Noselect.
 */
export function lsub(session: Session, command: LsubCommand): Completion {
  const { names, store } = session.user;
  const answer = (attributes: string[], external: string) =>
    session.write(
      listLine('LSUB', { attributes, separator: names.separator, name: external }, session.rev2),
    );
  if (command.patterns.length === 1 && command.patterns[0] === '') {
    answer(['\\Noselect'], '');
    return COMPLETED;
  }
  const listing = new Listing(store.list(), names);
  const patterns = new PatternSet(command.reference, command.patterns, names.separator);
  const subscribed = subscribedNames(session, listing);
  const told = new Set(subscribed.map(({ external }) => external));
  for (const { external } of subscribed) {
    if (patterns.matches(external)) answer([], external);
    for (const level of listing.ancestors(external)) {
      if (told.has(level)) continue;
      told.add(level);
      if (patterns.matchesLevel(level)) answer(['\\Noselect'], level);
    }
  }
  return COMPLETED;
}
