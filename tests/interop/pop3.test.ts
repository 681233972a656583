/** POP3 with the programs people use: fetchmail, getmail, mpop, curl, Python's poplib, Cyrus's pop3test. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, succeed } from '../harness/command.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

const USERS = ['fetcher', 'getter', 'mpopper', 'curler', 'pylib', 'tester'];
const COUNT = 4;

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({
    users: [],
    config: {
      auth: {
        sasl_mech_list: '["SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"]',
      },
      pop3: { allowapop: 'true' },
    },
  });
  for (const user of USERS) store.addUser(user);
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  for (let number = 0; number < COUNT; number++) {
    const message = `From: sender@example.org\r\nTo: all\r\nSubject: message ${number}\r\n` +
      `Message-ID: <${number}@p.example.org>\r\n\r\nBody ${number}.\r\n.a line that begins with a dot\r\n`;
    for (const reply of await lmtp.deliver('sender@example.org', USERS, Buffer.from(message))) {
      expect(reply).toStartWith('250');
    }
  }
  await lmtp.quit();
});
afterAll(() => store.dispose());

/** A folder of a program's own. */
function home(name: string): string {
  const folder = join(store.dir, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** The numbers of the messages whose bodies are whole. */
function bodies(texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    /\r?\n\r?\nBody (\d+)\.\r?\n\.a line that begins with a dot\r?\n/.exec(text)?.[1] ?? []
  ).sort();
}

const ALL = Array.from({ length: COUNT }, (_, number) => String(number));

test('fetchmail: STLS and CRAM-MD5, keep and UIDL, then flush', async () => {
  const folder = home('fetchmail');
  mkdirSync(join(folder, 'out'));
  const file = join(folder, 'fetchmailrc');
  const rc = (how: string) => {
    writeFileSync(
      file,
      `poll localhost protocol POP3 service ${store.ports.pop3} auth cram-md5 uidl
  user "fetcher" password "${PASSWORD}" sslproto "TLS1.2+" sslcertck sslcertfile "${store.certificate}" ${how}
  mda "cat > $(mktemp ${folder}/out/XXXXXXXX)"
`,
    );
    chmodSync(file, 0o600);
  };
  const fetch = () =>
    run('fetchmail', ['-f', file, '--pidfile', join(folder, 'pid')], { env: { FETCHMAILHOME: folder } });
  const fetched = () =>
    bodies(readdirSync(join(folder, 'out')).map((name) => readFileSync(join(folder, 'out', name), 'latin1')));
  rc('keep');
  const first = await fetch();
  expect([first.code, first.stderr]).toEqual([0, first.stderr]);
  expect(fetched()).toEqual(ALL);
  expect((await fetch()).code).toBe(1); // nothing new: the unique ids are those of before
  expect(fetched()).toEqual(ALL);
  rc('nokeep fetchall');
  expect((await fetch()).code).toBe(0);
  expect((await fetch()).code).toBe(1);
});

test('getmail: TLS, once and deleted', async () => {
  const folder = home('getmail');
  mkdirSync(join(folder, 'out'));
  writeFileSync(
    join(folder, 'getmailrc'),
    `[retriever]
type = SimplePOP3SSLRetriever
server = localhost
port = ${store.ports.pop3s}
username = getter
password = ${PASSWORD}
ca_certs = ${store.certificate}

[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat > $(mktemp ${folder}/out/XXXXXXXX)")
allow_root_commands = true

[options]
delete = true
`,
  );
  const ended = await run('getmail', ['-g', folder, '-r', join(folder, 'getmailrc')], {
    env: { HOME: folder },
  });
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  const names = readdirSync(join(folder, 'out'));
  expect(bodies(names.map((name) => readFileSync(join(folder, 'out', name), 'latin1')))).toEqual(ALL);
});

test('mpop: every way to log in', async () => {
  const folder = home('mpop');
  for (
    const auth of ['scram-sha-256', 'scram-sha-1', 'digest-md5', 'cram-md5', 'plain', 'user', 'apop', 'login']
  ) {
    writeFileSync(
      join(folder, 'mpoprc'),
      `account default
host localhost
port ${store.ports.pop3}
user mpopper
password ${PASSWORD}
auth ${auth}
tls on
tls_starttls on
tls_trust_file ${store.certificate}
keep on
uidls_file ${folder}/uidls-${auth}
delivery mbox ${folder}/mbox-${auth}
`,
      { mode: 0o600 },
    );
    const ended = await run('mpop', ['-C', join(folder, 'mpoprc')]);
    if (auth === 'digest-md5' && /not (?:supported|available)/.test(ended.stderr)) continue;
    expect([auth, ended.code, ended.stderr]).toEqual([auth, 0, '']);
    expect(bodies(readFileSync(join(folder, `mbox-${auth}`), 'latin1').split(/^(?=From )/m))).toEqual(ALL);
  }
});

test('curl lists and reads', async () => {
  const curl = (path: string) =>
    succeed('curl', [
      ...['--silent', '--show-error', '--cacert', store.certificate, '--user', `curler:${PASSWORD}`],
      `pop3s://localhost:${store.ports.pop3s}/${path}`,
    ]);
  expect((await curl('')).stdout.trimEnd().split('\r\n')).toHaveLength(COUNT);
  expect(bodies([(await curl('2')).stdout])).toEqual(['1']);
});

test("Python's poplib: STLS, UTF8, UIDL, TOP, RSET, APOP, and one session at a time", async () => {
  const { stdout } = await succeed('python3', [
    join(import.meta.dir, 'poplib_client.py'),
    ...[String(store.ports.pop3), String(store.ports.pop3s), store.certificate, 'pylib', PASSWORD],
  ]);
  expect(stdout).toBe('done\n');
});

test('pop3test: DIGEST-MD5 with its layer, CRAM-MD5, SCRAM, and PLAIN under TLS', async () => {
  for (
    const [mechanism, bits, tls] of [
      ['DIGEST-MD5', '128', []],
      ['CRAM-MD5', '0', []],
      ['SCRAM-SHA-256', '0', []],
      ['PLAIN', '256', ['-t', '']],
    ] as const
  ) {
    const { stdout } = await run('/usr/lib/cyrus/bin/pop3test', [
      ...[
        '-p',
        String(store.ports.pop3),
        '-m',
        mechanism,
        ...tls,
        '-a',
        'tester',
        '-w',
        PASSWORD,
        'localhost',
      ],
    ], { input: 'STAT\r\nRETR 1\r\nQUIT\r\n' });
    expect(stdout).toContain(`Security strength factor: ${bits}`);
    expect(stdout).toMatch(/\+OK 4 \d+\r?\n/);
    expect(stdout).toContain('Body 0.');
  }
});
