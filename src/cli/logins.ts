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
  const heard = listened(settings, offer);
  if (heard !== '') lines.push(heard);
  const sources = offer.sources.map(({ name }) => name).join(', then ');
  return `${lines.join('')}Secrets come from ${sources}.\n`;
}

/** From what these send, who listens can try passwords at leisure (RFC 6331 §1, RFC 2195 §5, RFC 1939 §13). */
const OPEN_TO_LISTENERS: ReadonlySet<string> = new Set(['DIGEST-MD5', 'CRAM-MD5']);

/** What is said of mechanisms that an old setup needs without TLS; '' where there are none. */
function listened(settings: Settings, { mechanisms }: Offer): string {
  const services = settings.services.filter((service) =>
    WITH_LOGIN.has(service.protocol) && !service.trusted && !service.tls && !settings.tls_required
  );
  const names = mechanisms.filter(({ name, plain }) => plain === null && OPEN_TO_LISTENERS.has(name)).map((
    { name },
  ) => name);
  if (settings.allowapop && services.some(({ protocol }) => protocol === 'pop3')) names.push('APOP');
  if (services.length === 0 || names.length === 0) return '';
  return `Who listens to ${
    services.map(({ name }) => name).join(', ')
  } without TLS can try passwords against what ${names.join(', ')} send${
    names.length === 1 ? 's' : ''
  }; tls.required = true ends that.\n`;
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
