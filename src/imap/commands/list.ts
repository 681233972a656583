import { asMailError } from '../../errors.ts';
import { type ListedName, Listing, PatternSet } from '../listing.ts';
import type { ListCommand, StatusItem } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { tellStatus } from '../statusitems.ts';
import { listLine } from '../write/list.ts';

/** LIST, basic and extended (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 3348). */
export async function list(session: Session, command: ListCommand): Promise<Completion> {
  const { names, store } = session.user;
  if (command.rootOnly) {
    session.untagged(`LIST (\\Noselect) "${names.separator}" ""`);
    return COMPLETED;
  }
  const listing = new Listing(store.list(), names);
  const patterns = new PatternSet(command.reference, command.patterns, names.separator);
  const chosen = choose(command, listing, patterns, session);
  for (const { name, selected, childInfo } of chosen) {
    // RFC 9051 §6.3.9.2: a mailbox whose status cannot be told is \NoSelect and has no STATUS line.
    const noStatus = command.returns.status !== null && name.info !== null && !name.info.rights.includes('r');
    const attributes = listAttributes(name, listing.hasChildren(name.external), {
      extended: command.extended || session.rev2,
      // Without a mailbox a name can be chosen only because it is subscribed, or for what is below it.
      subscribed: command.returns.subscribed &&
        (name.info?.subscribed ?? (command.select.subscribed && selected)),
      noSelect: noStatus,
    });
    session.write(
      listLine(
        'LIST',
        { attributes, separator: names.separator, name: name.external, childinfo: childInfo },
        session.rev2,
      ),
    );
    const { status } = command.returns;
    if (status !== null && selected && !noStatus && name.info?.selectable === true) {
      await listStatus(session, name, status);
    }
    if (session.due) await session.breathe();
    if (session.closed) break;
  }
  return COMPLETED;
}

/** STATUS of a listed mailbox; left out when it went away since the listing (RFC 9051 §6.3.9.2). */
async function listStatus(session: Session, name: ListedName, items: readonly StatusItem[]): Promise<void> {
  if (name.info === null) return;
  try {
    await tellStatus(session, name.external, session.store.info(name.info.name), items);
  } catch (thrown) {
    if (asMailError(thrown).code !== 'nonexistent') throw thrown;
  }
}

interface Chosen {
  readonly name: ListedName;
  /** It meets the selection criteria itself, not only by a mailbox below it. */
  readonly selected: boolean;
  /** Criteria met by mailboxes below it, for RECURSIVEMATCH (RFC 9051 §6.3.9.6). */
  readonly childInfo: readonly string[];
}

/** The names to list, in order. */
function choose(command: ListCommand, listing: Listing, patterns: PatternSet, session: Session): Chosen[] {
  const { select } = command;
  if (!select.subscribed && !select.specialUse) {
    return listing.names
      .filter(({ external, info }) =>
        info?.selectable === true ? patterns.matches(external) : patterns.matchesLevel(external)
      )
      .map((name) => ({ name, selected: true, childInfo: [] }));
  }
  const criteria: string[] = [];
  if (select.subscribed) criteria.push('SUBSCRIBED');
  if (select.specialUse) criteria.push('SPECIAL-USE');
  const candidates = select.subscribed ? subscribedNames(session, listing) : [...listing.names];
  const meeting = candidates.filter(({ info }) => !select.specialUse || (info?.specialUse.length ?? 0) > 0);
  const chosen = new Map<string, Chosen>();
  for (const name of meeting) {
    if (patterns.matches(name.external)) {
      chosen.set(name.external, { name, selected: true, childInfo: [] });
    }
  }
  if (!select.recursiveMatch) return [...chosen.values()];
  for (const { external } of meeting) {
    const listed = patterns.matches(external);
    for (const ancestor of listing.ancestors(external)) {
      const known = chosen.get(ancestor);
      if (known !== undefined) chosen.set(ancestor, { ...known, childInfo: criteria });
      // RFC 9051 §6.3.9.3, 2B: a name is listed for a child's sake only if the child itself is not.
      else if (!listed && patterns.matches(ancestor)) {
        chosen.set(ancestor, { name: listing.get(ancestor), selected: false, childInfo: criteria });
      }
    }
  }
  return [...chosen.values()];
}

/** What the user is subscribed to, in the order of the listing, names without a mailbox last. */
export function subscribedNames(session: Session, listing: Listing): ListedName[] {
  const { names, store } = session.user;
  const subscribed = new Set(store.subscriptions().map((name) => names.toExternal(name)));
  const found = listing.names.filter(({ external }) => subscribed.delete(external));
  return [...found, ...[...subscribed].sort().map((external) => ({ external, info: null }))];
}

/** Attributes of a LIST answer (RFC 9051 §7.3.1). `subscribed` says whether to tell \Subscribed. */
export function listAttributes(
  name: ListedName,
  hasChildren: boolean,
  options: { extended: boolean; subscribed: boolean; noSelect: boolean },
): string[] {
  const attributes: string[] = [];
  if (name.info?.selectable !== true) attributes.push(options.extended ? '\\NonExistent' : '\\Noselect');
  else if (options.noSelect) attributes.push('\\Noselect');
  if (options.subscribed) attributes.push('\\Subscribed');
  attributes.push(hasChildren ? '\\HasChildren' : '\\HasNoChildren');
  if (name.info !== null) attributes.push(...name.info.specialUse);
  return attributes;
}
