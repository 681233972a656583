/**
 * From what a client types or an envelope says to the one userid the store knows (FIELD: names). Pure: the domain
 * that belongs to the connection comes in as an argument, `interface.ts` finds it.
 *
 *   virtdomains   login        userid
 *   off           Bob          bob              what stands behind an @ is part of the name
 *   userid        bob@d        bob@d            bob if d is the default domain
 *   userid        bob          bob              a user of the default domain
 *   on            bob          bob@i            i: the domain of the interface; bob if i is the default domain
 *   on            cyrus        cyrus            named without a domain in `admins` or `proxyservers`: global
 */

import { syntaxError, userError } from '../errors.ts';
import type { Settings } from '../config/settings.ts';
import { folderName } from '../store/names.ts';
import { canonicalDomain, makeUserid } from '../store/userid.ts';

export type CanonicalSettings = Pick<
  Settings,
  'virtdomains' | 'defaultdomain' | 'username_tolower' | 'admins' | 'proxyservers'
>;

/** What is known of the connection. */
export interface CanonicalContext {
  /** Domain of names without one where `virtdomains` is on; '' where none is known. */
  readonly interfaceDomain: string;
}

/** A recipient as the store understands it. */
export interface CanonicalRecipient {
  /** The userid; '' or `@domain` for a shared folder (`+staff@example.org`). */
  readonly userid: string;
  /** The folder behind '+', as path of a MailboxName; null without one or where no folder can have that name. */
  readonly detail: string | null;
}

/**
 * The userid of a login name. Not whether there is such a user.
 * @throws MailError 'nouser' for what no user can be called; the answer to a client must not tell it from a wrong
 *   password
 */
export function canonicalUser(login: string, settings: CanonicalSettings, context: CanonicalContext): string {
  if (!login.isWellFormed()) throw userError('nouser', 'the user name is not valid Unicode');
  const { local, domain } = splitLogin(login, settings);
  const name = settings.username_tolower ? local.toLowerCase() : local;
  return qualify(name, domain, settings, context);
}

/** Whether the userid of this login depends on the connection's interface (so that only then it is looked up). */
export function needsInterface(login: string, settings: CanonicalSettings): boolean {
  return settings.virtdomains === 'on' && splitLogin(login, settings).domain === null &&
    !isGlobal(settings.username_tolower ? login.toLowerCase() : login, settings);
}

/** Where the first of some delimiters stands in a local part; -1 without one. */
export function delimiterAt(local: string, delimiters: string): number {
  for (let at = 0; at < local.length; at++) if (delimiters.includes(local[at] as string)) return at;
  return -1;
}

/**
 * The userid and folder of an envelope address, both parts without quoting. `recipient_delimiter` is between them ('+' here). The
 * local part up to '+' is lower-cased by `lmtp_downcase_rcpt`; without virtual domains the domain does not matter.
 * @param domain '' where the address has none
 * @throws MailError 'nouser' where no user can have this address
 */
export function canonicalRecipient(
  local: string,
  domain: string,
  settings:
    & CanonicalSettings
    & Pick<Settings, 'lmtp_downcase_rcpt' | 'unixhierarchysep' | 'postuser' | 'recipient_delimiter'>,
  context: CanonicalContext,
): CanonicalRecipient {
  if (!local.isWellFormed()) throw userError('nouser', 'the recipient is not valid Unicode');
  const plus = delimiterAt(local, settings.recipient_delimiter);
  let user = plus < 0 ? local : local.slice(0, plus);
  const detail = plus < 0 ? '' : local.slice(plus + 1);
  if (settings.lmtp_downcase_rcpt) user = user.toLowerCase();
  const named = settings.virtdomains === 'off' || domain === '' ? null : domain;
  if (user === '' || plus >= 0 && user === postuserOf(settings)) {
    // Cyrus: an address that begins with '+', or with the name in postuser, is a shared folder's.
    const where = named === null ? '' : homeDomain(named, settings);
    const owner = where === '' ? '' : `@${where}`;
    const path = detailPath(detail, owner, settings);
    if (path === null) throw userError('nouser', `'${local}' is not the address of a folder`);
    return { userid: owner, detail: path };
  }
  const userid = qualify(user, named, settings, context);
  return { userid, detail: detailPath(detail, userid, settings) };
}

/** As local parts of recipients are compared; '' where there is none. */
function postuserOf(
  { postuser, lmtp_downcase_rcpt }: Pick<Settings, 'postuser' | 'lmtp_downcase_rcpt'>,
): string {
  return lmtp_downcase_rcpt ? postuser.toLowerCase() : postuser;
}

/**
 * An identifier of an ACL as the store keeps it: a userid, `anyone`, `anonymous` or `group:x`, with '-' in front where
 * it takes rights away (RFC 4314 §2). A user without a domain is one of the mailbox's domain, as nobody else can
 * have rights there, but a global administrator.
 * @param domain of the mailbox's owner, '' for the default domain
 * @throws MailError 'badsyntax' for what can be none (§3: BAD)
 */
export function canonicalIdentifier(identifier: string, domain: string, settings: CanonicalSettings): string {
  const negative = identifier.startsWith('-') ? '-' : '';
  const name = identifier.slice(negative.length);
  const lower = name.toLowerCase();
  if (lower === 'anyone' || lower === 'anybody') return `${negative}anyone`;
  if (lower === 'anonymous') return `${negative}anonymous`;
  const prepared = name.normalize('NFC');
  if (lower.startsWith('group:')) {
    const group = prepared.slice('group:'.length);
    if (group !== '' && group.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(group)) {
      return `${negative}group:${group}`;
    }
  } else {
    try {
      const context = { interfaceDomain: domain };
      const complete = settings.virtdomains === 'userid'
        ? { ...settings, virtdomains: 'on' as const }
        : settings;
      return negative + canonicalUser(name, complete, context);
    } catch {
      // Said below in the words of an ACL.
    }
  }
  throw syntaxError(`'${identifier.slice(0, 80)}' is neither a user nor a group, 'anyone' or 'anonymous'`);
}

/** Whether a canonical userid is one of `admins`. */
export function isAdmin(userid: string, settings: CanonicalSettings): boolean {
  return isNamed(userid, settings.admins, settings);
}

/** Whether a canonical userid is among the users an option names. */
export function isNamed(userid: string, names: readonly string[], settings: CanonicalSettings): boolean {
  return names.some((name) => {
    try {
      return canonicalNamed(name, settings) === userid;
    } catch {
      return false;
    }
  });
}

/** An entry of `admins` as a userid: never completed by the interface, an unqualified one is global. */
function canonicalNamed(named: string, settings: CanonicalSettings): string {
  const { local, domain } = splitLogin(named, settings);
  const name = settings.username_tolower ? local.toLowerCase() : local;
  return makeUserid(name, domain === null ? '' : homeDomain(domain, settings), settings);
}

/** Whether a name without a domain is that of an administrator or proxy server for all domains. */
function isGlobal(name: string, settings: CanonicalSettings): boolean {
  return isAdmin(name, settings) || isNamed(name, settings.proxyservers, settings);
}

/** Cyrus takes the last '@', or else the last '%', as the begin of the domain. */
function splitLogin(login: string, settings: CanonicalSettings): { local: string; domain: string | null } {
  if (settings.virtdomains === 'off') return { local: login, domain: null };
  let at = login.lastIndexOf('@');
  if (at < 0) at = login.lastIndexOf('%');
  return at < 0 ? { local: login, domain: null } : { local: login.slice(0, at), domain: login.slice(at + 1) };
}

function qualify(
  name: string,
  domain: string | null,
  settings: CanonicalSettings,
  context: CanonicalContext,
): string {
  if (domain !== null) return makeUserid(name, homeDomain(domain, settings), settings);
  if (settings.virtdomains !== 'on' || context.interfaceDomain === '' || isGlobal(name, settings)) {
    return makeUserid(name, '', settings);
  }
  return makeUserid(name, homeDomain(context.interfaceDomain, settings), settings);
}

/** A domain as part of a userid: canonical, and '' for the default domain. */
function homeDomain(domain: string, settings: CanonicalSettings): string {
  const canonical = canonicalDomain(domain);
  if (canonical === undefined) throw userError('nouser', `'${domain.slice(0, 80)}' is not a domain`);
  return canonical === canonicalDomain(settings.defaultdomain) ? '' : canonical;
}

/** `Lists/dev` or `Lists.dev`, as the separator is, as a path; null for '' and for names no folder can have. */
function detailPath(
  detail: string,
  owner: string,
  settings: Pick<Settings, 'unixhierarchysep'>,
): string | null {
  if (detail === '') return null;
  try {
    return folderName(owner, detail, settings).path;
  } catch {
    return null;
  }
}
