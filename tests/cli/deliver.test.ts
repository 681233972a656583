/** `deliver` against LMTP on a real unix socket. */

import { afterAll, beforeEach, expect, test } from 'bun:test';
import type { CommandIo } from '../../src/cli/command.ts';
import { deliverCommand, lmtpPlace, recipientAddress } from '../../src/cli/deliver.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError, serverError, userError } from '../../src/errors.ts';
import type { RawListener } from '../../src/net/rawsocket.ts';
import { acceptConnections } from '../../src/net/accept.ts';
import { Folder } from '../config/folder.ts';
import { FakeStore } from '../lmtp/fake_store.ts';
import { lmtpFor } from '../lmtp/peer.ts';

const folder = new Folder();
const socketPath = `${folder.path}/lmtp`;
const config = folder.write(
  'mailstore.toml',
  `[server]\nservername = "imap.nausch.org"\n[services.lmtpunix]\nlisten = "${socketPath}"\n`,
);
let store = new FakeStore();
const server = listen();

afterAll(() => {
  server.stop();
  folder.remove();
});

beforeEach(() => {
  store = new FakeStore();
});

function listen(): RawListener {
  const options = { unixPath: socketPath, tls: () => undefined };
  return acceptConnections({ unix: socketPath }, options, (connection) => {
    const { protocol, service } = lmtpFor({ store });
    protocol.accept(connection, service);
  });
}

async function run(
  args: readonly string[],
  message = 'Subject: x\n\nbody\n',
  file = config,
): Promise<{ code: number; stderr: string; read: boolean }> {
  let stderr = '';
  let read = false;
  const io: CommandIo = {
    stdin: new ReadableStream({
      pull(controller) {
        read = true;
        controller.enqueue(Buffer.from(message, 'latin1'));
        controller.close();
      },
    }, { highWaterMark: 0 }),
    stdout: () => {},
    stderr: (text) => void (stderr += text),
    env: {},
  };
  return { code: await deliverCommand.run(['-c', file, ...args], io), stderr, read };
}

test("the how-to's command line: sender, empty extension, one user", async () => {
  const { code, stderr } = await run(
    ['-e', '-r', 'michael@nausch.org', '-m', '', 'django@nausch.org'],
    'From michael@nausch.org Mon Feb 20 18:28:19 2012\nSubject: x\n\n.\nbody\n',
  );
  expect([code, stderr]).toEqual([0, '']);
  expect(store.delivered.map(({ user, folder }) => `${user}/${folder}`)).toEqual(['django/']);
  const bytes = store.delivered[0]?.bytes ?? '';
  expect(bytes).toStartWith(
    'Return-Path: <michael@nausch.org>\r\nReceived: from imap.nausch.org (unix socket)\r\n',
  );
  expect(bytes).toEndWith('Subject: x\r\n\r\n.\r\nbody\r\n');
});

test('a folder, several users, no sender', async () => {
  expect((await run(['-m', 'Lists', 'django', 'inge'])).code).toBe(0);
  expect(store.delivered.map(({ user, folder }) => `${user}/${folder}`)).toEqual(['django/Lists', 'inge/']);
  expect(store.delivered[0]?.bytes).toStartWith('Return-Path: <>\r\n');
});

test('an unknown user, and the message is read all the same', async () => {
  expect(await run(['-r', 'a@b.example', 'nobody'])).toEqual({
    code: 67,
    stderr: '5.1.1 nobody: User unknown\n',
    read: true,
  });
  expect((await run(['django', 'nobody'])).code).toBe(67);
  expect(store.delivered).toHaveLength(1);
});

test('failures by kind: not allowed, refused, for later; later wins', async () => {
  store.failing.set('django', userError('noperm', 'no'));
  expect((await run(['django'])).code).toBe(77);
  expect((await run(['django'], 'Subject: \0\n\n')).code).toBe(65);
  store.failing.set('inge', serverError('down'));
  expect(await run(['django', 'inge'])).toMatchObject({
    code: 75,
    stderr: expect.stringContaining('4.3.0 inge: Temporary failure'),
  });
});

test('-q delivers past the quota', async () => {
  store.overQuota.add('inge');
  expect((await run(['inge'])).code).toBe(75);
  expect((await run(['-q', 'inge'])).code).toBe(0);
  expect(store.calls.at(-1)?.ignoreQuota).toBe(true);
});

test('a store that is down is a temporary failure that names the socket', async () => {
  const down = folder.write('down.toml', `[services.lmtpunix]\nlisten = "${folder.path}/nobody"\n`);
  const { code, stderr } = await run(['django'], 'x', down);
  expect(code).toBe(75);
  expect(stderr).toStartWith(`4.3.0 no connection to LMTP at ${folder.path}/nobody: `);
});

test('a wrong configuration returns no mail', async () => {
  const wrong = folder.write('wrong.toml', '[lmtp]\nno_such_key = 1\n');
  expect(await run(['django'], 'x', wrong)).toMatchObject({
    code: 75,
    stderr: expect.stringContaining('no_such_key'),
  });
  const none = folder.write('none.toml', '[services.imap]\nlisten = "imap"\n');
  expect(await run(['django'], 'x', none)).toMatchObject({
    code: 75,
    stderr: expect.stringContaining('no LMTP service'),
  });
});

test('a message of many chunks', async () => {
  const text = `Subject: large\n\n${'.line of text\n'.repeat(200_000)}`;
  expect((await run(['django'], text)).code).toBe(0);
  expect(store.delivered[0]?.bytes).toEndWith(text.replaceAll('\n', '\r\n'));
});

test('addresses: quoting, UTF-8, nothing that ends the line', async () => {
  expect(recipientAddress('john doe@example.org', 'Lists')).toBe('"john doe+Lists"@example.org');
  expect(recipientAddress('django', 'My "Lists"')).toBe('"django+My \\"Lists\\""');
  expect(recipientAddress('', 'staff')).toBe('+staff');
  expect((await run(['-r', 'jürgen@müller.example', 'bücher'])).code).toBe(0);
  expect(store.delivered[0]?.user).toBe('bücher');
  for (const user of ['x>\r\nRSET', 'a@b> IGNOREQUOTA', 'a@b\n', '<x@<y>>@z w']) {
    expect(() => recipientAddress(user, '')).toThrow(MailError);
  }
  await expect(run(['-r', 'x\r\nRSET', 'django'])).rejects.toThrow('control characters');
});

test('wrong command lines', async () => {
  await expect(run([])).rejects.toThrow('deliver needs a user');
  await expect(run(['-r', 'a', '-f', 'b', 'c'])).rejects.toThrow('-r and -f');
  await expect(run(['-x', 'c'])).rejects.toThrow('there is no option -x');
  expect((await run(['--help'])).code).toBe(0);
});

test('the service chosen: a unix socket before a port, loopback for every address', () => {
  const { services } = makeSettings();
  expect(lmtpPlace(services)).toEqual({ path: '/var/lib/mailstore/socket/lmtp' });
  const unix = services.find(({ protocol }) => protocol === 'lmtp');
  if (unix === undefined) throw new Error('no LMTP service by default');
  const tcp = (host: string) => ({
    ...unix,
    listen: { kind: 'tcp', host, port: 24, family: 'any' } as const,
  });
  expect(lmtpPlace([tcp('')])).toEqual({ host: '127.0.0.1', port: 24 });
  expect(lmtpPlace([tcp('10.0.0.1'), unix])).toEqual({ path: '/var/lib/mailstore/socket/lmtp' });
  expect(() => lmtpPlace([])).toThrow('no LMTP service');
});
