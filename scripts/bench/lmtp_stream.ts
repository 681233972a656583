/**
 * What one LMTP session makes of a large message, without sockets: decoding dots, the session with a stage that
 * forgets, and the session with the store itself. Prints MB/s and how far the memory of the process grew.
 *
 *   bun scripts/bench/lmtp_stream.ts [megabytes]
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSettings } from '../../src/config/settings.ts';
import { DotDecoder } from '../../src/lmtp/dots.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/border.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { FakeStore } from '../../tests/lmtp/fake_store.ts';
import { MemoryConnection } from '../../tests/imap/memory_connection.ts';
import { lmtpFor } from '../../tests/lmtp/peer.ts';

const megabytes = Number(process.argv[2] ?? 100);
const line = Buffer.from(`${'base64text'.repeat(7)}\r\n`);
const dotted = Buffer.from(`..${'x'.repeat(68)}\r\n`);

/** One segment as it comes from a socket, made of whole and cut lines. */
function segment(of: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(65536 / of.length) }, () => of)).subarray(0, 65536);
}

async function measure(
  name: string,
  run: (chunk: () => Buffer, count: number) => Promise<void> | void,
  of = line,
) {
  const source = segment(of);
  const count = Math.round(megabytes * 1e6 / source.length);
  Bun.gc(true);
  const before = process.memoryUsage().rss;
  let most = before;
  let taken = 0;
  const begun = performance.now();
  await run(() => {
    if (++taken % 64 === 0) most = Math.max(most, process.memoryUsage().rss);
    // The receiver owns what it gets, as from a socket.
    return Buffer.from(source);
  }, count);
  const seconds = (performance.now() - begun) / 1000;
  const rate = (count * source.length / 1e6 / seconds).toFixed(0);
  const grown = ((most - before) / 1e6).toFixed(1);
  process.stdout.write(`${name.padEnd(44)} ${rate.padStart(7)} MB/s   memory +${grown.padStart(6)} MB\n`);
}

async function deliver(store: Store, recipient: string, next: () => Buffer, count: number): Promise<void> {
  const { protocol, service } = lmtpFor({ store });
  const peer = new MemoryConnection({ unix: true });
  protocol.accept(peer, service);
  peer.send(`LHLO bench\r\nMAIL FROM:<bench@example.org>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`);
  let answer = await peer.line();
  while (answer !== null && !answer.startsWith('354')) answer = await peer.line();
  peer.send('Subject: large\r\n\r\n');
  for (let index = 0; index < count; index++) {
    peer.send(next());
    if (index % 16 === 0) await new Promise(setImmediate);
  }
  peer.send('\r\n.\r\n');
  answer = await peer.line();
  if (!answer?.startsWith('250')) throw new Error(`not delivered: ${answer}`);
}

await measure('dots: plain text', (next, count) => {
  const decoder = new DotDecoder();
  for (let index = 0; index < count; index++) decoder.push(next(), 0, () => {});
});
await measure('dots: every line begins with one', (next, count) => {
  const decoder = new DotDecoder();
  for (let index = 0; index < count; index++) decoder.push(next(), 0, () => {});
}, dotted);

const forgetful = new FakeStore();
forgetful.keep = false;
await measure('session, a stage that forgets', (next, count) => deliver(forgetful, 'django', next, count));

const folder = mkdtempSync(join(tmpdir(), 'mailstore-bench-'));
const settings = makeSettings({
  configdirectory: join(folder, 'state'),
  partition: { default: join(folder, 'spool') },
  createonpost: true,
  autocreatequota: -1,
});
const store = await openStore(settings, silentLog, 'direct');
try {
  await measure('session and store, durable', (next, count) => deliver(store, 'django', next, count));
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}
