/** Who can log in how, service by service, in one paragraph: what `config check` says of a configuration. */

import { type Offer, offerOf } from '../auth/offer.ts';
import type { Service } from '../config/services.ts';
import type { Settings } from '../config/settings.ts';

/** Protocols whose clients log in. */
const WITH_LOGIN: ReadonlySet<string> = new Set(['imap', 'pop3', 'lmtp', 'sieve']);

/**
 * Services that offer the same stand together.
 * @throws MailError 'config' for a file that cannot be read
 */
export function describeLogins(settings: Settings): string {
  const offer = offerOf(settings);
  const services = new Map<string, string[]>();
  for (const service of settings.services) {
    if (!WITH_LOGIN.has(service.protocol)) continue;
    const text = waysIn(service, settings, offer);
    services.set(text, [...services.get(text) ?? [], service.name]);
  }
  const lines = [...services].map(([text, names]) => `${names.join(', ')}: ${text}\n`);
  const sources = offer.sources.map(({ name }) => name).join(', then ');
  return `${lines.join('')}Secrets come from ${sources}.\n`;
}

function waysIn(service: Service, settings: Settings, { mechanisms }: Offer): string {
  if (service.trusted) return 'no login is asked for';
  const plain = mechanisms.filter((each) => each.plain === null).map(({ name }) => name);
  const tls = mechanisms.filter((each) => each.tls === null).map(({ name }) => name);
  if (service.tls) return `login by ${list(tls)}`;
  if (service.tls_server_cert === '' && settings.tls_server_cert === '') return `login by ${list(plain)}`;
  if (plain.length === 0) return `login after STARTTLS only, by ${list(tls)}`;
  const more = tls.filter((name) => !plain.includes(name));
  return `login by ${list(plain)}${more.length === 0 ? '' : `; after STARTTLS also by ${list(more)}`}`;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'no mechanism at all' : names.join(' ');
}
