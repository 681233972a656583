/** What each server makes durable and writes for one operation, counted by strace: no figure to win, but what others cost. */

import { deliver, LmtpSession, Mail } from '../lmtp_client.ts';
import { sampleMessage } from '../message.ts';
import type { RunningServer } from '../servers/server.ts';
import type { Taker, Workload } from '../workload.ts';
import { makeInbox } from './delivery.ts';
import { tracedCalls } from '../../../tests/harness/syscalls.ts';

const ONE = 'synced';
const RECIPIENTS = Array.from({ length: 20 }, (_, index) => `synced${index}`);
const MAILS = Array.from({ length: 20 }, (_, index) => new Mail(sampleMessage(index)));
const COUNT = 40;

export const syncs: Workload = {
  name: 'syncs',
  users: () => [ONE, ...RECIPIENTS],

  async prepare(server) {
    for (const user of [ONE, ...RECIPIENTS]) await makeInbox(server, user);
    await delivered(server, 1, [ONE]);
  },

  async run(server, _sizes, take) {
    await traced(server, take, 'delivery, 1 session', COUNT, () => delivered(server, 1, [ONE]));
    await traced(server, take, 'delivery, 8 sessions', COUNT, () => delivered(server, 8, [ONE]));
    const lmtp = await LmtpSession.open(server.lmtp);
    await traced(server, take, 'delivery to 20 recipients', 5, async () => {
      for (const mail of MAILS.slice(0, 5)) await lmtp.deliver(mail.copy(), RECIPIENTS);
    });
    lmtp.close();
    const client = await server.login(ONE);
    await client.command('SELECT INBOX');
    await traced(server, take, 'APPEND', COUNT, async () => {
      for (let index = 0; index < COUNT; index++) {
        const message = sampleMessage(index);
        await client.pipeline([
          Buffer.concat([Buffer.from(`APPEND INBOX {${message.length}+}\r\n`), message]),
        ]);
      }
    });
    await traced(server, take, 'STORE on one', COUNT, async () => {
      for (let index = 0; index < COUNT; index++) {
        await client.command(`STORE ${1 + index % 20} ${index < 20 ? '+' : '-'}FLAGS (\\Flagged)`);
      }
    });
    await client.command('CREATE Target');
    await traced(server, take, 'COPY of 20', 5, async () => {
      for (let round = 0; round < 5; round++) await client.command('COPY 1:20 Target');
    });
    await traced(server, take, 'EXPUNGE of one', 10, async () => {
      for (let round = 0; round < 10; round++) {
        await client.command('STORE 1 +FLAGS.SILENT (\\Deleted)');
        await client.command('EXPUNGE');
      }
    });
    await client.command('DELETE Target');
    client.close();
  },
};

async function traced(
  server: RunningServer,
  take: Taker,
  operation: string,
  count: number,
  work: () => Promise<void>,
): Promise<void> {
  const { syncs, written } = await tracedCalls(server.pid, work);
  const per = Object.fromEntries(Object.entries(syncs).map(([name, calls]) => [name, calls / count]));
  take.synced[operation] = { syncs: per, written: written / count };
}

async function delivered(
  server: RunningServer,
  sessions: number,
  recipients: readonly string[],
): Promise<void> {
  await deliver({ place: server.lmtp, sessions, count: COUNT, mails: MAILS, recipients: () => recipients });
}
