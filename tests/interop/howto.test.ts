/**
 * The how-to's own imapd.conf, cyrus.conf and directory: with the ports, the paths and the technical user's name changed
 * they run the server the how-to describes.
 */

import { afterAll, expect, test } from 'bun:test';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, succeed } from '../harness/command.ts';
import { ImapClient } from '../harness/imap.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { TECHNICAL, TestDirectory } from '../harness/directory.ts';
import { freePorts } from '../harness/ports.ts';
import { mailstoreCommand, PASSWORD } from '../harness/server.ts';

const EXAMPLES = join(import.meta.dir, '../../config/examples/howto');
const START_LIMIT_MS = 20_000;

const dir = mkdtempSync(join(tmpdir(), 'mailstore-howto-'));
chmodSync(dir, 0o755);
let server: ChildProcess | undefined;
let directory: TestDirectory | undefined;
let [imapPort, lmtpPort, sievePort] = [0, 0, 0];

afterAll(async () => {
  if (server !== undefined && server.exitCode === null) {
    const ended = new Promise((resolve) => server?.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }
  await directory?.dispose();
  rmSync(dir, { recursive: true, force: true });
});

/** Replaces whole lines by the word they begin with; a line that is not there is a mistake of the test. */
function changed(text: string, lines: Readonly<Record<string, string | null>>): string {
  let result = text;
  for (const [start, line] of Object.entries(lines)) {
    const pattern = new RegExp(`^${start} .*\\n`, 'm');
    expect(result).toMatch(pattern);
    result = result.replace(pattern, line === null ? '' : `${line}\n`);
  }
  return result;
}

test('where everybody can read the password of the directory they do not start, and the reason is named', async () => {
  const [program = '', ...before] = mailstoreCommand();
  const open = join(dir, 'open-imapd.conf');
  writeFileSync(open, readFileSync(join(EXAMPLES, 'imapd.conf')), { mode: 0o644 });
  const pair = ['-C', open, '-M', join(EXAMPLES, 'cyrus.conf')];
  const ended = await run(program, [...before, 'serve', ...pair]);
  expect(ended.code).toBe(78);
  expect(ended.stderr).toContain('imapd.conf:75: sasl_ldapdb_pw: is a password in a file everybody can read');
  expect(ended.stderr).not.toContain('klais-is-a-geek');
});

test('with the passwords in the store they run the how-to server', async () => {
  const [imap = 0, lmtp = 0, sieve = 0] = await freePorts(3);
  [imapPort, lmtpPort, sievePort] = [imap, lmtp, sieve];
  const certificate = join(dir, 'server.pem');
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'],
    ...['-subj', '/CN=localhost', '-keyout', join(dir, 'server.key'), '-out', certificate],
  ]);
  expect(made.status).toBe(0);
  directory = await TestDirectory.start({ people: { django: PASSWORD } });
  const imapdConf = join(dir, 'imapd.conf');
  writeFileSync(
    imapdConf,
    changed(readFileSync(join(EXAMPLES, 'imapd.conf'), 'utf8'), {
      'configdirectory:': `configdirectory: ${dir}/imap`,
      'partition-default:': `partition-default: ${dir}/spool`,
      'sievedir:': null,
      'sasl_ldapdb_uri:': `sasl_ldapdb_uri: ${directory.uri}`,
      'sasl_ldapdb_id:': `sasl_ldapdb_id: ${TECHNICAL.id}`,
      'sasl_ldapdb_pw:': `sasl_ldapdb_pw: ${TECHNICAL.password}`,
      'tls_cert_file:': `tls_cert_file: ${certificate}`,
      'tls_key_file:': `tls_key_file: ${dir}/server.key`,
      'tls_ca_file:': `tls_ca_file: ${certificate}`,
    }),
    { mode: 0o640 },
  );
  const cyrusConf = join(dir, 'cyrus.conf');
  writeFileSync(
    cyrusConf,
    readFileSync(join(EXAMPLES, 'cyrus.conf'), 'utf8')
      .replace('listen="imap"', `listen="127.0.0.1:${imap}"`)
      .replace('listen="sieve"', `listen="127.0.0.1:${sieve}"`)
      .replace(/listen="lmtp"(?! prefork=1)/, `listen="127.0.0.1:${lmtp}"`)
      .replaceAll('/var/lib/imap/socket', `${dir}/imap/socket`),
  );
  const pair = ['-C', imapdConf, '-M', cyrusConf];
  const [program = '', ...before] = mailstoreCommand();
  const log = join(dir, 'log');
  const output = openSync(log, 'a');
  server = spawn(program, [...before, 'serve', ...pair], { stdio: ['ignore', output, output] });
  const begun = performance.now();
  for (;;) {
    try {
      (await ImapClient.connect({ port: imap })).destroy();
      break;
    } catch (error) {
      if (performance.now() - begun > START_LIMIT_MS || server.exitCode !== null) {
        throw new Error(`${error}\n${readFileSync(log, 'utf8')}`);
      }
      await sleep(5);
    }
  }
  const warned = readFileSync(log, 'utf8').split('\n').filter((line) => line.includes('level=warn'));
  for (const name of ['squatter']) {
    expect(
      warned.filter((line) => new RegExp(`cyrus\\.conf:\\d+: ${name}: .*not there yet`).test(line)).length,
    ).toBe(1);
  }

  const message = Buffer.from(
    'From: michael@nausch.org\r\nTo: Django@nausch.org\r\nSubj: Testmail\r\n\r\nAhoi,\r\n',
  );
  const sender = await LmtpClient.connect(lmtp);
  await sender.say('LHLO vml000080.dmz.nausch.org');
  await sender.say('MAIL FROM:<michael@nausch.org>');
  // createonpost: no, and nobody has logged in yet.
  expect(await sender.say('RCPT TO:<django@nausch.org>')).toStartWith('550 5.1.1');
  await sender.say('RSET');

  // allowplaintext: no, so the password goes through STARTTLS only.
  const curl = (path: string, ...more: string[]) => [
    ...['--silent', '--show-error', '--insecure', '--ssl-reqd', '-u', `Django:${PASSWORD}`],
    `imap://127.0.0.1:${imap}/${path}`,
    ...more,
  ];
  const listed = (await succeed('curl', curl('', '-X', 'LIST "" *'))).stdout.trimEnd().split('\r\n').sort();
  expect(listed).toEqual([
    '* LIST (\\HasChildren) "/" "INBOX"',
    '* LIST (\\HasNoChildren \\Archive) "/" "INBOX/Archives"',
    '* LIST (\\HasNoChildren \\Drafts) "/" "INBOX/Drafts"',
    '* LIST (\\HasNoChildren \\Sent) "/" "INBOX/Sent"',
    '* LIST (\\HasNoChildren \\Trash) "/" "INBOX/Trash"',
  ]);
  expect((await succeed('curl', curl('', '-X', 'LSUB "" *'))).stdout.split('\r\n').length).toBe(5);
  expect((await succeed('curl', curl('INBOX', '-X', 'GETQUOTAROOT INBOX'))).stdout)
    .toContain('* QUOTA INBOX (STORAGE 0 2048000)');

  expect(await sender.deliver('michael@nausch.org', ['django@nausch.org'], message)).toEqual([
    expect.stringMatching(/^250 2\.1\.5 Ok/),
  ]);
  await sender.quit();
  const stored = (await succeed('curl', curl('INBOX;MAILINDEX=1'))).stdout;
  expect(stored).toStartWith('Return-Path: <michael@nausch.org>\r\n');
  expect(stored).toEndWith(message.toString('latin1'));
}, 60_000);

test('imtest logs in by DIGEST-MD5 as the how-to shows it, with the secret from the directory', async () => {
  const { stdout } = await run('/usr/lib/cyrus/bin/imtest', [
    ...['-p', String(imapPort), '-a', 'Django', '-w', PASSWORD, '-m', 'DIGEST-MD5', 'localhost'],
  ], { input: '01 LIST "" *\r\n02 SELECT INBOX\r\n03 STATUS INBOX (MESSAGES)\r\n05 LOGOUT\r\n' });
  expect(stdout).toMatch(
    /S: A01 OK Success \(privacy protection\)\r?\nAuthenticated\.\r?\nSecurity strength factor: 128/,
  );
  expect(stdout).toContain('* STATUS INBOX (MESSAGES 1)');
}, 30_000);

test('the service sieve takes a script, and mail is filed by it', async () => {
  const script =
    'require "fileinto";\r\nif header :contains "subject" "[list]" { fileinto "INBOX/Archives"; }\r\n';
  const { stdout } = await run('/usr/lib/cyrus/bin/sivtest', [
    ...['-p', String(sievePort), '-a', 'Django', '-w', PASSWORD, '-m', 'DIGEST-MD5', 'localhost'],
  ], {
    input:
      `PUTSCRIPT "lists" {${script.length}+}\r\n${script}\r\nSETACTIVE "lists"\r\nLISTSCRIPTS\r\nLOGOUT\r\n`,
  });
  expect(stdout).toContain('Security strength factor: 128');
  expect(stdout).toContain('"lists" ACTIVE');
  const sender = await LmtpClient.connect(lmtpPort);
  const message = Buffer.from('From: a@nausch.org\r\nSubject: [list] hello\r\n\r\nfiled\r\n');
  expect(await sender.deliver('a@nausch.org', ['django@nausch.org'], message)).toEqual([
    expect.stringMatching(/^250 2\.1\.5 Ok/),
  ]);
  await sender.quit();
  const stored = await succeed('curl', [
    ...['--silent', '--show-error', '--insecure', '--ssl-reqd', '-u', `Django:${PASSWORD}`],
    `imap://127.0.0.1:${imapPort}/INBOX/Archives;MAILINDEX=1`,
  ]);
  expect(stored.stdout).toEndWith(message.toString('latin1'));
}, 30_000);
