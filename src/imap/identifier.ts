/** Identifiers of access control lists as clients write them (RFC 4314 §3). */

import { canonicalUser } from '../auth/canonical.ts';
import { syntaxError, userError } from '../errors.ts';
import { splitUserid } from '../store/userid.ts';
import type { Session } from './session.ts';

/** Identifiers that are nobody's name. */
const SPECIAL = /^(?:anyone|anonymous)$/i;
const GROUP = /^group:/i;

/**
 * The identifier as the store keeps it: a leading `-` stays, a user becomes the userid that logging in as it would give (a
 * name without a domain is one of the viewer's own). Empty or with control characters it is BAD, and NO where nobody can
 * be called so: an entry for nobody would look as if it had worked.
 */
export function canonicalIdentifier(session: Session, identifier: string): string {
  const negative = identifier.startsWith('-');
  const name = (negative ? identifier.slice(1) : identifier).normalize('NFC');
  if (name === '' || /[\u0000-\u001f\u007f-\u009f]/.test(name)) {
    throw syntaxError('the identifier is empty or holds control characters');
  }
  return (negative ? '-' : '') + canonicalName(session, name);
}

function canonicalName(session: Session, name: string): string {
  if (SPECIAL.test(name)) return name.toLowerCase();
  if (GROUP.test(name)) return `group:${name.slice('group:'.length)}`;
  const { settings } = session;
  const { domain } = splitUserid(session.user.identity.userid, settings);
  const qualified = domain === '' || name.includes('@') ? name : `${name}@${domain}`;
  try {
    return canonicalUser(qualified, settings, { interfaceDomain: '' });
  } catch {
    throw userError('cannot', 'No user can have this name');
  }
}
