/** What the layers below SASL give a mechanism to work with: TLS, a client's certificate, the peer of a unix socket. */

import type { Connection } from '../net/connection.ts';

/** Kinds of channel binding that are there, the preferred one first. */
export const BINDINGS = ['tls-exporter', 'tls-unique'] as const;
export type Binding = (typeof BINDINGS)[number];

export interface SaslChannel {
  /** Bits of the layer below, 0 without one: the external security strength factor. */
  readonly strength: number;
  /** Who the layer below says the client is, as a login name; null where it says nothing. */
  readonly external: string | null;
  /** Channel binding data (RFC 5056), null where the channel has none of this kind. */
  binding(kind: Binding): Uint8Array | null;
}

/** A connection without anything below it. */
export const BARE_CHANNEL: SaslChannel = { strength: 0, external: null, binding: () => null };

/** The channel of a connection as it is now. */
export function channelOf(
  connection: Pick<Connection, 'tls'>,
  external: string | null = null,
): SaslChannel {
  const { tls } = connection;
  if (tls === undefined) return { ...BARE_CHANNEL, external };
  return {
    strength: /(?:AES|CAMELLIA|ARIA)_?128/.test(tls.cipher) ? 128 : 256,
    external,
    binding: (kind) => kind === 'tls-exporter' ? exporter(tls) : tls.unique(),
  };
}

/** Only TLS 1.3 has the exporter that is safe to bind to (RFC 9266 §4.2). */
function exporter(tls: NonNullable<Connection['tls']>): Uint8Array | null {
  return tls.version === 'TLSv1.3' ? tls.exporter() : null;
}
