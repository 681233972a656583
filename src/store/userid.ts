/**
 * Userids: who owns a mailbox, and the folder on disk that follows from it.
 *
 * A userid is `local`, or `local@domain` where virtual domains are on and the domain is not the default one. The
 * shared hierarchy has owners of its own that no login can take: '' and, per domain, `@domain`. Userids are
 * compared whole, never by prefix.
 */

import { domainToASCII } from 'node:url';
import { userError } from '../errors.ts';
import type { Settings } from '../config/settings.ts';

/** Longest userid in bytes of UTF-8: PLAIN must take 255 (RFC 4616 §2), and a folder name can be no longer. */
export const MAX_USERID_BYTES = 255;

/**
 * Cyrus's GOODCHARS and the letters, marks and digits of all scripts (RFC 6532). '/' '%' '*' '!' '^' are out: they
 * mean something in names, on disk or in LIST. The first character is narrower: '-' begins a negative ACL identifier.
 */
const LOCAL = /^[\p{L}\p{N}_$#'=~][\p{L}\p{M}\p{N} #$'+,\-.:=_~]*$/u;

/** Where virtual domains are off, '@' is one more character of the name. */
const LOCAL_WITH_AT = /^[\p{L}\p{N}_$#'=~][\p{L}\p{M}\p{N} #$'+,\-.:=_~@]*$/u;

const DOMAIN =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Words that mean something in an ACL (RFC 4314 §2) and so cannot be users. `group:` is Cyrus's group prefix. */
const RESERVED = /^(?:anyone|anybody|anonymous|group:.*)$/isu;

/** The part of the settings that decides how a userid is read. */
export type DomainSettings = Pick<Settings, 'virtdomains'>;

/** A userid in its two parts; `domain` is '' without virtual domains and for users of the default domain. */
export interface UseridParts {
  readonly local: string;
  readonly domain: string;
}

/** Splits at the last '@' where virtual domains are on; `@domain`, the shared hierarchy, has an empty local part. */
export function splitUserid(userid: string, settings: DomainSettings): UseridParts {
  const at = settings.virtdomains === 'off' ? -1 : userid.lastIndexOf('@');
  return at < 0
    ? { local: userid, domain: '' }
    : { local: userid.slice(0, at), domain: userid.slice(at + 1) };
}

/** The reverse of `splitUserid`. */
export function joinUserid(local: string, domain: string): string {
  return domain === '' ? local : `${local}@${domain}`;
}

/** Whether this owner stands for a shared hierarchy rather than a user. */
export function isSharedOwner(owner: string): boolean {
  return owner === '' || owner.startsWith('@');
}

/**
 * A domain in the one form it is stored in: lower case, without a final dot, internationalized labels as A-labels
 * (RFC 5890 §2.3.2.1). Undefined where it is no host name; address literals are none.
 */
export function canonicalDomain(domain: string): string | undefined {
  let text = domain.toLowerCase();
  if (text.endsWith('.')) text = text.slice(0, -1);
  // Only what needs it: the conversion would also rewrite numbers as IPv4 addresses and decode %xx.
  if (/[^\x00-\x7f]/.test(text)) text = /[%/:?#@\s]/.test(text) ? '' : domainToASCII(text);
  return DOMAIN.test(text) ? text : undefined;
}

/**
 * The userid of a local part and a domain that is canonical or ''. Normalizes to NFC.
 * @throws MailError 'nouser' where no user can have this name
 */
export function makeUserid(local: string, domain: string, settings: DomainSettings): string {
  const name = local.normalize('NFC');
  const pattern = settings.virtdomains === 'off' ? LOCAL_WITH_AT : LOCAL;
  const userid = joinUserid(name, domain);
  if (
    !pattern.test(name) || RESERVED.test(name) || name.endsWith(' ') ||
    Buffer.byteLength(userid) > MAX_USERID_BYTES
  ) {
    throw userError('nouser', `'${userid.slice(0, 80)}' cannot be the name of a user`);
  }
  return userid;
}

/**
 * The folder of an owner below a partition or below `configdirectory`, as path parts: `d/user/django`,
 * `domain/n/nausch.org/d/user/django`, without hashimapspool `user/django`; shared hierarchies have
 * `shared` and `domain/n/nausch.org/shared`. Different owners get different folders, and no part can be '.' or '..' or
 * hold a '/': dots of the local part become '^', as in Cyrus, which no userid contains.
 * @param userid a canonical userid, '' or `@domain`
 * @throws MailError 'nouser' for anything else, so that nothing unchecked ever reaches the disk
 */
export function ownerFolder(
  userid: string,
  settings: DomainSettings & Pick<Settings, 'hashimapspool'>,
): string[] {
  const { local, domain } = splitUserid(userid, settings);
  const hashed = settings.hashimapspool;
  const parts: string[] = [];
  if (domain !== '') {
    if (!DOMAIN.test(domain)) throw userError('nouser', `'${domain.slice(0, 80)}' is not a domain`);
    parts.push('domain');
    if (hashed) parts.push(hashLetter(domain));
    parts.push(domain);
  }
  if (local === '') return [...parts, 'shared'];
  if (makeUserid(local, domain, settings) !== userid) {
    throw userError('nouser', `'${userid.slice(0, 80)}' is not a canonical userid`);
  }
  if (hashed) parts.push(hashLetter(local));
  return [...parts, 'user', local.replaceAll('.', '^')];
}

/** Cyrus's hash of a name without fulldirhash: its first letter, or q where that is not one of a to z. */
function hashLetter(name: string): string {
  const letter = name.charAt(0).toLowerCase();
  return letter >= 'a' && letter <= 'z' ? letter : 'q';
}
