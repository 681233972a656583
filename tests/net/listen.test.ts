import { afterAll, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Listen } from '../../src/config/services.ts';
import {
  getIntOption,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TCLASS,
  lookupGroup,
} from '../../src/net/libc.ts';
import { closeListener, listen, type Listener, removeListener } from '../../src/net/listen.ts';
import { trafficClass } from '../../src/server/marking.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-listen-'));
afterAll(() => rmSync(folder, { recursive: true }));

const options = { service: 'imap', trafficClass: 0 };
const tcp = (host: string, port = 0, family: 'any' | 'ipv4' | 'ipv6' = 'any'): Listen => ({
  kind: 'tcp',
  host,
  port,
  family,
});
const unix = (name: string, mode = 0o660, group = ''): Listen => ({
  kind: 'unix',
  path: join(folder, name),
  mode,
  owner: '',
  group,
});

/** A child that accepts on descriptor 3 and greets with its name; resolves when it does. */
async function acceptor(name: string, listener: Listener) {
  const script = `
    require('node:net').createServer((c) => c.end('${name}')).listen({ fd: 3 }, () => console.log('up'));
    process.stdin.on('end', () => process.exit()).resume();`;
  const child = Bun.spawn([process.execPath, '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit', listener.fd],
  });
  const reader = child.stdout.getReader();
  await reader.read();
  return child;
}

function greeting(target: { port: number; host: string } | { path: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(target as { port: number; host: string });
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

for (const kind of ['tcp', 'unix'] as const) {
  test(`processes share a ${kind} socket, and the end of one leaves the others accepting`, async () => {
    const [listener] = await listen(kind === 'tcp' ? tcp('127.0.0.1') : unix('shared'), options) as [
      Listener,
    ];
    const target = kind === 'tcp' ? { port: listener.port, host: '127.0.0.1' } : { path: listener.path };
    const first = await acceptor('first', listener);
    expect(await greeting(target)).toBe('first');
    const second = await acceptor('second', listener);
    first.kill('SIGKILL');
    await first.exited;
    for (let round = 0; round < 5; round++) expect(await greeting(target)).toBe('second');
    second.kill('SIGKILL');
    await second.exited;
    // A connection that comes while no worker runs waits for the next one.
    const waiting = greeting(target);
    const third = await acceptor('third', listener);
    expect(await waiting).toBe('third');
    third.kill('SIGKILL');
    await third.exited;
    removeListener(listener);
    await expect(greeting(target)).rejects.toThrow();
  });
}

test('the mark of the listening socket is on accepted ones (qosmarking)', async () => {
  expect(['cs0', 'cs1', 'af13', 'af41', 'ef', 'cs7'].map(trafficClass)).toEqual([
    0,
    0x20,
    0x38,
    0x88,
    0xb8,
    0xe0,
  ]);
  for (const host of ['127.0.0.1', '::1']) {
    const listeners = await listen(tcp(host), { service: 'imap', trafficClass: trafficClass('af13') }).catch(
      () => [],
    );
    const [listener] = listeners;
    // A machine without IPv6 has nothing to mark there.
    if (listener === undefined) {
      expect(host).toBe('::1');
      continue;
    }
    const mark = Promise.withResolvers<number>();
    const server = createServer((socket) => {
      const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
      mark.resolve(
        host === '::1' ? getIntOption(fd, IPPROTO_IPV6, IPV6_TCLASS) : getIntOption(fd, IPPROTO_IP, IP_TOS),
      );
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen({ fd: listener.fd }, resolve));
    connect(listener.port, host).on('error', () => {});
    expect(await mark.promise).toBe(0x38);
    server.close();
  }
});

test('every address of the machine is two sockets with one port', async () => {
  const listeners = await listen(tcp(''), options);
  const ports = new Set(listeners.map(({ port }) => port));
  expect(ports.size).toBe(1);
  expect(listeners[0]?.text).toStartWith('0.0.0.0:');
  if (listeners.length > 1) expect(listeners[1]?.text).toStartWith('[::]:');
  const [port] = ports;
  for (const { family, prefix } of [{ family: 'ipv4', prefix: '0.0.0.0:' }] as const) {
    for (const listener of listeners) closeListener(listener);
    const only = await listen(tcp('*', port, family), options);
    expect(only.map(({ text }) => text)).toEqual([`${prefix}${port}`]);
    for (const listener of only) closeListener(listener);
  }
});

test('what cannot be bound is named with its remedy, and nothing stays bound', async () => {
  const [taken] = await listen(tcp('127.0.0.1'), options) as [Listener];
  await expect(listen(tcp('127.0.0.1', taken.port), { ...options, service: 'imaps' })).rejects.toThrow(
    `service imaps: cannot listen on 127.0.0.1:${taken.port}: EADDRINUSE: another program listens there`,
  );
  closeListener(taken);
  await expect(listen(tcp('192.0.2.1', 143), options)).rejects.toThrow(/EADDRNOTAVAIL: no interface/);
  await expect(listen(tcp('no-such-host.invalid', 143), options)).rejects.toThrow(
    /'no-such-host.invalid' to listen on cannot be resolved/,
  );
  await expect(listen(tcp('127.0.0.1', 143, 'ipv6'), options)).rejects.toThrow(/has no ipv6 address/);
  await expect(listen(unix('x'.repeat(120)), options)).rejects.toThrow(/more than 107 bytes/);
  await expect(listen(unix('nofolder/socket'), options)).rejects.toThrow(
    /ENOENT: the folder for the socket does not exist/,
  );
  await expect(listen(unix('group', 0o660, 'no-such-group'), options)).rejects.toThrow(
    /group 'no-such-group' .* is no group/,
  );
});

test('a unix socket has the mode and group asked for from its first moment', async () => {
  const [listener] = await listen(unix('modes', 0o620, process.getuid?.() === 0 ? 'mail' : ''), options) as [
    Listener,
  ];
  const stat = statSync(listener.path);
  expect(stat.mode & 0o7777).toBe(0o620);
  if (process.getuid?.() === 0) expect(stat.gid).toBe(lookupGroup('mail') as number);
  removeListener(listener);
  expect(statSync(listener.path, { throwIfNoEntry: false })).toBeUndefined();
});

test('only a socket nobody answers behind is replaced (invariant 2)', async () => {
  const [first] = await listen(unix('again'), options) as [Listener];
  await expect(listen(unix('again'), options)).rejects.toThrow(/again: EADDRINUSE/);
  closeListener(first);
  const [second] = await listen(unix('again'), options) as [Listener];
  removeListener(second);
  writeFileSync(join(folder, 'file'), 'mail');
  chmodSync(join(folder, 'file'), 0o600);
  await expect(listen(unix('file'), options)).rejects.toThrow(/exists and is not a socket/);
  expect(statSync(join(folder, 'file')).size).toBe(4);
});
