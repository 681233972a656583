import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandIo } from '../../src/cli/command.ts';
import { configCommand } from '../../src/cli/config.ts';
import { settingsFromToml } from '../../src/config/load.ts';
import { writeSample } from '../../src/config/reference.ts';
import { MailError } from '../../src/errors.ts';
import { Authority } from '../harness/authority.ts';
import { Folder } from '../config/folder.ts';

const folder = new Folder();
const made = mkdtempSync(join(tmpdir(), 'mailstore-config-check-'));
const authority = new Authority(made, 'imap.example.org');
afterAll(() => {
  folder.remove();
  rmSync(made, { recursive: true });
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: string[]): Promise<Outcome> {
  let [stdout, stderr] = ['', ''];
  const io: CommandIo = {
    stdin: new ReadableStream(),
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    env: {},
  };
  const code = await configCommand.run(args, io);
  return { code, stdout, stderr };
}

const right = folder.write('right.toml', '[server]\nadmins = ["cyrus"]\n');
const wrong = folder.write('wrong.toml', '[server]\nadmin = ["cyrus"]\n');
const warned = folder.write('warned.toml', '[mailbox]\ndefaultdomain = "a.org"\n');
const howto = join(import.meta.dir, '../../config/examples/howto');

/** How one can log in with an empty configuration, which has no certificate. */
const LOGINS = 'imap: login by SCRAM-SHA-256 SCRAM-SHA-1\nlmtpunix: no login is asked for\n' +
  'Secrets come from sasldb.\n';

test('check: right, right with a warning, wrong', async () => {
  expect(await run('check', '-c', right)).toEqual({
    code: 0,
    stdout: `The configuration is right.\n${LOGINS}`,
    stderr: '',
  });
  expect(await run('check', '-c', warned)).toEqual({
    code: 0,
    stdout: `The configuration is right, 1 warning.\n${LOGINS}`,
    stderr: `${warned}:2: mailbox.defaultdomain: has no effect while virtdomains is off\n`,
  });
  expect(await run('check', '-c', wrong)).toEqual({
    code: 78,
    stdout: '',
    stderr: `${wrong}:2: server.admin: unknown key; the nearest is server.admins\n`,
  });
});

test('check says what is offered on which service', async () => {
  const file = folder.write(
    'logins.toml',
    `[auth]
sasl_mech_list = ["CRAM-MD5", "PLAIN", "EXTERNAL"]
sasl_auxprop_plugin = ["ldapdb", "sasldb"]
[ldapdb]
uri = ["ldapi://"]
[tls]
server_cert = "${authority.cert}"
server_key = "${authority.key}"
[services.imap]
[services.imaps]
[services.pop3]
[services.lmtp]
trusted = true
`,
  );
  expect((await run('check', '-c', file)).stdout.split('\n').slice(1)).toEqual([
    'imap, pop3: login by CRAM-MD5; after STARTTLS also by PLAIN',
    'imaps: login by CRAM-MD5 PLAIN',
    'lmtp: no login is asked for',
    'Who listens to imap, pop3 without TLS can try passwords against what CRAM-MD5 sends; tls.required = true ends that.',
    'Secrets come from ldapdb, then sasldb.',
    '',
  ]);
});

test('check says what a listener without TLS could try passwords against', async () => {
  const listens = async (text: string) => {
    const { stdout } = await run('check', '-c', folder.write('listens.toml', text));
    return /^Who listens to (.*) without TLS can try passwords against what (.*) send/m.exec(stdout)?.slice(
      1,
    );
  };
  const both = '[auth]\nsasl_mech_list = ["SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5"]\n';
  expect(await listens(both)).toEqual(['imap', 'DIGEST-MD5, CRAM-MD5']);
  expect(await listens('[auth]\nsasl_mech_list = ["SCRAM-SHA-256"]\n')).toBeUndefined();
  expect(await listens('')).toBeUndefined();
  expect(await listens('[pop3]\nallowapop = true\n[services.pop3]\n[services.imap]\n')).toEqual([
    'pop3, imap',
    'APOP',
  ]);
  const tls = `[tls]\nrequired = true\nserver_cert = "${authority.cert}"\nserver_key = "${authority.key}"\n`;
  expect(await listens(both + tls)).toBeUndefined();
});

test('check --json gives file, line and key', async () => {
  const { code, stdout } = await run('check', '--json', '-c', wrong);
  expect(code).toBe(78);
  expect(JSON.parse(stdout)).toEqual({
    ok: false,
    problems: [{
      file: wrong,
      line: 2,
      key: 'server.admin',
      text: 'unknown key; the nearest is server.admins',
    }],
    warnings: [],
  });
  expect(JSON.parse((await run('check', '--json', '-c', right)).stdout)).toEqual({
    ok: true,
    problems: [],
    warnings: [],
  });
});

test('show prints what is in force, as TOML that says the same', async () => {
  const { code, stdout } = await run('show', '-c', right);
  expect(code).toBe(0);
  expect(stdout).toContain('admins = ["cyrus"]\n');
  expect(settingsFromToml(stdout, 'show').settings).toEqual(
    settingsFromToml(readFileSync(right, 'utf8'), 'm').settings,
  );
  expect(JSON.parse((await run('show', '--json', '-c', right)).stdout)).toMatchObject({
    admins: ['cyrus'],
    timeout: 1800,
  });
});

test('show of a wrong configuration fails with its problems', async () => {
  await expect(run('show', '-c', wrong)).rejects.toThrow(`${wrong}:2: server.admin: unknown key`);
});

test('import prints TOML, and what became of each line on standard error', async () => {
  const { code, stdout, stderr } = await run('import', join(howto, 'imapd.conf'), join(howto, 'cyrus.conf'));
  expect(code).toBe(0);
  expect(stdout).toBe(readFileSync(join(howto, 'mailstore.toml'), 'utf8'));
  expect(stderr).toContain(
    'imapd.conf:8: configdirectory: translated to store.configdirectory = "/var/lib/imap"\n',
  );
  expect(stderr).toEndWith(
    'Lines: 40 translated, 9 not needed, 1 not taken over.\n',
  );
  expect(stderr).not.toContain('klais-is-a-geek!');
});

test('import -o writes a new file for its owner and group only, and never over an old one', async () => {
  const output = join(folder.path, 'new.toml');
  expect((await run('import', '-o', output, join(howto, 'imapd.conf'))).code).toBe(0);
  expect(statSync(output).mode & 0o137).toBe(0);
  expect(settingsFromToml(readFileSync(output, 'utf8'), output).settings.servername).toBe('imap.nausch.org');
  await expect(run('import', '-o', output, join(howto, 'imapd.conf'))).rejects.toThrow(
    'cannot be written: it is there already',
  );
});

test('import --json gives the report to programs', async () => {
  const { stderr } = await run('import', '--json', folder.write('imapd.conf', 'admins: a\nflubber: b\n'));
  expect(JSON.parse(stderr)).toMatchObject([
    { line: 1, key: 'admins', value: 'a', outcome: 'translated' },
    { line: 2, key: 'flubber', value: 'b', outcome: 'unknown', text: 'unknown key' },
  ]);
});

test('reference explains, as text, as JSON, as a sample', async () => {
  const text = await run('reference');
  expect(text.stdout).toContain('imap.timeout\n');
  expect(text.stdout).toContain('    type:       duration, in seconds: a duration such as "30m"');
  expect(text.stdout).toContain('    imapd.conf: timeout (minutes)\n');
  const entries: unknown = JSON.parse((await run('reference', '--json')).stdout);
  expect(entries).toContainEqual(
    expect.objectContaining({ toml: 'mailbox.quotawarn', type: 'integer', default: '90' }),
  );
  expect(entries).toContainEqual(expect.objectContaining({ toml: 'services.<name>.listen' }));
  expect((await run('reference', '--sample')).stdout).toBe(writeSample());
});

test('--help explains the command', async () => {
  for (const args of [['--help'], ['check', '-h']]) {
    const { code, stdout } = await run(...args);
    expect(code).toBe(0);
    expect(stdout).toStartWith('Usage: mailstore config check');
  }
});

test('a wrong command line is EX_USAGE', async () => {
  const lines = [
    [],
    ['chekc'],
    ['check', 'extra'],
    ['import'],
    ['import', 'a', 'b', 'c'],
    ['import', '-c', 'x', 'a'],
    ['show', '-o', 'x'],
    ['check', '--sample'],
    ['reference', '--json', '--sample'],
    ['check', '-M', 'x'],
  ];
  for (const args of lines) {
    const code = await run(...args).then(
      (outcome) => outcome.code,
      (thrown: unknown) => thrown instanceof MailError ? thrown.code : thrown,
    );
    expect({ args, code }).toEqual({ args, code: 'badsyntax' });
  }
});

test('check: what only a worker would find out, an expression that is none and a port nobody knows', async () => {
  const spam = folder.write(
    'spam.toml',
    '[sieve]\nspamtest_status_header = "X-Spam: (["\nspamtest_max = "10"\n',
  );
  expect(run('check', '-c', spam)).rejects.toThrow("sieve.spamtest_status_header: '[' without ']'");
  const { code, stdout } = await run('check', '--json', '-c', spam);
  expect([code, JSON.parse(stdout).ok]).toEqual([78, false]);
  const port = folder.write('port.toml', '[smtp]\nhost = "mail:nosuchservice"\n');
  expect(run('check', '-c', port)).rejects.toThrow('smtp.host: "mail:nosuchservice" names no port');
});

test('check: lists of Sieve that cannot be read, and names that are none', async () => {
  const list = folder.write('friends', 'anna@example.net\n');
  const config = (lists: string) => folder.write('lists.toml', `[sieve]\nlists = ${lists}\n`);
  expect((await run('check', '-c', config(`{ "tag:example.org,2026:friends" = "${list}" }`))).code).toBe(0);
  const { code, stderr } = await run(
    'check',
    '-c',
    config('{ "tag:example.org,2026:friends" = "/no/such/file" }'),
  );
  expect(code).toBe(78);
  expect(stderr).toStartWith(
    '/no/such/file: the list "tag:example.org,2026:friends" of sieve.lists cannot be read: ENOENT',
  );
  const odd = await run('check', '-c', config('{ friends = "/etc/friends" }'));
  expect([odd.code, odd.stderr]).toEqual([
    78,
    expect.stringContaining('"friends" is no name of a list: expected a URI'),
  ]);
  const book = await run('check', '-c', config('{ ":addrbook:default" = "/etc/friends" }'));
  expect(book.stderr).toContain('there are no address books of users here');
});
