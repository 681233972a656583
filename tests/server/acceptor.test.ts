import { afterEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import type { Service } from '../../src/config/services.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { limits } from '../../src/limits.ts';
import type { Connection } from '../../src/net/connection.ts';
import { listen, type Listener, removeListener } from '../../src/net/listen.ts';
import type { Protocol } from '../../src/net/service.ts';
import { TlsContexts } from '../../src/net/tls.ts';
import { readTlsMaterial } from '../../src/net/tlsfiles.ts';
import { Acceptor } from '../../src/server/acceptor.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { makeCertificate } from '../net/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-acceptor-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

let stop: (() => void) | undefined;
afterEach(() => {
  stop?.();
  stop = undefined;
});

/** An acceptor on one port; its protocol greets and admits who says so. */
async function accepting(
  given: Partial<Service>,
  options: { preauthMs?: number; tls?: TlsContexts; proxies?: readonly string[]; ready?: Promise<unknown> } =
    {},
) {
  const service: Service = {
    name: 'imap',
    protocol: 'imap',
    tls: false,
    trusted: false,
    maxchild: 0,
    proxy_protocol: false,
    tls_server_cert: '',
    tls_server_key: '',
    tls_client_ca_file: '',
    tls_client_ca_dir: '',
    tls_client_certs: '',
    tls_crl_file: '',
    listen: { kind: 'tcp', host: '127.0.0.1', port: 0, family: 'any' },
    ...given,
  };
  const accepted: Connection[] = [];
  const protocol: Protocol = {
    alpn: 'imap',
    busy: 'busy\r\n',
    late: 'late\r\n',
    accept: (connection) => {
      accepted.push(connection);
      connection.write('hello\r\n');
      connection.onData(() => {
        connection.admit();
        connection.write('admitted\r\n');
      });
    },
    shutdown: () => Promise.resolve(),
  };
  const [listener] = await listen(service.listen, { service: 'imap', trafficClass: 0 }) as [Listener];
  const acceptor = new Acceptor({
    listening: [{ service, protocol, fd: listener.fd, path: '' }],
    log: silentLog,
    tls: () => options.tls,
    workers: 1,
    ...(options.proxies === undefined ? {} : { proxies: options.proxies }),
    ...(options.preauthMs === undefined ? {} : { preauthMs: options.preauthMs }),
    ...(options.ready === undefined ? {} : { ready: options.ready }),
  });
  acceptor.start();
  stop = () => {
    acceptor.stop();
    acceptor.cut();
    removeListener(listener);
  };
  return { acceptor, accepted, port: listener.port };
}

/** All a client gets until the server closes; `say` is sent after the first bytes. */
function dialogue(
  port: number,
  say?: string,
): { text: Promise<string>; first: Promise<void>; close: () => void } {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  const first = Promise.withResolvers<void>();
  const all = Promise.withResolvers<string>();
  socket.on('data', (chunk) => {
    if (text === '' && say !== undefined) socket.write(say);
    text += chunk;
    first.resolve();
  });
  socket.on('error', () => {});
  socket.on('close', () => all.resolve(text));
  return { text: all.promise, first: first.promise, close: () => socket.destroy() };
}

test('beyond maxchild a client is told so, and a place that is left can be had again', async () => {
  const { port, acceptor } = await accepting({ maxchild: 2 });
  const first = dialogue(port);
  const second = dialogue(port);
  await Promise.all([first.first, second.first]);
  expect(await dialogue(port).text).toBe('busy\r\n');
  first.close();
  while (acceptor.count > 1) await new Promise((later) => setImmediate(later));
  const third = dialogue(port, 'x');
  await third.first;
  expect(acceptor.count).toBe(2);
  for (const open of [second, third]) open.close();
});

test('who does not authenticate in time is told so and cut off; who does stays (FIELD 11)', async () => {
  const { port, accepted } = await accepting({}, { preauthMs: 60 });
  const known = dialogue(port, 'login');
  await known.first;
  const stranger = dialogue(port);
  expect(await stranger.text).toBe('hello\r\nlate\r\n');
  expect(accepted.map(({ closed }) => closed)).toEqual([false, true]);
  known.close();
});

test('while logins wait for the store nobody’s time runs', async () => {
  const ready = Promise.withResolvers<void>();
  const { port, accepted } = await accepting({}, { preauthMs: 60, ready: ready.promise });
  const stopFirst = stop;
  const patient = dialogue(port);
  await patient.first;
  const other = await accepting({}, { preauthMs: 120 });
  // Whose time runs is cut off, long after the other's would have been over.
  expect(await dialogue(other.port).text).toBe('hello\r\nlate\r\n');
  expect(accepted.map(({ closed }) => closed)).toEqual([false]);
  ready.resolve();
  expect(await patient.text).toBe('hello\r\nlate\r\n');
  stopFirst?.();
});

test('with TLS from the first byte nothing is said before the handshake', async () => {
  const { cert, key } = makeCertificate(folder, 'tls', ['tls.example']);
  const tls = new TlsContexts(readTlsMaterial(makeSettings({ tls_server_cert: cert, tls_server_key: key }))!);
  const { port, accepted, acceptor } = await accepting({ tls: true }, { tls, preauthMs: 60 });
  // Somebody who speaks plain text, and somebody who says nothing at all.
  const plain = connect(port, '127.0.0.1', () => plain.write('a CAPABILITY\r\n'));
  let heard = '';
  plain.on('data', (chunk) => heard += chunk);
  plain.on('error', () => {});
  await new Promise<void>((resolve) => plain.on('close', () => resolve()));
  expect(heard).not.toContain('hello');
  expect(await dialogue(port).text).toBe('');
  expect(accepted.length).toBe(0);

  const secured = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  const greeting = await new Promise<string>((resolve) =>
    secured.on('data', (chunk) => resolve(String(chunk)))
  );
  expect(greeting).toBe('hello\r\n');
  expect(accepted[0]?.secure).toBe(true);
  secured.destroy();
  while (acceptor.count > 0) await new Promise((later) => setImmediate(later));
});

test('after stop nobody is accepted, and who is there stays until cut', async () => {
  const { port, acceptor } = await accepting({});
  const there = dialogue(port, 'x');
  await there.first;
  acceptor.stop();
  expect(acceptor.count).toBe(1);
  acceptor.cut();
  expect(await there.text).toStartWith('hello\r\n');
  expect(acceptor.count).toBe(0);
});

describe('behind a proxy', () => {
  const HEADER = 'PROXY TCP4 198.51.100.7 192.0.2.1 4711 993\r\n';
  const proxied = { proxy_protocol: true } as const;
  const proxies = ['127.0.0.0/8'];

  test('the address it names is that of the connection; what follows reaches the protocol', async () => {
    const { port, accepted } = await accepting(proxied, { proxies });
    const socket = connect(port, '127.0.0.1');
    socket.write(`${HEADER}x`);
    let text = '';
    await new Promise<void>((resolve) =>
      socket.on('data', (chunk) => (text += chunk).includes('admitted') && resolve())
    );
    expect(text).toBe('hello\r\nadmitted\r\n');
    expect(accepted[0]).toMatchObject({
      remoteAddress: '198.51.100.7',
      remotePort: 4711,
      localAddress: '192.0.2.1',
      localPort: 993,
    });
    socket.destroy();
  });

  test('a header that comes in pieces', async () => {
    const { port, accepted } = await accepting(proxied, { proxies });
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    const greeted = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))));
    for (const byte of HEADER) {
      socket.write(byte);
      await new Promise((later) => setImmediate(later));
    }
    expect(await greeted).toBe('hello\r\n');
    expect(accepted[0]?.remoteAddress).toBe('198.51.100.7');
    socket.destroy();
  });

  test('TLS begins right behind the header, in the same packet', async () => {
    const { cert, key } = makeCertificate(folder, 'proxied', ['tls.example']);
    const tls = new TlsContexts(
      readTlsMaterial(makeSettings({ tls_server_cert: cert, tls_server_key: key }))!,
    );
    const { port, accepted } = await accepting({ ...proxied, tls: true }, { tls, proxies });
    const raw = connect(port, '127.0.0.1');
    raw.cork();
    raw.write(HEADER);
    const secured = tlsConnect({ socket: raw, rejectUnauthorized: false });
    setImmediate(() => raw.uncork());
    const greeting = await new Promise<string>((resolve) =>
      secured.on('data', (chunk) => resolve(String(chunk)))
    );
    expect(greeting).toBe('hello\r\n');
    expect(accepted[0]).toMatchObject({ remoteAddress: '198.51.100.7', secure: true });
    raw.destroy();
  });

  test('who is no trusted proxy, and what is no header, is closed without a word', async () => {
    const strange = await accepting(proxied, { proxies: ['192.0.2.0/24'] });
    expect(await dialogue(strange.port).text).toBe('');
    expect(strange.accepted).toEqual([]);
    stop?.();
    const { port, accepted } = await accepting(proxied, { proxies });
    for (
      const first of [
        'a LOGIN x y\r\n',
        '\x16\x03\x01\x02\x00\x01',
        'PROXY TCP4 x\r\n',
        `PROXY ${'x'.repeat(9000)}`,
      ]
    ) {
      const socket = connect(port, '127.0.0.1');
      let heard = '';
      socket.on('data', (chunk) => heard += chunk);
      socket.on('error', () => {});
      socket.write(first);
      await new Promise<void>((resolve) => socket.on('close', () => resolve()));
      expect(heard).toBe('');
    }
    expect(accepted).toEqual([]);
  });

  test('limits on strangers count the address behind the proxy', async () => {
    const { port } = await accepting(proxied, { proxies });
    const sockets = Array.from({ length: limits.preauth_per_address.value + 1 }, () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(HEADER);
      return socket;
    });
    const heard = await Promise.all(
      sockets.map((socket) =>
        new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
      ),
    );
    expect(heard.filter((text) => text === 'busy\r\n').length).toBe(1);
    for (const socket of sockets) socket.destroy();
  });
});
