import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { makeSettings } from '../../src/config/settings.ts';
import { limits } from '../../src/limits.ts';
import type { RawListener } from '../../src/net/rawsocket.ts';
import { acceptConnections } from '../../src/net/accept.ts';
import { type SocketConnection } from '../../src/net/socket.ts';
import { TlsContexts } from '../../src/net/tls.ts';
import { checkTlsMaterial } from '../../src/net/tlscheck.ts';
import { readTlsMaterial, tlsFingerprint } from '../../src/net/tlsfiles.ts';
import { makeCertificate } from './certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-net-'));
let contexts: TlsContexts;
let server: RawListener;
let port = 0;
/** Time for a handshake, or 0 for that of the limits. */
let handshakeMs = 0;
let accept: (connection: SocketConnection) => void = () => {};
const settings = () =>
  makeSettings({
    tls_server_cert: join(folder, 'a.crt'),
    tls_server_key: join(folder, 'a.key'),
    tls_certificate: [
      { server_cert: join(folder, 'b.crt'), server_key: join(folder, 'b.key') },
    ],
  });

beforeAll(() => {
  makeCertificate(folder, 'a', ['a.example']);
  makeCertificate(folder, 'b', ['b.example', '*.b.example']);
  contexts = new TlsContexts(readTlsMaterial(settings())!);
  const options = {
    unixPath: '',
    tls: () => contexts.parameters('imap', 'imap'),
    get handshakeMs() {
      return handshakeMs || limits.tls_handshake.value * 1000;
    },
  };
  server = acceptConnections(
    { hostname: '127.0.0.1', port: 0 },
    options,
    (connection) => accept(connection),
  );
  port = server.port;
});

afterAll(() => {
  server.stop();
  rmSync(folder, { recursive: true });
});

/** A client that collects what it gets. */
function client(): Promise<
  { socket: Socket; text: () => string; until: (part: string) => Promise<string>; closed: Promise<void> }
> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', reject);
    socket.on('connect', () => resolve({ socket, ...collector(socket) }));
  });
}

function collector(socket: Socket) {
  let text = '';
  let waiters: (() => void)[] = [];
  const wake = () => {
    const ready = waiters;
    waiters = [];
    for (const waiter of ready) waiter();
  };
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    wake();
  });
  const closed = new Promise<void>((resolve) => socket.on('close', () => (wake(), resolve())));
  socket.on('end', () => socket.end());
  return {
    text: () => text,
    closed,
    until: async (part: string) => {
      while (!text.includes(part)) {
        if (socket.destroyed) throw new Error(`closed before '${part}', got '${text}'`);
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
      return text;
    },
  };
}

/** STARTTLS on a connected client. */
function upgrade(
  socket: Socket,
  options: { servername?: string; ALPNProtocols?: string[] } = {},
): Promise<TLSSocket> {
  socket.removeAllListeners('data');
  socket.removeAllListeners('end');
  return new Promise((resolve, reject) => {
    const secured = tlsConnect({ socket, rejectUnauthorized: false, ...options }, () => resolve(secured));
    secured.on('error', reject);
    secured.on('close', () => reject(new Error('closed')));
  });
}

/** A line protocol over the next connection. */
function serveLines(line: (text: string, connection: SocketConnection) => void): Promise<SocketConnection> {
  return new Promise((resolve) => {
    accept = (connection) => {
      let rest = '';
      connection.onData((chunk) => {
        const lines = (rest + chunk.toString('latin1')).split('\n');
        rest = lines.pop() as string;
        for (const text of lines) {
          if (text === 'starttls') {
            rest = '';
            connection.write('go\n');
            connection.startTls().then(
              (info) => connection.write(`secure ${info.servername || '-'} ${info.alpn || '-'}\n`),
              () => {},
            );
            return;
          }
          line(text, connection);
        }
      });
      resolve(connection);
    };
  });
}

test('STARTTLS that is switched off is not there, whatever certificates are', async () => {
  const refused = new Promise<boolean>((resolve) => {
    const quiet = acceptConnections(
      { hostname: '127.0.0.1', port: 0 },
      { unixPath: '', tls: () => contexts.parameters('imap', 'imap'), startTls: false },
      (connection) => {
        resolve(connection.canStartTls);
        connection.destroy();
        quiet.stop();
      },
    );
    connect(quiet.port, '127.0.0.1').on('error', () => {}).resume();
  });
  expect(await refused).toBe(false);
});

test('addresses and ports of both ends', async () => {
  const served = serveLines(() => {});
  const { socket } = await client();
  const connection = await served;
  expect(connection.remoteAddress).toBe('127.0.0.1');
  expect(connection.remotePort).toBe(socket.localPort as number);
  expect(connection.localPort).toBe(port);
  expect(connection.unix).toBe(false);
  expect(connection.peer).toBeUndefined();
  expect(connection.canStartTls).toBe(true);
  socket.destroy();
});

test('plain text behind STARTTLS is never taken for said under TLS (FIELD 19, invariant 2)', async () => {
  const heard: string[] = [];
  const served = serveLines((text, connection) => {
    heard.push(`${connection.secure ? 'secure' : 'plain'} ${text}`);
    connection.write(`${text}\n`);
  });
  const { socket, until } = await client();
  // In the same segment as the command ...
  socket.write('starttls\ninjected\n');
  await until('go\n');
  const secured = await upgrade(socket);
  const after = collector(secured);
  await after.until('secure');
  secured.write('real\n');
  await after.until('real\n');
  expect(heard).toEqual(['secure real']);
  expect((await served).tls?.version).toBe('TLSv1.3');
  secured.destroy();
});

test('plain text in a segment of its own spoils the handshake and is heard by nobody', async () => {
  const heard: string[] = [];
  const served = serveLines((text) => heard.push(text));
  const { socket, until, closed } = await client();
  socket.write('starttls\n');
  await until('go\n');
  socket.write('injected one\ninjected two\n');
  await closed;
  const connection = await served;
  expect(heard).toEqual([]);
  expect(connection.closed).toBe(true);
  expect(connection.secure).toBe(false);
});

test('the certificate is chosen by name, with wildcards and a default (RFC 6066 §3)', async () => {
  for (
    const [servername, expected] of [['b.example', 'b.example'], ['X.B.example', 'b.example'], [
      'a.example',
      'a.example',
    ], ['c.example', 'a.example']]
  ) {
    void serveLines(() => {});
    const { socket, until } = await client();
    socket.write('starttls\n');
    await until('go\n');
    const secured = await upgrade(socket, { servername: servername as string });
    expect(secured.getPeerCertificate().subject.CN).toBe(expected as string);
    await collector(secured).until(`secure ${servername}`);
    secured.destroy();
  }
});

test('a client that asks for another protocol is refused, one that asks for ours agrees (FIELD 15)', async () => {
  void serveLines(() => {});
  const good = await client();
  good.socket.write('starttls\n');
  await good.until('go\n');
  const secured = await upgrade(good.socket, { ALPNProtocols: ['imap'] });
  await collector(secured).until('secure - imap');
  secured.destroy();

  const served = serveLines(() => {});
  const bad = await client();
  bad.socket.write('starttls\n');
  await bad.until('go\n');
  const closed = Promise.withResolvers<string>();
  (await served).onClose(closed.resolve);
  await expect(upgrade(bad.socket, { ALPNProtocols: ['http/1.1'] })).rejects.toThrow();
  expect(await closed.promise).toBe('error');
});

test('both ends compute the same channel binding (RFC 9266)', async () => {
  const served = serveLines(() => {});
  const { socket, until } = await client();
  socket.write('starttls\n');
  await until('go\n');
  const secured = await upgrade(socket);
  await collector(secured).until('secure');
  const ours = (await served).tls?.exporter();
  expect(ours?.length).toBe(32);
  expect(secured.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)).equals(ours!)).toBe(
    true,
  );
  secured.destroy();
});

test('new certificates count for new handshakes, connections stay; bad files are refused', async () => {
  void serveLines((text, connection) => void connection.write(`${text}\n`));
  const old = await client();
  old.socket.write('starttls\n');
  await old.until('go\n');
  const secured = await upgrade(old.socket);
  const before = secured.getPeerCertificate().fingerprint256;

  const seen = tlsFingerprint(settings());
  makeCertificate(folder, 'a', ['a.example']);
  expect(tlsFingerprint(settings())).not.toBe(seen);
  contexts = new TlsContexts(readTlsMaterial(settings())!);
  secured.write('still here\n');
  await collector(secured).until('still here\n');

  void serveLines(() => {});
  const fresh = await client();
  fresh.socket.write('starttls\n');
  await fresh.until('go\n');
  const second = await upgrade(fresh.socket);
  expect(second.getPeerCertificate().fingerprint256).not.toBe(before);
  secured.destroy();
  second.destroy();

  const key = readFileSync(join(folder, 'a.key'));
  writeFileSync(join(folder, 'a.key'), readFileSync(join(folder, 'b.key')));
  expect(() => checkTlsMaterial(readTlsMaterial(settings()))).toThrow(
    /a\.key: is not the key of the certificate in .*a\.crt/,
  );
  writeFileSync(join(folder, 'a.key'), 'nonsense');
  expect(() => checkTlsMaterial(readTlsMaterial(settings()))).toThrow(/a\.key: holds no private key/);
  writeFileSync(join(folder, 'a.key'), key);
  rmSync(join(folder, 'b.crt'));
  expect(() => readTlsMaterial(settings())).toThrow(/b\.crt: cannot read the certificate: ENOENT/);
  makeCertificate(folder, 'b', ['b.example', '*.b.example']);
});

test('100 MB go out whole through back-pressure, in plain text and under TLS', async () => {
  for (const secure of [false, true]) {
    const served = serveLines(() => {});
    const { socket, until } = await client();
    const connection = await served;
    let stream: Socket = socket;
    if (secure) {
      socket.write('starttls\n');
      await until('go\n');
      stream = await upgrade(socket);
      await collector(stream).until('secure');
    }
    let size = 0;
    let sum = 0;
    stream.removeAllListeners('data');
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      sum = (sum + (chunk[0] as number) + (chunk[chunk.length - 1] as number)) >>> 0;
    });
    const ended = new Promise<void>((resolve) => stream.on('end', () => resolve()));
    const block = Buffer.alloc(256 * 1024, 'x');
    let most = 0;
    for (let sent = 0; sent < 100; sent += 0.25) {
      if (!connection.write(block)) await connection.drain();
      most = Math.max(most, connection.pendingBytes);
    }
    connection.end();
    await ended;
    expect(size).toBe(100 * 1024 * 1024);
    expect(most).toBeLessThan(1024 * 1024);
    stream.destroy();
  }
});

test('nothing is handed out while paused, all of it afterwards', async () => {
  const got: string[] = [];
  const { promise: served, resolve } = Promise.withResolvers<SocketConnection>();
  accept = (connection) => {
    connection.onData((chunk) => {
      got.push(chunk.toString());
      connection.pause();
    });
    resolve(connection);
  };
  const { socket } = await client();
  const connection = await served;
  socket.write('one');
  while (got.length === 0) await new Promise((later) => setImmediate(later));
  socket.write('two');
  await new Promise((later) => setTimeout(later, 20));
  expect(got).toEqual(['one']);
  connection.resume();
  while (got.length < 2) await new Promise((later) => setImmediate(later));
  expect(got).toEqual(['one', 'two']);
  socket.destroy();
});

test('answers to a client that has closed its side still arrive', async () => {
  void serveLines((text, connection) => {
    setTimeout(() => {
      connection.write(`${text} done\n`);
      connection.end();
    }, 30);
  });
  const { socket, until } = await client();
  socket.end('slow command\n');
  await until('slow command done\n');
});

test('onClose is called once, with the reason (invariant 1)', async () => {
  const reasons: string[] = [];
  const opened = () =>
    new Promise<SocketConnection>((resolve) => {
      accept = (connection) => {
        connection.onClose((reason) => reasons.push(reason));
        resolve(connection);
      };
    });
  let served = opened();
  const first = await client();
  (await served).end();
  await first.closed;
  served = opened();
  const second = await client();
  const connection = await served;
  connection.destroy();
  connection.destroy();
  await second.closed;
  expect(connection.write('x')).toBe(false);
  while (reasons.length < 2) await new Promise((later) => setImmediate(later));
  expect(reasons).toEqual(['local', 'local']);
});

test('the idle timeout fires once, and activity puts it off', async () => {
  const served = serveLines(() => {});
  const { socket } = await client();
  const connection = await served;
  let fired = 0;
  connection.setIdleTimeout(1000, () => fired++);
  // The clock is passed in: no test waits for it.
  connection.tick(1);
  expect(fired).toBe(0);
  connection.tick(1_000_000);
  connection.tick(2_000_000);
  expect(fired).toBe(1);
  connection.setIdleTimeout(0);
  connection.tick(3_000_000);
  expect(fired).toBe(1);
  socket.destroy();
});

test('a peer that takes nothing is cut off after a while (invariant 4)', async () => {
  const served = serveLines(() => {});
  const { socket } = await client();
  socket.pause();
  const connection = await served;
  const reason = Promise.withResolvers<string>();
  connection.onClose(reason.resolve);
  while (connection.write(Buffer.alloc(1 << 20)));
  connection.tick(limits.output_stall.value - 1);
  expect(connection.closed).toBe(false);
  connection.tick(limits.output_stall.value + 1_000);
  expect(await reason.promise).toBe('slow');
  socket.destroy();
});

test('end() lets a peer take what waits, but not for ever', async () => {
  const served = serveLines(() => {});
  const { socket } = await client();
  socket.pause();
  const connection = await served;
  const reason = Promise.withResolvers<string>();
  connection.onClose(reason.resolve);
  connection.write(Buffer.alloc(16 << 20));
  connection.end();
  connection.tick(0);
  expect(connection.closed).toBe(true);
  connection.tick(1_000_000);
  expect(await reason.promise).toBe('local');
  socket.destroy();
});

test('a handshake that stops in the middle is given up (limits.tls_handshake)', async () => {
  handshakeMs = 40;
  const served = serveLines(() => {});
  const { socket, until, closed } = await client();
  await served;
  socket.write('starttls\n');
  await until('go\n');
  // The first bytes of a record that never comes whole.
  socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02]));
  await closed;
  handshakeMs = 0;
  expect((await served).closed).toBe(true);
});

test('no descriptor is left behind, however a client goes (invariant 5)', async () => {
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const script = `
import socket, ssl, struct, sys
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
for how in ('close', 'reset', 'unwrap', 'half', 'early'):
    for secure in (False, True):
        for say in (b'', b'quit\\n'):
            s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
            if secure:
                s.sendall(b'starttls\\n')
                s.recv(100)
                if how == 'early': s.close(); continue
                s = context.wrap_socket(s)
                s.recv(100)
            if say: s.sendall(say)
            if how == 'reset': s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            if how == 'unwrap' and secure: s.settimeout(0.1)
            try:
                if how == 'unwrap' and secure: s.unwrap()
                if how == 'half' and not secure: s.shutdown(socket.SHUT_WR); s.recv(100) if say else None
            except OSError: pass
            s.close()`;
  const standing = new Set<SocketConnection>();
  let seen = 0;
  accept = (connection) => {
    seen++;
    standing.add(connection);
    connection.onClose(() => standing.delete(connection));
    connection.onData((chunk) => {
      const text = chunk.toString();
      if (text === 'starttls\n') {
        connection.write('go\n');
        connection.startTls().then(() => connection.write('secure\n'), () => {});
      } else if (text === 'quit\n') connection.end();
    });
  };
  const before = descriptors();
  const child = Bun.spawn(['python3', '-c', script, String(port)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  expect(await child.exited).toBe(0);
  expect(seen).toBe(20);
  // What only closed its side is let go by the clock.
  while (standing.size > 0) {
    for (const connection of standing) connection.tick(1_000_000);
    await new Promise((later) => setTimeout(later, 5));
  }
  while (descriptors() > before) await new Promise((later) => setTimeout(later, 5));
});
