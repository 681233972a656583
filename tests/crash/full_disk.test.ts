/** A disk that is full: nothing is lost, people log in, read and delete, and mail comes in again when there is space. */

import { afterEach, beforeEach, expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetched, type ImapClient } from '../harness/imap.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { TestStore } from '../harness/server.ts';
import { SmallDisk } from './disk.ts';
import { idOf, messageOf, newId } from './message.ts';

let disk: SmallDisk;
let store: TestStore;

beforeEach(async () => {
  disk = new SmallDisk(40 << 20);
  store = await TestStore.start({
    users: ['anna', 'bert'],
    config: {
      store: {
        configdirectory: `"${disk.path}/state"`,
        partition: `{ default = "${disk.path}/spool" }`,
        expunge_retention: '"0s"',
      },
      'events.expire': { job: '"expire"', every: '"1s"' },
    },
  });
});
afterEach(async () => {
  await store.dispose();
  disk.dispose();
});

async function deliver(client: LmtpClient, to = 'anna'): Promise<{ id: string; reply: string }> {
  const id = newId(1);
  const [reply = ''] = await client.deliver('sender@example.org', [to], messageOf(id));
  return { id, reply };
}

/** The identities in anna's INBOX. */
async function inbox(client: ImapClient): Promise<string[]> {
  const answer = await client.ok('FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])');
  return fetched(answer).map(({ body }) => idOf(body)).sort();
}

/** Repeats until it is so: what has to come about by itself. */
async function eventually<Result>(ask: () => Promise<Result | undefined>): Promise<Result> {
  for (const begun = performance.now(); performance.now() - begun < 60_000; await sleep(50)) {
    const result = await ask().catch(() => undefined);
    if (result !== undefined) return result;
  }
  throw new Error(`it did not come about:\n${store.log.split('\n').slice(-30).join('\n')}`);
}

/** Mail until the store takes no more; resolves to what it took. Every refusal must be a temporary one. */
async function fillWithMail(): Promise<string[]> {
  const client = await LmtpClient.connect(store.lmtpSocket);
  const taken: string[] = [];
  for (let refused = 0; refused < 10;) {
    const { id, reply } = await deliver(client);
    if (reply.startsWith('250')) taken.push(id);
    else {
      expect(reply).toMatch(/^4\d\d /);
      refused++;
    }
  }
  client.destroy();
  return taken.sort();
}

test(
  'filled by mail: refused as temporary; reading, flags, expunge and expiry go on and make space',
  async () => {
    const taken = await fillWithMail();
    const client = await store.login('anna');
    await client.ok('SELECT INBOX');
    expect(await inbox(client)).toEqual(taken);
    expect((await client.command('APPEND INBOX', messageOf(newId(1)))).text).toMatch(/^NO \[UNAVAILABLE\]/);
    // A large one does not even get to the stage.
    expect((await client.command('APPEND INBOX', Buffer.alloc(1 << 20, 'x\r\n'))).text)
      .toMatch(/^NO \[UNAVAILABLE\]/);
    expect((await client.command('COPY 1 INBOX')).text).toMatch(/^NO \[UNAVAILABLE\]/);
    await client.ok('STORE 1:* +FLAGS.SILENT (\\Flagged)');
    const half = taken.length >> 1;
    await client.ok(`STORE 1:${half} +FLAGS.SILENT (\\Deleted)`);
    await client.ok('EXPUNGE');
    expect((await inbox(client)).length).toBe(taken.length - half);
    const lmtp = await LmtpClient.connect(store.lmtpSocket);
    const { id } = await eventually(async () => {
      const result = await deliver(lmtp);
      return result.reply.startsWith('250') ? result : undefined;
    });
    await client.ok('NOOP');
    expect(await inbox(client)).toContain(id);
    client.destroy();
    lmtp.destroy();
    await store.stop();

    expect(store.tool(['check', '--deep']).code).toBe(0);
    await store.run();
  },
  120_000,
);

test('filled to the last byte by somebody else: the same, also for a store that is killed then', async () => {
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  const taken: string[] = [];
  for (let count = 0; count < 30; count++) {
    const { id, reply } = await deliver(lmtp);
    expect(reply).toMatch(/^250 /);
    taken.push(id);
  }
  disk.fill();
  for (let count = 0; count < 5; count++) expect((await deliver(lmtp)).reply).toMatch(/^4\d\d /);
  lmtp.destroy();
  for (const killed of [false, true]) {
    if (killed) {
      await store.killAll();
      disk.fill();
      await store.run();
    }
    await eventually(async () => {
      const client = await store.login('anna');
      await client.ok('SELECT INBOX');
      expect(await inbox(client)).toEqual(taken.toSorted());
      await client.ok('STORE 1:* +FLAGS.SILENT (\\Flagged)');
      await client.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
      await client.ok('EXPUNGE');
      taken.splice(0, taken.length, ...await inbox(client));
      client.destroy();
      return true;
    });
  }
  expect(taken.length).toBe(28);
  disk.empty();
  await eventually(async () => {
    const client = await LmtpClient.connect(store.lmtpSocket);
    const { id, reply } = await deliver(client);
    client.destroy();
    if (!reply.startsWith('250')) return undefined;
    taken.push(id);
    return true;
  });
  const client = await store.login('anna');
  await client.ok('SELECT INBOX');
  expect(await inbox(client)).toEqual(taken.toSorted());
  client.destroy();
  await store.stop();
  expect(store.tool(['check', '--deep']).code).toBe(0);
  await store.run();
}, 120_000);
