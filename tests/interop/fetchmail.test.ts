import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../harness/command.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

const COUNT = 30;

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({ users: ['fetcher'] });
});
afterAll(() => store.dispose());

test('fetchmail takes every message once over TLS and leaves the mailbox empty', async () => {
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  for (let number = 0; number < COUNT; number++) {
    const message = Buffer.from(
      `From: sender@example.org\r\nTo: fetcher\r\nMessage-ID: <${number}@f.example.org>\r\n\r\nBody ${number}.\r\n`,
    );
    expect((await lmtp.deliver('sender@example.org', ['fetcher'], message))[0]).toStartWith('250');
  }
  await lmtp.quit();

  const home = join(store.dir, 'fetchmail');
  mkdirSync(join(home, 'out'), { recursive: true });
  const file = join(home, 'fetchmailrc');
  writeFileSync(
    file,
    `poll localhost protocol IMAP service ${store.ports.imaps}
  user "fetcher" password "${PASSWORD}" ssl sslcertck sslcertfile "${store.certificate}"
  mda "cat > $(mktemp ${home}/out/XXXXXXXX)"
`,
  );
  chmodSync(file, 0o600);
  const fetch = () =>
    run('fetchmail', ['-f', file, '--pidfile', join(home, 'pid')], { env: { FETCHMAILHOME: home } });
  const ended = await fetch();
  if (ended.code !== 0) {
    throw new Error(`fetchmail ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`);
  }

  const bodies = readdirSync(join(home, 'out'))
    .map((name) => /\n\nBody (\d+)\.\n$/.exec(readFileSync(join(home, 'out', name), 'latin1'))?.[1])
    .sort((a, b) => Number(a) - Number(b));
  expect(bodies).toEqual(Array.from({ length: COUNT }, (_, number) => String(number)));
  expect((await fetch()).code).toBe(1); // no new mail
  const client = await store.login('fetcher');
  const selected = await client.ok('SELECT INBOX');
  expect(selected.untagged.map(({ text }) => text)).toContain('* 0 EXISTS');
  await client.logout();
});
