/** Accepting connections on a listening socket, from clients themselves or through proxies that speak for them. */

import { type Handled, PLAIN, raise } from './handlers.ts';
import { takeProxyHeader } from './proxied.ts';
import { type Endpoint, listenRaw, type RawListener, type RawSocket } from './rawsocket.ts';
import { plainAddress, SocketConnection, type SocketOptions } from './socket.ts';

/** Accepts on an endpoint; every connection is handed over before anything is read from it. */
export function acceptConnections(
  endpoint: Endpoint,
  options: SocketOptions,
  accept: (connection: SocketConnection) => void,
): RawListener {
  return listenRaw<Handled>(endpoint, {
    ...PLAIN,
    open: (socket) => {
      try {
        if (options.proxy === undefined) accept(new SocketConnection(socket, options));
        else acceptProxied(socket, options, options.proxy, accept);
      } catch (thrown) {
        raise(thrown);
      }
    },
  });
}

/** Accepts what comes through a proxy, once it has said from whom. */
function acceptProxied(
  socket: RawSocket<Handled>,
  options: SocketOptions,
  trusted: (address: string) => boolean,
  accept: (connection: SocketConnection) => void,
): void {
  const peer = plainAddress(socket.remoteAddress);
  const refuse = (why: Error): void => {
    options.refused?.(peer, why);
    socket.close();
  };
  if (!trusted(peer)) return refuse(new Error('not a trusted proxy'));
  takeProxyHeader(socket, (header) => {
    if (header instanceof Error) return refuse(header);
    accept(new SocketConnection(socket, options, header.proxied));
  });
}
