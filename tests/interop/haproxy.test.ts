/** HAProxy in front, with both versions of the PROXY protocol: who is logged, counted and blocked is the client. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { freePorts } from '../harness/ports.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

let store: TestStore;
let proxy: ChildProcess | undefined;
let front: number;
let frontTls: number;

beforeAll(async () => {
  const [behind = 0, behindTls = 0, ...fronts] = await freePorts(4);
  [front = 0, frontTls = 0] = fronts;
  store = await TestStore.start({
    users: ['django', 'inge'],
    config: {
      server: { proxy_networks: '["127.0.0.1"]' },
      login: { failedloginpause: '"0s"', limit_user: '3', trusted_networks: '["127.0.0.1"]' },
      'services.behind': { protocol: '"imap"', listen: `"127.0.0.1:${behind}"`, proxy_protocol: 'true' },
      'services.behindtls': {
        protocol: '"imap"',
        tls: 'true',
        listen: `"127.0.0.1:${behindTls}"`,
        proxy_protocol: 'true',
      },
    },
  });
  const file = join(store.dir, 'haproxy.cfg');
  writeFileSync(
    file,
    `defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen one
  bind 127.0.0.1:${front}
  server store 127.0.0.1:${behind} send-proxy
listen two
  bind 127.0.0.1:${frontTls}
  server store 127.0.0.1:${behindTls} send-proxy-v2
`,
  );
  proxy = spawn('/usr/sbin/haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  for (let waited = 0; waited < 2000; waited += 10) {
    if ((await said(front, '127.0.0.9', 'a LOGOUT\r\n')).includes('BYE')) return;
    await sleep(10);
  }
  throw new Error('haproxy does not answer');
});
afterAll(async () => {
  proxy?.kill();
  await store.dispose();
});

/** Everything the store says to a client at an address. */
function said(port: number, from: string, text: string, tls = false): Promise<string> {
  return new Promise((resolve) => {
    const plain = connect({ port, host: '127.0.0.1', localAddress: from });
    const socket = tls ? tlsConnect({ socket: plain, rejectUnauthorized: false }) : plain;
    let heard = '';
    socket.on('data', (chunk) => heard += chunk);
    for (const each of [plain, socket]) each.on('error', () => {});
    plain.on('close', () => resolve(heard));
    socket.write(text);
  });
}

test('version 1, and version 2 in front of TLS: the log names the client', async () => {
  const dialogue = `a LOGIN inge ${PASSWORD}\r\nb SELECT INBOX\r\nc LOGOUT\r\n`;
  expect(await said(front, '127.0.0.5', dialogue)).toContain('\r\nb OK [READ-WRITE]');
  expect(await said(frontTls, '127.0.0.6', dialogue, true)).toContain('\r\nb OK [READ-WRITE]');
  await store.logged(/msg="logged in" .* rip=127\.0\.0\.5 .* tls=false user=inge/);
  await store.logged(/msg="logged in" .* rip=127\.0\.0\.6 .* tls=true user=inge/);
});

test('who guesses behind the proxy is blocked, others are not, though all come from one machine', async () => {
  const guesses = [1, 2, 3, 4].map((guess) => `a${guess} LOGIN django guess${guess}\r\n`).join('');
  const heard = await said(front, '127.0.0.7', `${guesses}b LOGOUT\r\n`);
  expect(heard.match(/\[AUTHENTICATIONFAILED\]/g)?.length).toBe(3);
  expect(heard).toMatch(/\r\na4 NO \[UNAVAILABLE\]/);
  await store.logged(/msg="logins blocked" .* rip=127\.0\.0\.7/);
  expect(await said(frontTls, '127.0.0.8', `a LOGIN inge ${PASSWORD}\r\nb LOGOUT\r\n`, true)).toMatch(
    /\r\na OK /,
  );
});

test('nobody reaches such a service past the proxy', async () => {
  const direct = /service=behind address=127\.0\.0\.1:(\d+)/.exec(store.log)?.[1];
  expect(await said(Number(direct), '127.0.0.5', 'a LOGOUT\r\n')).toBe('');
  await store.logged(
    /msg="connection refused" .* service=behind rip=127\.0\.0\.5 reason="not a trusted proxy"/,
  );
});
