/** Whose script it is: the addresses of a recipient. */

import { delimiterAt } from '../auth/canonical.ts';
import type { Settings } from '../config/settings.ts';

export interface ScriptOwner {
  readonly userid: string;
  /** Where mail to the user comes in, without a detail; From of what is sent in the user's name. */
  readonly address: string;
  /** All addresses known to be the user's (RFC 5230 §4.5). */
  readonly addresses: readonly string[];
}

/** @param recipient the address of the envelope; Unicode, without brackets, perhaps without a domain */
export function scriptOwner(
  userid: string,
  recipient: string,
  settings: Pick<Settings, 'defaultdomain' | 'servername' | 'recipient_delimiter'>,
): ScriptOwner {
  const home = settings.defaultdomain === '' ? settings.servername : settings.defaultdomain;
  const qualified = (address: string) => address.includes('@') ? address : `${address}@${home}`;
  const full = qualified(recipient);
  const plain = withoutDetail(full, settings.recipient_delimiter);
  return { userid, address: plain, addresses: [...new Set([plain, full, qualified(userid)])] };
}

function withoutDetail(address: string, delimiters: string): string {
  const at = address.lastIndexOf('@');
  const plus = delimiterAt(address.slice(0, at), delimiters);
  return plus > 0 ? address.slice(0, plus) + address.slice(at) : address;
}
