/** Whose mailbox an envelope address is, and whether mail may be had there now. */

import { canonicalRecipient } from '../auth/canonical.ts';
import type { InterfaceDomains } from '../auth/interface.ts';
import type { Settings } from '../config/settings.ts';
import type { DeliveryTarget, Identity, Store } from '../store/border.ts';

/** What an address is looked up with. */
export interface RecipientContext {
  readonly settings: Settings;
  readonly store: Store;
  readonly interfaces: InterfaceDomains;
  /** Our address as the peer reached it; it completes an address without a domain where `virtdomains` is on. */
  readonly localAddress: string;
  /** Who posts; null for nobody in particular. */
  readonly poster: Identity | null;
}

/**
 * @param address Unicode, without quoting; the domain '' where there is none
 * @param size octets to come, null to ignore the quota
 * @throws MailError 'nouser', 'overquota', 'noperm', 'unavailable'
 */
export async function findRecipient(
  { settings, store, interfaces, localAddress, poster }: RecipientContext,
  address: { readonly local: string; readonly domain: string },
  size: number | null,
): Promise<DeliveryTarget> {
  let { local, domain } = address;
  // RFC 5321 §4.5.1: "postmaster" without a domain must be taken, in any case.
  if (domain === '' && local.toLowerCase() === 'postmaster' && settings.postmaster !== '') {
    const at = settings.postmaster.lastIndexOf('@');
    local = at < 0 ? settings.postmaster : settings.postmaster.slice(0, at);
    domain = at < 0 ? '' : settings.postmaster.slice(at + 1);
  }
  const interfaceDomain = domain === '' && settings.virtdomains === 'on'
    ? await interfaces.domainOf(localAddress)
    : '';
  const { userid, detail } = canonicalRecipient(local, domain, settings, { interfaceDomain });
  return await store.recipient({ userid, detail, poster, size });
}
