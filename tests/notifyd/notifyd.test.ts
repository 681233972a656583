/** notifyd in a running store: datagrams of Python and of notifytest, each method, and what is no notification. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Finished, run, succeed } from '../harness/command.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';

let store: TestStore;
let socket: string;
let hook: ReturnType<typeof Bun.serve>;
const told: { body: string; signature: string | null }[] = [];

beforeAll(async () => {
  hook = Bun.serve({
    port: 0,
    async fetch(request) {
      const body = await request.text();
      if (body.includes('refuse')) return new Response('no', { status: 500 });
      if (body.includes('elsewhere')) return Response.redirect('http://127.0.0.1:1/');
      told.push({ body, signature: request.headers.get('X-Mailstore-Signature') });
      return new Response('ok');
    },
  });
  store = await TestStore.start({
    users: ['django', 'inge'],
    config: {
      'services.notify': {},
      notify: {
        method: '"log"',
        external: '"/tmp/nothing-is-there"',
        webhook: `"http://127.0.0.1:${hook.port}/hook"`,
        webhook_secret: '"geheim"',
        mailnotifier: '"log"',
      },
      sieve: { notifier: '"log"' },
    },
  });
  socket = join(store.dir, 'state/socket/notify');
});
afterAll(async () => {
  await store?.dispose();
  await hook?.stop(true);
});

/** Waits for a line of the store's log. */
async function logged(text: string | RegExp): Promise<string> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const line = store.log.split('\n').find((each) =>
      typeof text === 'string' ? each.includes(text) : text.test(each)
    );
    if (line !== undefined) return line;
    await sleep(10);
  }
  throw new Error(`${text} is not in the log:\n${store.log}`);
}

/** Sends datagrams as any program of this machine would. */
async function send(...datagrams: readonly (string | Buffer)[]): Promise<void> {
  const encoded = datagrams.map((one) => Buffer.from(one).toString('base64'));
  await succeed('python3', [
    '-c',
    'import base64, socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n' +
    'for one in sys.argv[2:]: s.sendto(base64.b64decode(one), sys.argv[1])',
    socket,
    ...encoded,
  ]);
}

function notifytest(...args: string[]): Promise<Finished> {
  const [program = '', ...before] = mailstoreCommand();
  return run(program, [...before, 'notifytest', '--config', store.configFile, ...args]);
}

test("a datagram of Cyrus's form becomes a line of the log, a method named or not", async () => {
  await send(
    'log\0MAIL\0\0django\0INBOX\x000\0From: a@b\nSubject: x\n\0',
    '\0SIEVE\0high\0inge\0INBOX\x001\0opt\0by default\0',
  );
  const line = await logged(/msg=notification .*class=MAIL/);
  expect(line).toContain('user=django mailbox=INBOX text="From: a@b');
  expect(await logged('text="by default"')).toContain(
    'class=SIEVE priority=high user=inge mailbox=INBOX options=opt',
  );
});

test('what is no notification is told of, and those behind it arrive', async () => {
  await send(
    '',
    'garbage',
    '',
    Buffer.alloc(9000, 0x61),
    Buffer.from([0, 0, 0]),
    'log\0A\0\0u\0m\x000\0behind it\0',
  );
  expect(await logged('text="behind it"')).toContain('class=A');
  expect(await logged(/msg="no notification" .*bytes=7 /)).toContain('reason="fields are missing"');
  expect(await logged(/msg="no notification" .*bytes=9000 /)).toContain('more than 8192 bytes');
});

test('an unknown method, and one that is not there', async () => {
  await send('smoke\0A\0\0u\0m\x000\0x\0', 'ZEPHYR\0A\0\0u\0m\x000\0x\0', 'external\0A\0\0u\0m\x000\0x\0');
  expect(await logged('method=smoke')).toContain('reason="there is no such method"');
  expect(await logged('method=zephyr')).toContain('reason="zephyr is not there"');
  expect(await logged('method=external')).toContain('ENOENT');
});

test('a webhook is told in JSON, with the proof of who tells it', async () => {
  await send('webhook\0MAIL\0\0django\0INBOX\x000\0Grüße\0');
  while (told.length === 0) await sleep(10);
  const [{ body, signature } = { body: '', signature: null }] = told;
  expect(JSON.parse(body)).toEqual({
    class: 'MAIL',
    priority: '',
    user: 'django',
    mailbox: 'INBOX',
    options: [],
    message: 'Grüße',
  });
  expect(signature).toBe(`sha256=${createHmac('sha256', 'geheim').update(body).digest('hex')}`);
  await send('webhook\0MAIL\0\0one\0INBOX\x000\0refuse\0', 'webhook\0MAIL\0\0two\0INBOX\x000\0elsewhere\0');
  expect(await logged(/method=webhook class=MAIL user=one/)).toContain('the webhook answers 500');
  expect(await logged(/method=webhook class=MAIL user=two/)).toContain('the webhook answers 302');
});

test('notifytest, with what the configuration says and with a socket of its own', async () => {
  const sent = await notifytest(
    '-t',
    'from notifytest',
    '-n',
    'log',
    '-u',
    'tester',
    '-m',
    'Lists',
    'one',
    'two',
  );
  expect([sent.code, sent.stderr]).toEqual([0, '']);
  expect(await logged('text="from notifytest"')).toContain(
    'class=MESSAGE priority=normal user=tester mailbox=Lists options="one, two"',
  );
  expect((await notifytest('-f', join(store.dir, 'nobody'), '-t', 'x')).code).toBe(75);
  expect((await notifytest('-t', 'x', ...Array.from({ length: 11 }, (_, at) => String(at)))).code).toBe(64);
  expect((await notifytest()).code).toBe(64);
});

test('of mail that comes in, of each recipient, and of what a script says', async () => {
  const session = await store.login('inge');
  await session.logout();
  const plain = Buffer.from(`\0inge\0${PASSWORD}`).toString('base64');
  const script = 'require "notify"; notify :high :message "$subject$ came";';
  const sieve = connect(store.ports.sieve, '127.0.0.1');
  sieve.write(
    `AUTHENTICATE "PLAIN" "${plain}"\r\nPUTSCRIPT "tell" {${script.length}+}\r\n${script}\r\nSETACTIVE "tell"\r\nLOGOUT\r\n`,
  );
  let said = '';
  for await (const chunk of sieve) said += String(chunk);
  expect(said).toEndWith('OK\r\nOK\r\nOK\r\nOK "Logout completed"\r\n');
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  const mail =
    'From: Michael <michael@example.org>\r\nTo: django\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello\r\n';
  await lmtp.deliver('michael@example.org', ['django', 'inge', 'nobody'], Buffer.from(mail));
  await lmtp.quit();
  const text = 'text="From: Michael <michael@example.org>\\nSubject: Grüße\\nTo: django\\n"';
  expect(await logged(/class=MAIL user=django mailbox=INBOX text="From: Michael/)).toContain(text);
  expect(await logged(/class=MAIL user=inge mailbox=INBOX text="From: Michael/)).toContain(text);
  expect(await logged('text="Grüße came"')).toContain('class=SIEVE priority=high user=inge mailbox=INBOX');
});

test('of mail for one mailbox once, however many addresses of it were named', async () => {
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  const mail = (subject: string) =>
    Buffer.from(`From: ann@example.org\r\nSubject: ${subject}\r\n\r\nHello\r\n`);
  await lmtp.deliver('ann@example.org', ['django', 'django', 'django+nowhere'], mail('thrice'));
  await lmtp.deliver('ann@example.org', ['django'], mail('behind it'));
  await lmtp.quit();
  await logged('Subject: behind it');
  expect(store.log.split('\n').filter((line) => line.includes('Subject: thrice')).length).toBe(1);
});

test('a flood of them is bounded and leaves everything else at work', async () => {
  await succeed('python3', [
    '-c',
    'import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n' +
    "for n in range(5000): s.sendto(b'null\\0F\\0\\0u\\0m\\x000\\0' + b'x' * 4000 + b'\\0', sys.argv[1])\n" +
    "s.sendto(b'log\\0F\\0\\0u\\0m\\x000\\0after the flood\\0', sys.argv[1])",
    socket,
  ]);
  expect(await logged('text="after the flood"')).toContain('class=F');
});

test('a program is run without a shell, and killed when it hangs is no one else’s delay', async () => {
  const out = join(store.dir, 'out');
  const program = join(store.dir, 'program');
  writeFileSync(
    program,
    `#!/bin/sh\nprintf '%s|' "$@" >${out}.tmp\ncat >>${out}.tmp\nmv ${out}.tmp ${out}\n`,
  );
  chmodSync(program, 0o755);
  await store.stop();
  writeFileSync(
    store.configFile,
    readFileSync(store.configFile, 'utf8').replace('"/tmp/nothing-is-there"', `"${program}"`),
  );
  await store.run();
  for (
    const [user, message] of [['django', 'plain'], ['$(touch /tmp/owned)', '`id`'], [
      '-u root',
      '; reboot',
    ]] as const
  ) {
    rmSync(out, { force: true });
    await send(`external\0MAIL\0\0${user}\0INBOX\x000\0${message}\0`);
    while (!existsSync(out)) await sleep(10);
    expect(readFileSync(out, 'utf8')).toBe(`-c|MAIL|-p||-u|${user}|-m|INBOX|${message}\n`);
  }
});
