/**
 * The store as the unit confines it, as far as that can be had without systemd: a user of its own, no capabilities, no new
 * privileges, and nothing to write but its folder. What scripts send leaves by SMTP; Postfix's sendmail program, which needs its setgid
 * helper, does not work there (reference of `smtp.backend`), and no message is lost over that.
 */

import { afterEach, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fetched } from '../harness/imap.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { activateScript } from '../harness/managesieve.ts';
import { freePorts } from '../harness/ports.ts';
import { TestStore } from '../harness/server.ts';
import { SmtpSink } from '../harness/smtpsink.ts';
import { Postfix } from './postfix_server.ts';

const USER = 'nobody';
let done: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const each of done.reverse()) await each();
  done = [];
});

/** The restrictions of systemd/mailstore.service: User, ProtectSystem, CapabilityBoundingSet, NoNewPrivileges. */
function confined(dir: string): readonly string[] {
  const script = `chown -R ${USER} "$1"; mount --bind "$1" "$1"; mount -o remount,ro,bind /
    shift; exec setpriv --reuid=${USER} --regid=nogroup --clear-groups --no-new-privs \
      --bounding-set=-all --inh-caps=-all --ambient-caps=-all "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script, 'confined', dir];
}

async function confinedStore(smtp: Readonly<Record<string, string>>): Promise<TestStore> {
  const store = await TestStore.start({
    users: ['bert'],
    config: { server: { user: `"${USER}"` }, smtp, mailbox: { defaultdomain: '"mail.example.org"' } },
    within: confined,
  });
  done.push(() => store.dispose());
  await (await store.login('bert')).logout();
  return store;
}

async function deliver(store: TestStore, subject: string): Promise<string> {
  const client = await LmtpClient.connect(store.lmtpSocket);
  const text = `From: Anna <anna@example.net>\r\nTo: bert@mail.example.org\r\nSubject: ${subject}\r\n` +
    `Message-ID: <${subject}@example.net>\r\n\r\nHello\r\n`;
  const [answer = ''] = await client.deliver('anna@example.net', ['bert'], Buffer.from(text));
  client.destroy();
  return answer;
}

async function subjects(store: TestStore): Promise<string[]> {
  const client = await store.login('bert');
  await client.ok('SELECT INBOX');
  const all = fetched(await client.ok('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])'));
  await client.logout();
  return all.map(({ body }) => /Subject: (\S+)/.exec(body?.toString('latin1') ?? '')?.[1] ?? '');
}

test('it is confined, and vacation, redirect and reject leave by SMTP', async () => {
  const sink = await SmtpSink.start();
  done.push(() => sink.stop());
  const store = await confinedStore({ host: `"127.0.0.1:${sink.port}"` });
  for (const pid of [store.pid, ...[...store.roles().values()].flat()]) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    expect(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')).toMatch(/ \/ \/ ro[ ,]/);
  }
  await activateScript(store, 'bert', 'require "vacation"; vacation "I am away.";');
  expect(await deliver(store, 'away')).toStartWith('250');
  expect((await sink.until(1))[0]?.rcpts[0]).toStartWith('RCPT TO:<anna@example.net>');
  await activateScript(store, 'bert', 'redirect "cleo@elsewhere.example";');
  expect(await deliver(store, 'onward')).toStartWith('250');
  expect((await sink.until(2))[1]?.rcpts[0]).toStartWith('RCPT TO:<cleo@elsewhere.example>');
  await activateScript(store, 'bert', 'require "reject"; reject "nö";');
  expect(await deliver(store, 'refused')).toStartWith('250');
  expect((await sink.until(3))[2]?.data).toContain('disposition-notification');
  expect(await subjects(store)).toEqual(['away']);
});

test("Postfix's sendmail cannot queue from there: the message comes again later, or stays, and is never lost", async () => {
  const [smtp = 0] = await freePorts(1);
  const postfix = await Postfix.start({ main: '', master: `127.0.0.1:${smtp} inet n - n - - smtpd\n` });
  done.push(() => postfix.dispose());
  const wrapper = join(mkdtempSync(join(tmpdir(), 'mailstore-sendmail-')), 'sendmail');
  done.push(() => Promise.resolve(rmSync(dirname(wrapper), { recursive: true })));
  chmodSync(dirname(wrapper), 0o755);
  writeFileSync(wrapper, `#!/bin/sh\nexec /usr/sbin/sendmail -C ${postfix.config} "$@"\n`, { mode: 0o755 });
  const store = await confinedStore({ backend: '"sendmail"', sendmail: `"${wrapper}"` });
  await activateScript(store, 'bert', 'redirect "cleo@elsewhere.example";');
  expect(await deliver(store, 'onward')).toStartWith('451');
  await activateScript(store, 'bert', 'require "vacation"; vacation "I am away.";');
  expect(await deliver(store, 'away')).toStartWith('250');
  await store.logged(/"not sent".*vacation/);
  await activateScript(store, 'bert', 'keep;');
  // The MTA comes again with what was not taken.
  expect(await deliver(store, 'onward')).toStartWith('250');
  expect(await subjects(store)).toEqual(['away', 'onward']);
});
