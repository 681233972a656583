/** A connection that is served by one object instead of a function for each event. */

import { expect, test } from 'bun:test';
import { connect } from 'node:net';
import { acceptConnections } from '../../src/net/accept.ts';
import type { SocketConnection } from '../../src/net/socket.ts';

test('it hears of bytes, of silence and of the end', async () => {
  const heard: string[] = [];
  const received = Promise.withResolvers<SocketConnection>();
  const over = Promise.withResolvers<void>();
  const listener = acceptConnections(
    { hostname: '127.0.0.1', port: 0 },
    { unixPath: '', tls: () => undefined },
    (connection) =>
      connection.serveBy({
        received: (bytes) => {
          heard.push(bytes.toString('latin1'));
          received.resolve(connection);
        },
        silent: () => heard.push('silent'),
        ended: (reason) => {
          heard.push(reason);
          over.resolve();
        },
      }),
  );
  try {
    const client = connect({ port: listener.port, host: '127.0.0.1' });
    client.write('hello');
    const connection = await received.promise;
    connection.setIdleTimeout(1000);
    // The clock is passed in: no test waits for it.
    connection.tick(1_000_000);
    connection.tick(2_000_000);
    client.destroy();
    await over.promise;
    expect(heard).toEqual(['hello', 'silent', 'peer']);
  } finally {
    listener.stop();
  }
});
