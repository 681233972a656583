/** Deliveries over LMTP: 4 KB by Postfix's own load generator, real mail and many recipients by a client of this folder. */

import { existsSync } from 'node:fs';
import { corpus } from '../corpus.ts';
import type { FigureName } from '../figures.ts';
import { deliver, Mail } from '../lmtp_client.ts';
import { sampleMessage } from '../message.ts';
import type { RunningServer } from '../servers/server.ts';
import { addClientSeconds, costOf, type Taker, type Workload } from '../workload.ts';

const GENERATOR = ['/usr/sbin/smtp-source', '/usr/lib/postfix/sbin/smtp-source'].find((path) =>
  existsSync(path)
);

/** [figure, sessions, whether a session delivers more than one message] */
const SMALL: readonly (readonly [FigureName, number, boolean])[] = [
  ['lmtp1', 1, false],
  ['lmtp8', 8, false],
  ['lmtp32', 32, false],
  ['lmtp128', 128, false],
  ['lmtp32kept', 32, true],
];

const REAL: readonly (readonly [FigureName, number])[] = [
  ['mail1', 1],
  ['mail8', 8],
  ['mail32', 32],
  ['mail128', 128],
];

/** Different messages of real mail: more would say nothing new and have to be kept in memory. */
const CORPUS = 300;
/** Users that real mail goes to in turn. */
const READERS = 40;
const RECIPIENTS = 20;
const SAMPLES = Array.from({ length: 50 }, (_, index) => new Mail(sampleMessage(index)));

const smallUser = (figure: FigureName): string => `${figure.toLowerCase()}user`;
const realUsers = Array.from({ length: READERS }, (_, index) => `mail${index}`);
const manyUsers = Array.from({ length: RECIPIENTS }, (_, index) => `many${index}`);

/** A mailbox for each kind; what it holds from the round before is as it would be at work. */
export const smallDelivery: Workload = {
  name: 'lmtp',
  users: () => SMALL.map(([figure]) => smallUser(figure)),

  async prepare(server, sizes) {
    for (const [figure] of SMALL) await makeInbox(server, smallUser(figure));
    // Warms the server up: processes forked, code compiled.
    await generate(server, smallUser('lmtp8'), 8, sizes.deliveries, false);
  },

  async run(server, sizes, take) {
    for (const [figure, sessions, kept] of SMALL) {
      const count = sessions === 1 ? sizes.deliveries : sizes.deliveries * 3;
      const cost = await costOf(server, () => generate(server, smallUser(figure), sessions, count, kept));
      take.rate(figure, count, cost);
      if (figure === 'lmtp32') take.value('deliveryCpu', cost.server / count * 1000);
    }
  },
};

let made: readonly Mail[] | undefined;

function realMail(): readonly Mail[] {
  return made ??= corpus(CORPUS).map((message) => new Mail(message));
}

export const realDelivery: Workload = {
  name: 'mail',
  users: () => realUsers,

  async prepare(server) {
    for (const user of realUsers) await makeInbox(server, user);
    realMail();
  },

  async run(server, sizes, take) {
    const mails = realMail();
    for (const [figure, sessions] of REAL) {
      const count = sessions === 1 ? Math.ceil(sizes.deliveries / 2) : sizes.deliveries;
      const cost = await costOf(server, () =>
        deliver({
          place: server.lmtp,
          sessions,
          count,
          mails,
          recipients: (index) => [realUsers[index % READERS] ?? ''],
        }));
      take.rate(figure, count, cost);
    }
  },
};

export const manyRecipients: Workload = {
  name: 'recipients',
  users: () => manyUsers,

  async prepare(server) {
    for (const user of manyUsers) await makeInbox(server, user);
    await toMany(server, 8, 20);
  },

  async run(server, sizes, take) {
    const count = Math.ceil(sizes.deliveries / 6);
    for (const [figure, sessions] of [['many1', 1], ['many8', 8]] as const) {
      const cost = await costOf(server, () => toMany(server, sessions, count));
      take.rate(figure, count * RECIPIENTS, cost);
    }
    await measureDisk(server, count * 3, take);
  },
};

/** What a delivery leaves on disk once the server has put everything where it stays: before and after, both stopped. */
async function measureDisk(server: RunningServer, count: number, take: Taker): Promise<void> {
  const settled = async (): Promise<number> => {
    await server.stop();
    await server.start();
    await server.stop();
    const bytes = server.diskBytes();
    await server.start();
    return bytes;
  };
  const before = await settled();
  await toMany(server, 8, count);
  take.value('disk', (await settled() - before) / (count * RECIPIENTS));
}

async function toMany(server: RunningServer, sessions: number, count: number): Promise<void> {
  await deliver({
    place: server.lmtp,
    sessions,
    count,
    mails: SAMPLES,
    recipients: () => manyUsers,
  });
}

/** The first login makes the INBOX, so that no delivery has to (Cyrus refuses some when several do so at once). */
export async function makeInbox(server: RunningServer, user: string): Promise<void> {
  const client = await server.login(user);
  await client.command('SELECT INBOX');
  client.close();
}

/** Runs the generator for `count` acknowledged messages of 4 KB; throws when one was refused. */
export async function generate(
  server: RunningServer,
  user: string,
  sessions: number,
  count: number,
  kept: boolean,
): Promise<void> {
  if (GENERATOR === undefined) throw new Error('smtp-source is missing: apt-get install postfix');
  const args = ['-L', '-s', String(sessions), '-m', String(count), '-l', '4096'];
  if (kept) args.push('-d');
  args.push('-f', 'sender@example.org', '-t', user, `unix:${server.lmtp}`);
  const child = Bun.spawn([GENERATOR, ...args], { stdout: 'ignore', stderr: 'pipe' });
  const complaint = await new Response(child.stderr).text();
  const code = await child.exited;
  addClientSeconds(Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6);
  if (code !== 0) throw new Error(`smtp-source to ${server.name} ended with ${code}: ${complaint}`);
}
