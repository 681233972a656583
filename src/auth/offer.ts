/** What a configuration offers to whom, seen from outside of any connection: for tools that explain it. */

import type { Settings } from '../config/settings.ts';
import { silentLog } from '../telemetry/log.ts';
import { BARE_CHANNEL, type SaslChannel } from './channel.ts';
import { Checkers } from './checker/pool.ts';
import { Authenticator } from './login.ts';
import type { SaslContext } from './mechanism.ts';
import { MECHANISMS } from './mechanisms.ts';
import { whyNot } from './sasl.ts';
import { type NamedSource, namedSources } from './secrets/configured.ts';
import { EmbeddedSecrets } from './secrets/embedded.ts';
import { SecretSources } from './secrets/sources.ts';

/** A connection with TLS 1.3, whose client has shown no certificate. */
const TLS_CHANNEL: SaslChannel = {
  strength: 256,
  external: null,
  binding: (kind) => kind === 'tls-exporter' ? new Uint8Array(32) : null,
};

/** Whether a mechanism is offered, or why not; null means it is. */
export interface MechanismOffer {
  readonly name: string;
  readonly plain: string | null;
  readonly tls: string | null;
}

export interface Offer {
  /** The sources of secrets, in the order they are asked. */
  readonly sources: readonly NamedSource[];
  /** Every mechanism there is, in the order they are offered in. */
  readonly mechanisms: readonly MechanismOffer[];
}

/**
 * What is offered without and under TLS. Nothing is asked of any source.
 * @throws MailError 'config' for a file that cannot be read
 */
export function offerOf(settings: Settings): Offer {
  const sources = namedSources(settings, {
    embedded: new EmbeddedSecrets({ get: () => null }),
    checkers: new Checkers([]),
    log: silentLog,
  });
  const authenticator = new Authenticator({
    settings,
    source: new SecretSources(sources.map(({ source }) => source)),
    log: silentLog,
  });
  const context = (channel: SaslChannel, secure: boolean): SaslContext => ({
    settings,
    authenticator,
    channel,
    origin: { protocol: 'imap', remoteAddress: '', localAddress: '', secure, connection: '' },
  });
  const plain = context(BARE_CHANNEL, false);
  const tls = context(TLS_CHANNEL, true);
  return {
    sources,
    mechanisms: MECHANISMS.map((mechanism) => ({
      name: mechanism.name,
      plain: whyNot(mechanism, plain),
      tls: whyNot(mechanism, tls),
    })),
  };
}
