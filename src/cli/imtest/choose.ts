/** Which mechanism to log in with when nobody says. */

import type { ClientMechanism } from '../../auth/client/mechanism.ts';
import { CLIENT_MECHANISMS } from '../../auth/client/mechanisms.ts';

/** What there is to log in with. */
export interface Means {
  /** Bits of TLS, 0 without it. */
  readonly below: number;
  /** Bits of protection that are needed in the end. */
  readonly least: number;
  /** The connection itself says who we are: a certificate of ours, or a unix socket. */
  readonly external: boolean;
  /** TLS gives something to bind to. */
  readonly binding: boolean;
  /** We want to act as somebody else. */
  readonly proxy: boolean;
}

/** Those that take something else than a password, or nobody at all: only on demand. */
const ON_DEMAND = /^(?:ANONYMOUS|OAUTHBEARER|XOAUTH2)$/;

/** The strongest of the server's mechanisms that we speak and can use; null where there is none. */
export function chooseMechanism(offered: readonly string[], means: Means): ClientMechanism | null {
  const usable = CLIENT_MECHANISMS.filter((mechanism) =>
    offered.includes(mechanism.name) && !ON_DEMAND.test(mechanism.name) && whyUnfit(mechanism, means) === null
  );
  return usable.find(({ name }) => name === 'EXTERNAL') ?? usable[0] ?? null;
}

/** Why a mechanism does not do; null when it does. */
export function whyUnfit(mechanism: ClientMechanism, means: Means): string | null {
  const { name, strength, features } = mechanism;
  if (name === 'EXTERNAL' && !means.external) {
    return 'EXTERNAL needs a certificate (-t FILE) or a unix socket';
  }
  if (features.includes('CHANNEL_BINDING') && !means.binding) {
    return `${name} needs TLS to bind to (-t "" or -s)`;
  }
  if (strength + means.below < means.least) {
    return `${name} cannot reach ${means.least} bits of protection (-k)`;
  }
  if (means.proxy && !features.includes('PROXY_AUTHENTICATION')) {
    return `${name} cannot say as whom to act (-u)`;
  }
  return null;
}
