/**
 * ManageSieve with the programs people use: Cyrus's sivtest and sieveshell, sieve-connect, Python's sievelib, PEAR's Net_Sieve (what
 * Roundcube uses), openssl, and our own sivtest.
 */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { run, succeed } from '../harness/command.ts';
import { freePorts } from '../harness/ports.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';

const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN', 'LOGIN'];
const SCRIPT = 'require ["fileinto", "copy"];\r\nif header :contains "subject" "Gr\u00fc\u00dfe" {\r\n  ' +
  'fileinto :copy "Lists";\r\n}\r\n';
/** Longer than a frame of the security layer, as Cyrus's clients ask for it (1,024 bytes). */
const LONG = `${'# 0123456789abcdef 0123456789abcdef 0123456789abcdef\r\n'.repeat(500)}keep;\r\n`;

let store: TestStore;
let script: string;
/** Ports of a service with TLS from the first byte, and of one behind a proxy. */
let [tlsPort, proxied] = [0, 0];
beforeAll(async () => {
  [tlsPort = 0, proxied = 0] = await freePorts(2);
  store = await TestStore.start({
    users: ['django', 'cyrus', 'shell', 'connect', 'lib', 'net', 'late'],
    config: {
      server: { admins: '["cyrus"]', proxy_networks: '["127.0.0.1"]' },
      'services.sieves': { protocol: '"sieve"', listen: `"127.0.0.1:${tlsPort}"`, tls: 'true' },
      'services.proxied': { protocol: '"sieve"', listen: `"127.0.0.1:${proxied}"`, proxy_protocol: 'true' },
      auth: {
        sasl_mech_list: JSON.stringify(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS', ...MECHANISMS]),
        allowplaintext: 'false',
      },
    },
  });
  script = join(store.dir, 'local.sieve');
  writeFileSync(script, SCRIPT);
  writeFileSync(join(store.dir, 'wrong.sieve'), 'fileinto;\r\nfilleinto "x";\r\n');
});
afterAll(() => store.dispose());

describe("Cyrus's sivtest", () => {
  for (
    const [mechanism, bits, args] of [
      ['SCRAM-SHA-256', 0, []],
      ['SCRAM-SHA-1', 0, []],
      ['DIGEST-MD5', 128, []],
      ['CRAM-MD5', 0, []],
      ['PLAIN', 256, ['-t', '']],
      ['LOGIN', 256, ['-t', '']],
      ['DIGEST-MD5', 256, ['-t', '']],
    ] as const
  ) {
    test(`${mechanism}, ${bits} bits`, async () => {
      const { stdout } = await run(
        '/usr/lib/cyrus/bin/sivtest',
        [
          ...['-p', String(store.ports.sieve), '-m', mechanism, ...args],
          ...['-a', 'django', '-u', 'django', '-w', PASSWORD, 'localhost'],
        ],
        {
          input: `PUTSCRIPT "long" {${LONG.length}+}\r\n${LONG}\r\nGETSCRIPT "long"\r\nSETACTIVE "long"\r\n` +
            'LISTSCRIPTS\r\nSETACTIVE ""\r\nDELETESCRIPT "long"\r\nLOGOUT\r\n',
        },
      );
      expect(stdout).toContain('Authenticated.');
      expect(stdout).toContain(`Security strength factor: ${bits}`);
      expect(stdout).toContain(`{${LONG.length}}`);
      expect(stdout.split('# 0123456789abcdef').length - 1).toBe(500);
      expect(stdout).toContain('"long" ACTIVE');
      expect(stdout).toContain('OK "Logout completed"');
    });
  }

  test('an administrator acts for a user', async () => {
    const { stdout } = await run('/usr/lib/cyrus/bin/sivtest', [
      ...[
        '-p',
        String(store.ports.sieve),
        '-m',
        'SCRAM-SHA-1',
        '-a',
        'cyrus',
        '-u',
        'django',
        '-w',
        PASSWORD,
      ],
      'localhost',
    ], { input: 'CAPABILITY\r\nLOGOUT\r\n' });
    expect(stdout).toContain('"OWNER" "django"');
  });

  test('does not get in without TLS by a password in plain text, nor with a wrong one', async () => {
    const attempt = (password: string, ...args: string[]) =>
      run('/usr/lib/cyrus/bin/sivtest', [
        ...['-p', String(store.ports.sieve), ...args, '-a', 'django', '-w', password, 'localhost'],
      ], { input: 'LOGOUT\r\n' });
    expect((await attempt(PASSWORD, '-m', 'PLAIN')).stdout).toContain('Authentication failed');
    expect((await attempt('wrong', '-m', 'SCRAM-SHA-1')).stdout).toContain('Authentication failed');
  });
});

test('our own sivtest, bound to TLS', async () => {
  const [program = '', ...before] = mailstoreCommand();
  for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS']) {
    const { code, stdout } = await run(program, [
      ...[...before, 'sivtest', '-p', String(store.ports.sieve), '-m', mechanism, '-t', ''],
      ...['-a', 'django', '-w', PASSWORD, 'localhost'],
    ], { input: 'LISTSCRIPTS\r\nLOGOUT\r\n' });
    expect(stdout).toContain(`AUTHENTICATE "${mechanism}" `);
    expect(stdout).toContain('OK "Logout completed"');
    expect(code).toBe(0);
  }
});

test('our own sivtest', async () => {
  const [program = '', ...before] = mailstoreCommand();
  for (const [mechanism, ...args] of [...MECHANISMS.slice(0, 4).map((name) => [name]), ['PLAIN', '-t', '']]) {
    const { stdout, stderr } = await run(program, [
      ...[...before, 'sivtest', '-p', String(store.ports.sieve), '-m', mechanism ?? '', ...args],
      ...['-a', 'django', '-w', PASSWORD, 'localhost'],
    ], { input: 'LISTSCRIPTS\r\nLOGOUT\r\n' });
    expect(stdout + stderr).toContain('Authenticated.');
    expect(stdout).toContain('OK "Logout completed"');
  }
});

test("Cyrus's sieveshell: put, list, activate, get, deactivate, delete", async () => {
  const fetched = join(store.dir, 'fetched.sieve');
  const commands = join(store.dir, 'shell-commands');
  writeFileSync(
    commands,
    `put ${script} mine\nlist\nactivate mine\nlist\nget mine ${fetched}\nput ${store.dir}/wrong.sieve wrong\n` +
      'deactivate\ndelete mine\nlist\nquit\n',
  );
  const { stdout } = await run('/usr/lib/cyrus/bin/sieveshell', [
    ...['-u', 'shell', '-a', 'shell', '-p', PASSWORD, '-f', commands, `localhost:${store.ports.sieve}`],
  ]);
  expect(stdout).toContain('mine  <- active script');
  expect(readFileSync(fetched, 'utf8')).toBe(SCRIPT);
  expect(stdout).toContain('line 1, column 1');
  expect(stdout.trimEnd()).not.toEndWith('mine');
});

test('sieve-connect: STARTTLS, and every mechanism it has', async () => {
  for (const mechanism of ['PLAIN', 'DIGEST-MD5', 'CRAM-MD5']) {
    const commands = join(store.dir, `commands-${mechanism}`);
    writeFileSync(
      commands,
      `upload ${script} mine\nlist\nactivate mine\nlist\nshow mine\ndeactivate\ndelete mine\n`,
    );
    const ended = await run('sieve-connect', [
      ...['-s', 'localhost', '--nosrv', '-p', String(store.ports.sieve), '-u', 'connect', '-m', mechanism],
      ...['--tlscafile', store.certificate, '--passwordfd', '0', '--exec', commands],
    ], { input: `${PASSWORD}\n` });
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout).toContain('"mine"\n');
    expect(ended.stdout).toContain('"mine" ACTIVE\n');
    expect(ended.stdout.replaceAll('\r', '')).toContain('fileinto :copy "Lists";');
  }
});

test("Python's sievelib", async () => {
  for (const mechanism of ['PLAIN', 'LOGIN']) {
    const { stdout } = await succeed('/usr/bin/python3', [
      join(import.meta.dir, 'sievelib_client.py'),
      ...[String(store.ports.sieve), mechanism, 'lib', PASSWORD],
    ]);
    expect(stdout).toBe('done\n');
  }
});

test("PEAR's Net_Sieve, which Roundcube's plugin is built on", async () => {
  for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5']) {
    const { stdout } = await run('php', [
      '-d',
      'error_reporting=0',
      join(import.meta.dir, 'net_sieve_client.php'),
      ...[String(store.ports.sieve), mechanism, 'net', PASSWORD, store.certificate],
    ]);
    expect([mechanism, stdout]).toEqual([mechanism, 'done\n']);
  }
});

test('openssl: STARTTLS shows the certificate, ALPN agrees on managesieve', async () => {
  const { stdout, stderr } = await run('openssl', [
    ...[
      's_client',
      '-connect',
      `localhost:${store.ports.sieve}`,
      '-starttls',
      'sieve',
      '-alpn',
      'managesieve',
    ],
    ...['-CAfile', store.certificate, '-verify_return_error', '-crlf', '-ign_eof'],
  ], { input: 'LOGOUT\n' });
  expect(stdout + stderr).toContain('Verify return code: 0 (ok)');
  expect(stdout).toContain('ALPN protocol: managesieve');
  expect(stdout).toContain('"SASL" "SCRAM-SHA-256-PLUS ');
  const imap = await run('openssl', [
    ...['s_client', '-connect', `localhost:${store.ports.sieve}`, '-starttls', 'sieve', '-alpn', 'imap'],
  ], { input: '' });
  expect(imap.code).not.toBe(0);
});

test('TLS from the first byte, and through a proxy whose client is the one that is logged', async () => {
  const { stdout } = await run('openssl', [
    ...['s_client', '-connect', `localhost:${tlsPort}`, '-alpn', 'managesieve', '-CAfile', store.certificate],
    ...['-verify_return_error', '-crlf', '-ign_eof'],
  ], { input: 'LOGOUT\n' });
  expect(stdout).toMatch(/"SASL" ".*SCRAM-SHA-256 /);
  expect(stdout).not.toContain('"STARTTLS"');
  const plain = Buffer.from('\0django\0wrong').toString('base64');
  const digest = Buffer.from(`django ${'0'.repeat(32)}`).toString('base64');
  const socket = connect(proxied, '127.0.0.1');
  socket.write(
    `PROXY TCP4 192.0.2.7 127.0.0.1 40000 4190\r\nAUTHENTICATE "PLAIN" "${plain}"\r\n` +
      `AUTHENTICATE "CRAM-MD5"\r\n"${digest}"\r\nLOGOUT\r\n`,
  );
  let said = '';
  for await (const chunk of socket) said += String(chunk);
  expect(said).toContain('"STARTTLS"\r\n');
  expect(said).toContain('NO (ENCRYPT-NEEDED) ');
  expect(said).toContain('NO "authentication failure"\r\nOK "Logout completed"\r\n');
  await store.logged(/msg="login failed" .*rip=192\.0\.2\.7 proto=sieve mech=CRAM-MD5 .*user=django/);
});

test('config check --live sees the certificate of the service', () => {
  const { code, stdout } = store.tool(['config', 'check', '--live']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^sieve \(127\.0\.0\.1:\d+\): shows the certificate in the files/m);
});

test('a script that was put is there after a kill -9 of everything', async () => {
  const put = await run('/usr/lib/cyrus/bin/sivtest', [
    ...['-p', String(store.ports.sieve), '-m', 'SCRAM-SHA-1', '-a', 'late', '-w', PASSWORD, 'localhost'],
  ], { input: 'PUTSCRIPT "kept" {5+}\r\nkeep;\r\nSETACTIVE "kept"\r\nLOGOUT\r\n' });
  expect(put.stdout).toContain('OK "Logout completed"');
  await store.killAll();
  await store.run();
  const list = await run('/usr/lib/cyrus/bin/sivtest', [
    ...['-p', String(store.ports.sieve), '-m', 'SCRAM-SHA-1', '-a', 'late', '-w', PASSWORD, 'localhost'],
  ], { input: 'LISTSCRIPTS\r\nGETSCRIPT "kept"\r\nLOGOUT\r\n' });
  expect(list.stdout).toContain('"kept" ACTIVE');
  expect(list.stdout).toContain('keep;');
});
