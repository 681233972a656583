/** What a server says it can do (RFC 5804 §1.7): by itself when it greets and when TLS or a security layer begins. */

import { offered, type SaslContext } from '../auth/sasl.ts';
import type { Settings } from '../config/settings.ts';
import type { Language } from './language.ts';
import { textString } from './write.ts';

/** What the lines depend on: a session as it is now. */
export interface Capable {
  readonly settings: Settings;
  readonly services: { readonly language: Language; readonly version: string };
  readonly sasl: SaslContext;
  readonly canStartTls: boolean;
  /** Whose scripts these are; null before the login. */
  readonly owner: string | null;
}

/** The lines, without the OK behind them. */
export function capabilities(session: Capable): string {
  const { settings, services, owner } = session;
  const { extensions, maxRedirects, notify, lists } = services.language;
  const told: [name: string, value?: string][] = [
    ['IMPLEMENTATION', settings.serverinfo === 'on' ? `mailstore ${services.version}` : 'ManageSieve'],
    ['VERSION', '1.0'],
    // All that could be used here, also where one has been: so a client sees that nobody changed the list (§2.1).
    ['SASL', offered(session.sasl).join(' ')],
    ['SIEVE', extensions.join(' ')],
    ...(session.canStartTls ? [['STARTTLS'] as [string]] : []),
    ['MAXREDIRECTS', String(maxRedirects)],
    ...(notify.length > 0 ? [['NOTIFY', notify.join(' ')] as [string, string]] : []),
    ...(lists.length > 0 ? [['EXTLISTS', lists.join(' ')] as [string, string]] : []),
    ['LANGUAGE', 'en'],
    ['UNAUTHENTICATE'],
    ...(owner === null ? [] : [['OWNER', owner] as [string, string]]),
  ];
  return told.map(([name, value]) =>
    value === undefined ? `"${name}"\r\n` : `"${name}" ${textString(value)}\r\n`
  ).join('');
}
