/** Programs that fetch mail with a certificate of their own: fetchmail, getmail and mpop, by EXTERNAL where they speak it. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority, type Issued } from '../harness/authority.ts';
import { type Finished, run } from '../harness/command.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { freePorts } from '../harness/ports.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

const dir = mkdtempSync(join(tmpdir(), 'mailstore-fetchers-'));
let store: TestStore;
let own: Issued;
let imap: number;
let pop: number;
let runs = 0;

beforeAll(async () => {
  chmodSync(dir, 0o755);
  const authority = new Authority(dir, 'clients');
  own = authority.issue('django', { names: ['email:django@nausch.org'] });
  [imap = 0, pop = 0] = await freePorts(2);
  const strict = (protocol: string, port: number) => ({
    protocol: `"${protocol}"`,
    tls: 'true',
    listen: `"127.0.0.1:${port}"`,
    tls_client_certs: '"require"',
  });
  store = await TestStore.start({
    users: ['django'],
    config: {
      server: { workers: '1' },
      auth: { allowplaintext: 'false', external_certificates: '["email (.*)@nausch\\\\.org -> $1"]' },
      tls: { client_ca_file: `"${authority.cert}"` },
      'services.strictimap': strict('imap', imap),
      'services.strictpop': strict('pop3', pop),
    },
  });
});
afterAll(async () => {
  await store.dispose();
  rmSync(dir, { recursive: true });
});

/** A new message, a program's own folder, and what the program says; then the bodies of what it fetched. */
async function fetches(
  start: (home: string) => Promise<Finished>,
): Promise<{ ended: Finished; bodies: string[] }> {
  const body = `Body ${++runs}.`;
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  await lmtp.deliver('a@example.org', ['django'], Buffer.from(`Subject: x\r\n\r\n${body}\r\n`));
  await lmtp.quit();
  const home = join(dir, `home${runs}`);
  mkdirSync(join(home, 'out'), { recursive: true });
  const ended = await start(home);
  const bodies = readdirSync(join(home, 'out')).map((name) =>
    readFileSync(join(home, 'out', name), 'latin1').trim().split('\n').at(-1)?.trim() ?? ''
  );
  return { ended, bodies };
}

function fetchmail(home: string, what: string): Promise<Finished> {
  const file = join(home, 'rc');
  writeFileSync(
    file,
    `poll localhost ${what} ssl sslcertck sslcertfile "${store.certificate}"\n  mda "cat > $(mktemp ${home}/out/XXXXXXXX)"\n`,
    { mode: 0o600 },
  );
  return run('fetchmail', ['-f', file, '--pidfile', join(home, 'pid')], { env: { FETCHMAILHOME: home } });
}

function getmail(home: string, retriever: string): Promise<Finished> {
  writeFileSync(
    join(home, 'rc'),
    `[retriever]\n${retriever}server = localhost\nusername = django\npassword = ${PASSWORD}\n` +
      `ca_certs = ${store.certificate}\n` +
      `[destination]\ntype = MDA_external\npath = /bin/sh\n` +
      `arguments = ("-c", "cat > $(mktemp ${home}/out/XXXXXXXX)")\nallow_root_commands = true\n` +
      '[options]\ndelete = true\n',
    { mode: 0o600 },
  );
  return run('getmail', ['-g', home, '-r', join(home, 'rc')], { env: { HOME: home } });
}

const logins = () =>
  [...store.log.matchAll(/msg="logged in" .*? proto=(\w+) mech=("[^"]+"|\S+)/g)].at(-1)?.slice(1);

test('fetchmail by EXTERNAL over IMAP, without a password', async () => {
  const { ended, bodies } = await fetches((home) =>
    fetchmail(
      home,
      `protocol IMAP service ${imap} auth external user "django" sslcert "${own.cert}" sslkey "${own.key}"`,
    )
  );
  expect([ended.code, bodies]).toEqual([0, [`Body ${runs}.`]]);
  expect(logins()).toEqual(['imap', 'EXTERNAL']);
});

test('fetchmail over POP3, where a certificate is required, with a password', async () => {
  const { ended, bodies } = await fetches((home) =>
    fetchmail(
      home,
      `protocol POP3 service ${pop} user "django" password "${PASSWORD}" sslcert "${own.cert}" sslkey "${own.key}"`,
    )
  );
  expect([ended.code, bodies]).toEqual([0, [`Body ${runs}.`]]);
  expect(logins()?.[0]).toBe('pop3');
});

for (
  const [type, port] of [['SimpleIMAPSSLRetriever', () => imap], [
    'SimplePOP3SSLRetriever',
    () => pop,
  ]] as const
) {
  test(`getmail: ${type}, where a certificate is required`, async () => {
    const shown = `keyfile = ${own.key}\ncertfile = ${own.cert}\n`;
    const { ended, bodies } = await fetches((home) =>
      getmail(home, `type = ${type}\nport = ${port()}\n${shown}`)
    );
    expect([ended.code, ended.stderr, bodies]).toEqual([0, '', [`Body ${runs}.`]]);
  });
}

test('mpop by EXTERNAL, where a certificate is required', async () => {
  const { ended, bodies } = await fetches((home) =>
    run('mpop', [
      ...[
        '--host=localhost',
        `--port=${pop}`,
        '--tls=on',
        '--tls-starttls=off',
        '--auth=external',
        '--user=django',
      ],
      ...[
        `--tls-trust-file=${store.certificate}`,
        `--tls-cert-file=${own.cert}`,
        `--tls-key-file=${own.key}`,
      ],
      ...[
        `--delivery=mbox,${join(home, 'out', 'mbox')}`,
        `--uidls-file=${join(home, 'uidls')}`,
        '--keep=off',
      ],
    ])
  );
  expect([ended.code, bodies]).toEqual([0, [`Body ${runs}.`]]);
  expect(logins()).toEqual(['pop3', 'EXTERNAL']);
});

test('without a certificate none of them gets in there', async () => {
  const before = logins();
  const user = `user "django" password "${PASSWORD}"`;
  const all = await Promise.all([
    fetches((home) => fetchmail(home, `protocol IMAP service ${imap} ${user}`)),
    fetches((home) => fetchmail(home, `protocol POP3 service ${pop} ${user}`)),
    fetches((home) => getmail(home, `type = SimpleIMAPSSLRetriever\nport = ${imap}\n`)),
    fetches((home) => getmail(home, `type = SimplePOP3SSLRetriever\nport = ${pop}\n`)),
  ]);
  expect(all.map(({ bodies }) => bodies)).toEqual([[], [], [], []]);
  for (const { ended } of all.slice(0, 2)) expect(ended.code).not.toBe(0);
  for (const { ended } of all.slice(2)) expect(ended.stdout + ended.stderr).toMatch(/error/i);
  expect(logins()).toEqual(before);
});
