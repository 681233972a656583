/** What a socket knows of its TLS session. */

import { serverError } from '../errors.ts';
import type { TlsInfo } from './connection.ts';
import type { RawSocket } from './rawsocket.ts';

/**
 * Read when it is asked for: most connections never need it.
 * @param asked whether the client was asked for a certificate
 */
export function describeTls(socket: RawSocket<unknown>, asked: boolean): TlsInfo {
  return {
    version: socket.getTLSVersion(),
    cipher: socket.getCipher()?.name ?? '',
    servername: socket.getServername() ?? '',
    alpn: socket.alpnProtocol || '',
    certificate: asked && socket.authorized ? socket.getPeerX509Certificate()?.raw : undefined,
    exporter: () => {
      if (socket.getTLSVersion() !== 'TLSv1.3') {
        throw serverError(
          'channel binding by tls-exporter needs TLS 1.3 (RFC 9266 §4.2)',
          undefined,
          'cannot',
        );
      }
      return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    },
    unique: () => {
      if (socket.getTLSVersion() === 'TLSv1.3') return null;
      // RFC 5929 §3.1: the first Finished message of the handshake, which a resumed session has from the server.
      return (socket.isSessionReused()
        ? socket.getTLSFinishedMessage()
        : socket.getTLSPeerFinishedMessage()) ??
        null;
    },
  };
}
