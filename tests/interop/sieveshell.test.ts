/** Our sieveshell and installsieve against our own server and against Dovecot's ManageSieve. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, run } from '../harness/command.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';
import { Dovecot } from './dovecot_server.ts';

const SCRIPT = 'require "fileinto";\r\nfileinto "Lists";\r\n';

let store: TestStore;
let dovecot: Dovecot;
beforeAll(async () => {
  store = await TestStore.start({
    users: ['django', 'cyrus', 'inge'],
    config: { server: { admins: '["cyrus"]' }, auth: { allowplaintext: 'false' } },
  });
  dovecot = await Dovecot.start(PASSWORD);
  writeFileSync(join(store.dir, 'mine.sieve'), SCRIPT);
  writeFileSync(join(store.dir, 'wrong.sieve'), 'keep;\nfilleinto "x";\n');
});
afterAll(async () => {
  await dovecot?.dispose();
  await store?.dispose();
});

function client(name: string, args: readonly string[], input = ''): Promise<Finished> {
  const [program = '', ...before] = mailstoreCommand();
  return run(program, [...before, name, ...args], { input, cwd: store.dir });
}

const ours = () => ['--ca', store.certificate, `localhost:${store.ports.sieve}`];

describe('sieveshell', () => {
  test('does all there is, told by a file', async () => {
    writeFileSync(
      join(store.dir, 'commands'),
      '# what is to be done\nput mine.sieve\nput mine.sieve "a b"\nlist\nactivate mine.sieve\nls\nget mine.sieve got\n' +
        'check mine.sieve\nrename "a b" c\ndeactivate\ndelete mine.sieve\nd c\nlist\nhelp\nquit\nlist\n',
    );
    for (const flag of ['-f', '-e']) {
      const ended = await client('sieveshell', ['-a', 'django', '-p', PASSWORD, flag, 'commands', ...ours()]);
      expect([ended.code, ended.stderr]).toEqual([0, '']);
      expect(ended.stdout).toStartWith(
        'a b\nmine.sieve\na b\nmine.sieve  <- active script\n  list              list the scripts on the server\n',
      );
      expect(readFileSync(join(store.dir, 'got'), 'utf8')).toBe(SCRIPT);
    }
  });

  test('reads the password and what to do from standard input', async () => {
    const ended = await client(
      'sieveshell',
      ['-u', 'django', ...ours()],
      `${PASSWORD}\nput mine.sieve x\nlist\nget x\ndelete x\n`,
    );
    expect([ended.code, ended.stderr, ended.stdout]).toEqual([0, '', `x\n${SCRIPT}`]);
  });

  test('goes where a server sends it, and not round in circles', async () => {
    const old = await TestStore.start({
      users: ['django', 'inge'],
      config: {
        sieve: { referrals: `{ "django" = "sieve://localhost:${store.ports.sieve}" }` },
        auth: { allowplaintext: 'true' },
      },
    });
    try {
      const to = `localhost:${old.ports.sieve}`;
      const ended = await client('sieveshell', [
        '-a',
        'django',
        '-p',
        PASSWORD,
        '-e',
        'put mine.sieve m\nlist\ndelete m',
        to,
      ]);
      expect([ended.code, ended.stdout]).toEqual([0, 'm\n']);
      expect(ended.stderr).toContain(`referred to sieve://localhost:${store.ports.sieve}\n`);
      const config = readFileSync(old.configFile, 'utf8');
      writeFileSync(
        old.configFile,
        config.replace(/referrals = .*/, `referrals = { "*" = "sieve://${to}" }`),
      );
      await old.stop();
      await old.run();
      const round = await client('sieveshell', ['-a', 'inge', '-p', PASSWORD, '-e', 'list', to]);
      expect(round.code).not.toBe(0);
      expect(round.stderr).toContain('too many referrals');
    } finally {
      await old.dispose();
    }
  });

  test('says what the server says, and goes on', async () => {
    const ended = await client('sieveshell', [
      ...[
        '-a',
        'django',
        '-p',
        PASSWORD,
        '-e',
        'put wrong.sieve\nnonsense\nput\nput /not/there\nactivate none\nlist',
      ],
      ...ours(),
    ]);
    expect(ended.code).toBe(65);
    expect(ended.stderr).toMatch(/^put: line 2, column 1: error: .*filleinto/);
    expect(ended.stderr).toContain('nonsense: there is no command nonsense; help lists them\n');
    expect(ended.stderr).toContain('put: expected put FILE [NAME]\n');
    expect(ended.stderr).toContain('put: /not/there cannot be read: ');
    expect(ended.stderr).toContain('activate: There is no script by that name\n');
    expect(ended.stdout).toBe('');
  });

  test('an administrator manages the scripts of a user', async () => {
    const as = ['-a', 'cyrus', '-u', 'inge', '-p', PASSWORD];
    expect((await client('sieveshell', [...as, '-e', 'put mine.sieve hers', ...ours()])).code).toBe(0);
    const own = await client('sieveshell', ['-a', 'inge', '-p', PASSWORD, '-e', 'list', ...ours()]);
    expect(own.stdout).toBe('hers\n');
    const stranger = await client('sieveshell', [
      ...['-a', 'inge', '-u', 'django', '-p', PASSWORD, '-e', 'list'],
      ...ours(),
    ]);
    expect(stranger.code).toBe(77);
  });

  test('ends where the login fails, the certificate is not good or nobody is there', async () => {
    const wrong = await client('sieveshell', ['-a', 'django', '-p', 'wrong', '-e', 'list', ...ours()]);
    expect([wrong.code, wrong.stderr]).toEqual([77, 'mailstore sieveshell: NO authentication failure\n']);
    const other = await client('sieveshell', [
      ...['-a', 'django', '-p', PASSWORD, '-e', 'list', '--ca', store.certificate],
      `127.0.0.2:${store.ports.sieve}`,
    ]);
    expect(other.code).not.toBe(0);
    const none = await client('sieveshell', ['-a', 'django', '-p', PASSWORD, '-e', 'list', 'localhost:1']);
    expect(none.code).toBe(75);
    expect((await client('sieveshell', [])).code).toBe(64);
  });

  test("speaks with Dovecot's server", async () => {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256']) {
      const ended = await client('sieveshell', [
        ...['-a', 'django', '-p', PASSWORD, '-m', mechanism],
        ...['-e', 'put mine.sieve x\nactivate x\nlist\nget x\nput wrong.sieve\ndeactivate\ndelete x\nlist'],
        `localhost:${dovecot.ports.sieve}`,
      ]);
      expect(ended.stdout).toBe(`x  <- active script\n${SCRIPT}`);
      expect(ended.stderr).toMatch(/put: .*line 2/);
    }
  });
});

describe('installsieve', () => {
  test('installs, activates, lists, shows and gets', async () => {
    const first = await client('installsieve', [
      ...['-u', 'django', '-w', PASSWORD, '-i', 'mine.sieve', '-a', 'mine.sieve', '-l', '-v', 'mine.sieve'],
      ...ours(),
    ]);
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toBe(`${SCRIPT}mine.sieve  <- active script\n`);
    const port = ['-p', String(store.ports.sieve), '--ca', store.certificate];
    writeFileSync(join(store.dir, 'mine.sieve'), 'changed');
    const second = await client('installsieve', [
      ...['-u', 'django', '-g', 'mine.sieve', ...port, 'localhost'],
    ], `${PASSWORD}\n`);
    expect(second.code).toBe(0);
    expect(readFileSync(join(store.dir, 'mine.sieve'), 'utf8')).toBe(SCRIPT);
    const active = await client('installsieve', [
      '-u',
      'django',
      '-w',
      PASSWORD,
      '-d',
      'mine.sieve',
      ...ours(),
    ]);
    expect([active.code, active.stderr]).toEqual([
      65,
      'mailstore installsieve: The active script cannot be deleted\n',
    ]);
  });

  test('a name is no path on this machine', async () => {
    const path = '../../escaped';
    const ended = await client('installsieve', ['-u', 'django', '-w', PASSWORD, '-g', path, ...ours()]);
    expect(ended.code).toBe(65);
    expect(existsSync(join(store.dir, path))).toBe(false);
  });
});
