/**
 * The algebra of access rights (RFC 4314), pure: no store, no clock.
 *
 * Rights are kept as strings of letters from `RIGHTS`, each once and in that order. The virtual letters `c` and `d` of
 * RFC 2086 are read by `parseRights` and written by `showRights`; in between they do not exist, so that reading
 * back what was shown can never widen it. Handlers ask `hasRight`.
 */

import { syntaxError } from '../errors.ts';
import type { Settings } from '../config/settings.ts';
import type { AclEntry, Identity } from './border.ts';
import { isSharedOwner, splitUserid } from './userid.ts';

/** All rights of RFC 4314 §2.1, in the order Cyrus writes them. */
export const RIGHTS = 'lrswipkxtea';

/** Who everybody is in an ACL (RFC 4314 §2). */
export const ANYONE = 'anyone';

/** Who nobody in particular is: an unauthenticated poster. */
export const ANONYMOUS = 'anonymous';

/** What an owner has whatever the ACL says, so that nobody locks himself out (Cyrus: implicit_owner_rights). */
export const OWNER_RIGHTS = 'lkxa';

/**
 * What an administrator has on every mailbox: to see, create, delete and hand out rights, not to read. Reading
 * somebody's mail takes a SETACL first, which is logged.
 */
export const ADMIN_RIGHTS = 'lkxa';

/** What the owner gets in the ACL of a new INBOX. */
export const FULL_RIGHTS = RIGHTS;

/** Cyrus's `defaultacl`: the ACL of a new first-level shared mailbox. */
const SHARED_ACL: readonly AclEntry[] = [{ identifier: ANYONE, rights: 'lrs' }];

/** `c` and `d` as Cyrus reads them (`deleteright: c`, the first group of RFC 4314 §2.1.1). */
const CREATE = 'kx';
const DELETE = 'te';

export type RightsSettings = Pick<Settings, 'virtdomains'>;

/** Whether the letter is among the rights. */
export function hasRight(rights: string, letter: string): boolean {
  return rights.includes(letter);
}

/** The letters of `RIGHTS` that `wanted` says yes to. */
function select(wanted: (letter: string) => boolean): string {
  let rights = '';
  for (const letter of RIGHTS) if (wanted(letter)) rights += letter;
  return rights;
}

/** Rights in either. */
export function unite(a: string, b: string): string {
  return select((letter) => a.includes(letter) || b.includes(letter));
}

/** Rights in `a` and not in `b`. */
export function subtract(a: string, b: string): string {
  return select((letter) => a.includes(letter) && !b.includes(letter));
}

/**
 * Rights as a client or an administrator writes them. `c` stands for `k` and `x`, `d` for `t` and `e` (RFC 4314
 * §2.1.1); letters may repeat.
 * @throws MailError 'badsyntax' for a letter that is no right (§3.1: never ignored silently)
 */
export function parseRights(text: string): string {
  let letters = '';
  for (const letter of text) {
    if (letter === 'c') letters += CREATE;
    else if (letter === 'd') letters += DELETE;
    else if (RIGHTS.includes(letter)) letters += letter;
    else if (letter >= 'A' && letter <= 'Z') throw syntaxError('Uppercase rights are not allowed');
    else throw syntaxError(`The ${JSON.stringify(letter)} right is not supported`);
  }
  return select((letter) => letters.includes(letter));
}

/**
 * The rights after a SETACL of `change` to an identifier that has `current`: `+x` adds, `-x` removes, anything
 * else replaces (RFC 4314 §3.1).
 * @throws MailError 'badsyntax'
 */
export function changeRights(current: string, change: string): string {
  const rights = change.slice(1);
  if (change.startsWith('+')) return unite(current, parseRights(rights));
  if (change.startsWith('-')) return subtract(current, parseRights(rights));
  return parseRights(change);
}

/** Rights for ACL, MYRIGHTS and the tools: with `c` and `d` where a member is there (RFC 4314 §2.1.1). */
export function showRights(rights: string): string {
  let text = select((letter) => rights.includes(letter));
  const administer = text.endsWith('a') ? 'a' : '';
  if (administer !== '') text = text.slice(0, -1);
  if (rights.includes('k') || rights.includes('x')) text += 'c';
  if (rights.includes('t') || rights.includes('e')) text += 'd';
  return text + administer;
}

/**
 * LISTRIGHTS (RFC 4314 §3.7): what `identifier` always has on a mailbox of `owner`, and what it can be granted,
 * in groups of which all or none is granted. No rights are tied, so `c` and `d` stand alone (§2.1.1).
 */
export function listRights(identifier: string, owner: string): { required: string; optional: string[] } {
  const always = identifier === owner && !isSharedOwner(owner) ? OWNER_RIGHTS : '';
  const optional = [...RIGHTS].filter((letter) => !always.includes(letter));
  const required = showRights(always);
  for (const virtual of 'cd') if (!required.includes(virtual)) optional.push(virtual);
  return { required, optional };
}

/** The ACL without the entry of `identifier`, or with its rights replaced; entries without rights do not stay. */
export function withEntry(acl: readonly AclEntry[], identifier: string, rights: string | null): AclEntry[] {
  const entry = { identifier, rights: rights ?? '' };
  const at = acl.findIndex((other) => other.identifier === identifier);
  const result = [...acl];
  if (entry.rights === '') {
    if (at >= 0) result.splice(at, 1);
  } else if (at >= 0) result[at] = entry;
  else result.push(entry);
  return result;
}

/** What the ACL itself gives: everything granted to one of the names, without everything denied to one (§2). */
function granted(acl: readonly AclEntry[], names: ReadonlySet<string>, groupsUnknown = false): string {
  let give = '';
  let deny = '';
  for (const { identifier, rights } of acl) {
    if (names.has(identifier)) give += rights;
    else if (
      identifier.startsWith('-') &&
      (names.has(identifier.slice(1)) || (groupsUnknown && identifier.startsWith('-group:')))
    ) deny += rights;
  }
  return give === '' ? '' : subtract(give, deny);
}

/** All identifiers that mean this caller. */
function namesOf(identity: Identity): Set<string> {
  const names = new Set([ANYONE, identity.userid]);
  for (const group of identity.groups) names.add(group.startsWith('group:') ? group : `group:${group}`);
  return names;
}

/**
 * What `identity` may do to a mailbox of `owner` with this ACL. Negative entries win over positive ones, implicit
 * rights of owners and administrators over both. With virtual domains nobody but an administrator without a domain
 * has any right outside his own one: `anyone` means anyone of the mailbox's domain.
 */
export function effectiveRights(
  acl: readonly AclEntry[],
  identity: Identity,
  owner: string,
  settings: RightsSettings,
): string {
  if (settings.virtdomains !== 'off') {
    const domain = splitUserid(identity.userid, settings).domain;
    const global = identity.admin && domain === '';
    if (!global && domain !== splitUserid(owner, settings).domain) return '';
  }
  let rights = granted(acl, namesOf(identity), identity.groupsUnknown);
  if (identity.userid === owner && !isSharedOwner(owner)) rights = unite(rights, OWNER_RIGHTS);
  if (identity.admin) rights = unite(rights, ADMIN_RIGHTS);
  return shared(rights);
}

/** All sets of rights there were: at most 2,048 strings for all open mailboxes. */
const interned = new Map<string, string>();

/** The one string of these rights. */
function shared(rights: string): string {
  const known = interned.get(rights);
  if (known !== undefined) return known;
  interned.set(rights, rights);
  return rights;
}

/**
 * Whether a message may be posted to this mailbox by its address (`user+detail`, a shared folder): needs `p`. The
 * INBOX of a user takes mail without asking this. A poster who is not known (null) is `anonymous` and `anyone`;
 * domains do not matter here, mail comes from everywhere.
 */
export function mayPost(acl: readonly AclEntry[], poster: Identity | null): boolean {
  const names = poster === null ? new Set([ANYONE, ANONYMOUS]) : namesOf(poster);
  return hasRight(granted(acl, names), 'p');
}

/**
 * The ACL of a new mailbox: its parent's, else for an INBOX everything for the owner, else Cyrus's `defaultacl`.
 * @param parent the ACL of the nearest mailbox above it that exists, or null
 */
export function newAcl(owner: string, parent: readonly AclEntry[] | null): AclEntry[] {
  if (parent !== null) return parent.map((entry) => ({ ...entry }));
  if (isSharedOwner(owner)) return SHARED_ACL.map((entry) => ({ ...entry }));
  return [{ identifier: owner, rights: FULL_RIGHTS }];
}
