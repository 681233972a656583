/** Deliveries over LMTP by Postfix's own load generator, one mailbox per repetition. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { FigureName, Measured, Sizes } from '../figures.ts';
import type { RunningServer } from '../servers/server.ts';
import { processorSeconds } from '../../../tests/harness/processes.ts';

const GENERATOR = ['/usr/sbin/smtp-source', '/usr/lib/postfix/sbin/smtp-source'].find((path) =>
  existsSync(path)
);

/** [figure, sessions, whether a session delivers more than one message] */
const KINDS: readonly (readonly [FigureName, number, boolean])[] = [
  ['lmtp1', 1, false],
  ['lmtp8', 8, false],
  ['lmtp32', 32, false],
  ['lmtp32kept', 32, true],
];

/** Users the workload delivers to. */
export function deliveryUsers(sizes: Sizes): string[] {
  return KINDS.flatMap(([figure]) =>
    Array.from({ length: sizes.repetitions + 1 }, (_, index) => `${figure.toLowerCase()}r${index}`)
  );
}

export async function measureDelivery(
  server: RunningServer,
  sizes: Sizes,
  measured: Measured,
): Promise<void> {
  for (const [figure, sessions, kept] of KINDS) {
    const count = sessions === 1 ? sizes.deliveries : sizes.deliveries * 3;
    const rates: number[] = [];
    const processor: number[] = [];
    // One round more than counts: the first warms the server up.
    for (let round = 0; round <= sizes.repetitions; round++) {
      const user = `${figure.toLowerCase()}r${round}`;
      await createInbox(server, user);
      const before = processorSeconds(server.pid);
      const seconds = await deliver(server.lmtp, user, sessions, count, kept);
      if (round === 0) continue;
      rates.push(count / seconds);
      processor.push((processorSeconds(server.pid) - before) / count * 1000);
    }
    measured[figure] = rates;
    if (figure === 'lmtp32') measured.deliveryCpu = processor;
  }
}

/** The first login makes the INBOX, so that no delivery has to (Cyrus refuses some when several do so at once). */
async function createInbox(server: RunningServer, user: string): Promise<void> {
  const client = await server.login(user);
  await client.command('SELECT INBOX');
  client.close();
}

/** Seconds the generator needs for `count` acknowledged messages; throws when one was refused. */
async function deliver(
  to: string,
  user: string,
  sessions: number,
  count: number,
  kept: boolean,
): Promise<number> {
  if (GENERATOR === undefined) throw new Error('smtp-source is missing: apt-get install postfix');
  const args = ['-L', '-s', String(sessions), '-m', String(count), '-l', '4096'];
  if (kept) args.push('-d');
  args.push('-f', 'sender@example.org', '-t', user, to);
  const begun = performance.now();
  const child = spawn(GENERATOR, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => complaint += chunk.toString());
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const seconds = (performance.now() - begun) / 1000;
  if (code !== 0) throw new Error(`smtp-source to ${to} ended with ${code}: ${complaint}`);
  return seconds;
}
