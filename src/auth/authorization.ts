/** Who may act for somebody else (proxy authentication, RFC 4422 §3.4.1). */

import type { Settings } from '../config/settings.ts';
import { splitUserid } from '../store/userid.ts';
import { type CanonicalSettings, isAdmin, isNamed } from './canonical.ts';

export type AuthorizationSettings = CanonicalSettings & Pick<Settings, 'proxyservers'>;

/**
 * Administrators and proxy servers may act for others; one that is named with a domain only for users of that domain.
 * An administrator cannot be made by a proxy server that is none: it would have more rights than it was given.
 */
export function mayActFor(userid: string, target: string, settings: AuthorizationSettings): boolean {
  const admin = isAdmin(userid, settings);
  if (!admin && !isNamed(userid, settings.proxyservers, settings)) return false;
  const { domain } = splitUserid(userid, settings);
  if (domain !== '' && domain !== splitUserid(target, settings).domain) return false;
  return admin || !isAdmin(target, settings);
}
