/** LMTP over a real socket: what only a socket does. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SocketConnection } from '../../src/net/socket.ts';
import { FakeStore } from './fake_store.ts';
import { lmtpFor } from './peer.ts';

let folder: string;
let path: string;
let server: Server;
let store: FakeStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-lmtp-'));
  path = join(folder, 'lmtp');
  store = new FakeStore();
  const { protocol, service } = lmtpFor({ store });
  server = createServer((socket) => {
    protocol.accept(new SocketConnection(socket, { unixPath: path, tls: () => undefined }), service);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});

afterAll(() => {
  server.close();
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
