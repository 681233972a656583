/** kill -9 between a forward that is sent and the 250: the message comes again, and nothing of it is lost. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { LmtpClient } from '../harness/lmtp.ts';
import { activateScript } from '../harness/managesieve.ts';
import { TestStore } from '../harness/server.ts';
import { SmtpSink } from '../harness/smtpsink.ts';
import { letter } from './postroom.ts';

let store: TestStore;
let sink: SmtpSink;

beforeAll(async () => {
  sink = await SmtpSink.start();
  store = await TestStore.start({
    users: ['bert', 'cleo'],
    config: { smtp: { host: `"127.0.0.1:${sink.port}"` }, server: { workers: '1' } },
  });
  await activateScript(
    store,
    'bert',
    'require ["copy", "fileinto", "mailbox"]; redirect :copy "out@x.example"; fileinto :create "Kept";',
  );
  await activateScript(store, 'cleo', 'redirect "out@x.example";');
});

afterAll(async () => {
  await store.stop();
  await sink.stop();
});

/** Delivers as an MTA does: again and again until it has an answer. */
async function deliver(to: string, message: Buffer): Promise<string> {
  for (;;) {
    try {
      const client = await LmtpClient.connect(store.lmtpSocket);
      const [answer = ''] = await client.deliver('anna@example.net', [to], message);
      client.destroy();
      if (answer.startsWith('2') || answer.startsWith('5')) return answer;
    } catch {
      await store.greets();
    }
  }
}

/** Resolves when there is a process of the role to be killed. */
async function there(role: string): Promise<void> {
  while (store.roles().get(role) === undefined) await Bun.sleep(10);
}

async function kept(user: string, mailbox: string): Promise<number> {
  const client = await store.login(user);
  const { untagged } = await client.command(`STATUS ${mailbox} (MESSAGES)`);
  client.destroy();
  return Number(/MESSAGES (\d+)/.exec(JSON.stringify(untagged))?.[1] ?? 0);
}

for (const role of ['worker', 'writer']) {
  for (const at of ['the MTA has the message', 'the MTA has answered']) {
    test(`the ${role} is killed when ${at}`, async () => {
      sink.clear();
      const before = await kept('bert', 'Kept');
      await there(role);
      let killed = false;
      sink.options = {
        answer(line) {
          const now = at === 'the MTA has the message' ? '.' : 'QUIT';
          if (!killed && line === now) {
            killed = true;
            store.killRole(role);
          }
          return null;
        },
      };
      expect(await deliver('bert', Buffer.from(letter()))).toStartWith('250');
      expect(killed).toBe(true);
      // At least once where it goes to, exactly once where duplicates are known.
      expect([1, 2]).toContain(sink.messages.length);
      expect(await kept('bert', 'Kept')).toBe(before + 1);
      // One that only goes on does so at least once.
      sink.clear();
      await there(role);
      killed = false;
      expect(await deliver('cleo', Buffer.from(letter()))).toStartWith('250');
      expect([1, 2]).toContain(sink.messages.length);
    });
  }
}
