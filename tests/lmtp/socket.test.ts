/** LMTP over a real socket: what only a socket does. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RawListener } from '../../src/net/rawsocket.ts';
import { acceptConnections } from '../../src/net/accept.ts';
import type { TlsParameters } from '../../src/net/tls.ts';
import { makeCertificate } from '../net/certificates.ts';
import { FakeStore } from './fake_store.ts';
import { lmtpFor } from './peer.ts';

let folder: string;
let path: string;
let server: RawListener;
let store: FakeStore;
let secure: TlsParameters;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-lmtp-'));
  path = join(folder, 'lmtp');
  const { cert, key } = makeCertificate(folder, 'server', ['localhost']);
  const context = createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
  secure = { context, alpn: Buffer.from('\x04lmtp'), clientCerts: 'off', named: () => undefined };
  store = new FakeStore();
  const { protocol, service } = lmtpFor({ store });
  const options = { unixPath: path, tls: () => secure };
  server = acceptConnections({ unix: path }, options, (connection) => protocol.accept(connection, service));
});

afterAll(() => {
  server.stop();
  rmSync(folder, { recursive: true });
});

/** Sends everything, then hands each growth of the answer to `look` until the server closes. */
async function talk(bytes: string, look: (answer: string) => void = () => {}): Promise<string[]> {
  const socket = connect({ path });
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
    look(answer);
  });
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(bytes, 'latin1');
  await closed;
  return answer.trimEnd().split('\r\n').filter((line) => line[3] === ' ');
}

test('a flood behind a delivery waits in the kernel and is answered in order', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  store.gate = promise;
  const flood = 'NOOP\r\nRCPT TO:<django>\r\nVRFY inge\r\n'.repeat(20_000);
  const lines = await talk(
    `LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<django>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nMAIL FROM:<>\r\n${flood}QUIT\r\n`,
    (answer) => {
      if (answer.includes('354 ')) resolve();
    },
  );
  expect(lines.slice(4, 8).map((line) => line.slice(0, 9))).toEqual([
    '354 go ah',
    '250 2.1.5',
    '250 2.1.0',
    '250 2.0.0',
  ]);
  const behind = lines.slice(7, -1);
  expect(behind).toHaveLength(60_000);
  for (let index = 0; index < behind.length; index += 3) {
    const rcpt = index < 3 * 1000 ? '250 2.1.5 ok' : '452 4.5.3 ';
    if (
      behind[index] === '250 2.0.0 ok' && behind[index + 1]?.startsWith(rcpt) &&
      behind[index + 2] === '250 2.1.5 inge'
    ) continue;
    expect(behind.slice(index, index + 3)).toEqual(['250 2.0.0 ok', rcpt, '250 2.1.5 inge']);
  }
  expect(lines.at(-1)).toBe('221 2.0.0 bye');
});

test('a client that closes its side behind QUIT still gets every answer', async () => {
  const socket = connect({ path, allowHalfOpen: true });
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('end', () => socket.destroy());
  socket.end('LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<inge>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n');
  await closed;
  expect(answer).toMatch(/\r\n250 2\.1\.5 Ok id=\S+\r\n221 2\.0\.0 bye\r\n$/);
});

test('what comes behind the handshake in the same flight is not lost', async () => {
  const plain = connect({ path });
  for (
    const [line, ends] of [['', '220 '], ['LHLO x\r\n', '250 IGNOREQUOTA'], [
      'STARTTLS\r\n',
      '220 2.0.0',
    ]] as const
  ) {
    plain.write(line);
    for (let answer = ''; !answer.includes(ends);) {
      answer += await new Promise<string>((resolve) =>
        plain.once('data', (chunk: Buffer) => resolve(chunk.toString()))
      );
    }
  }
  const tls = connectTls({ socket: plain, rejectUnauthorized: false, servername: 'localhost' });
  let answer = '';
  tls.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const closed = new Promise((resolve) => tls.on('close', resolve));
  // Written before the handshake is over, so that it leaves together with its last message.
  tls.write('LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<django>\r\nBDAT 0 LAST\r\nQUIT\r\n');
  await closed;
  expect(answer).toMatch(/^250-[^]*\r\n250 2\.1\.5 Ok id=\S+\r\n221 2\.0\.0 bye\r\n$/);
  expect(store.delivered.at(-1)?.bytes).toContain(' with LMTPS id ');
});
