/** Our test clients against servers of others: Dovecot's IMAP, POP3 and ManageSieve, Postfix's SMTP. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finished, run } from '../harness/command.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';
import { Dovecot } from './dovecot_server.ts';
import { Postfix } from './postfix_server.ts';

/** Mechanisms of Dovecot's that send no password. */
const SECRET = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'DIGEST-MD5', 'CRAM-MD5'];

async function client(name: string, port: number, args: readonly string[], input: string): Promise<Finished> {
  const [program = '', ...before] = mailstoreCommand();
  const secret = args.includes('-w') ? [] : ['-w', PASSWORD];
  const all = [...before, name, '-p', String(port), '-a', 'django', ...secret, ...args, 'localhost'];
  return await run(program, all, { input });
}

describe('Dovecot', () => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await Dovecot.start(PASSWORD);
  });
  afterAll(() => dovecot.dispose());

  for (const mechanism of SECRET) {
    test(`imtest, pop3test and sivtest by ${mechanism}`, async () => {
      const { imap, pop3, sieve } = dovecot.ports;
      const [read, list, scripts] = await Promise.all([
        client('imtest', imap, ['-m', mechanism], '01 SELECT INBOX\n02 LOGOUT\n'),
        client('pop3test', pop3, ['-m', mechanism], 'STAT\nQUIT\n'),
        client('sivtest', sieve, ['-m', mechanism], 'LISTSCRIPTS\nLOGOUT\n'),
      ]);
      expect(read.stdout).toMatch(/Authenticated\.\nSecurity strength factor: 0\n[^]*\r\n01 OK /);
      expect(list.stdout).toMatch(/Authenticated\.\nSecurity strength factor: 0\n\+OK 0 0\r\n/);
      expect(scripts.stdout).toMatch(
        /Authenticated\.\nSecurity strength factor: 0\nOK "Listscripts completed/,
      );
      expect([read.code, list.code, scripts.code]).toEqual([0, 0, 0]);
    });
  }

  test('STARTTLS with the certificate checked, and passwords under it', async () => {
    const { imap, imaps, pop3, sieve } = dovecot.ports;
    const tls = ['-t', '', '--ca', dovecot.certificate];
    const done = await Promise.all([
      client('imtest', imap, [...tls, '-m', 'PLAIN'], '02 LOGOUT\n'),
      client('imtest', imap, [...tls, '-m', 'login'], '02 LOGOUT\n'),
      client('imtest', imaps, ['-s', '--ca', dovecot.certificate, '-m', 'LOGIN'], '02 LOGOUT\n'),
      client('pop3test', pop3, [...tls, '-m', 'user'], 'QUIT\n'),
      client('sivtest', sieve, [...tls, '-m', 'PLAIN'], 'LOGOUT\n'),
      client('sivtest', sieve, [...tls, '-m', 'LOGIN'], 'LOGOUT\n'),
      client('sivtest', sieve, [...tls], 'LOGOUT\n'),
    ]);
    for (const { code, stdout } of done) {
      expect(stdout).toContain('TLS connection established: TLSv1.3 ');
      expect(stdout).toMatch(/Authenticated\.\nSecurity strength factor: (?:128|256)\n/);
      expect(stdout).not.toContain(PASSWORD);
      expect(code).toBe(0);
    }
  });

  test('-q: compressed from the login on, inside TLS, both ways', async () => {
    const { imap, imaps } = dovecot.ports;
    // Messages that compress well and not at all, larger than any buffer on the way.
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64');
    const body = `Subject: x\r\n\r\n${random}\r\n${'0123456789abcdef'.repeat(20_000)}\r\n`;
    const script = `01 APPEND INBOX {${body.length}+}\r\n${body}\r\n02 SELECT INBOX\r\n` +
      '03 FETCH * BODY[]\r\n04 LOGOUT\r\n';
    const all = [
      await client('imtest', imap, ['-q', '-m', 'SCRAM-SHA-256'], script),
      await client('imtest', imaps, ['-q', '-s', '-m', 'PLAIN'], script),
    ];
    for (const { code, stdout } of all) {
      expect(stdout).toMatch(/C: Z01 COMPRESS DEFLATE\nS: Z01 OK /);
      expect(stdout.includes(`{${body.length}}\r\n${body}`)).toBe(true);
      expect(stdout).toContain('04 OK ');
      expect(code).toBe(0);
    }
  });

  test('DIGEST-MD5 without a challenge where the server remembers none is asked anew', async () => {
    const done = await client('imtest', dovecot.ports.imap, ['-m', 'DIGEST-MD5', '-n', '2'], '02 LOGOUT\n');
    expect(done.stdout.match(/^Authenticated\.$/gm)).toHaveLength(2);
    expect(done.code).toBe(0);
  });

  test('the strongest mechanism, and a wrong password', async () => {
    const { imap, sieve } = dovecot.ports;
    const [strong, wrong, wrongSieve] = await Promise.all([
      client('imtest', imap, [], '02 LOGOUT\n'),
      client('imtest', imap, ['-m', 'CRAM-MD5', '-w', 'wrong'], ''),
      client('sivtest', sieve, ['-m', 'SCRAM-SHA-256', '-w', 'wrong'], ''),
    ]);
    expect(strong.stdout).toContain('C: A01 AUTHENTICATE SCRAM-SHA-256 ');
    expect(wrong.stdout).toContain('Authentication failed. NO [AUTHENTICATIONFAILED]');
    expect(wrongSieve.stdout).toContain('Authentication failed. NO ');
    expect([strong.code, wrong.code, wrongSieve.code]).toEqual([0, 77, 77]);
  });
});

describe("Postfix's smtpd, which asks our store", () => {
  let store: TestStore;
  let postfix: Postfix;
  let socket: string;
  beforeAll(async () => {
    socket = mkdtempSync(join(tmpdir(), 'mailstore-authd-'));
    chmodSync(socket, 0o755);
    store = await TestStore.start({
      users: [],
      config: {
        auth: {
          allowplaintext: 'false',
          sasl_mech_list: '["SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"]',
          proxyservers: '["django"]',
        },
        'services.dovecot-auth': { listen: `"${socket}/smtp"`, mode: '"0666"' },
      },
    });
    store.addUser('django');
    postfix = await Postfix.start({
      main: `
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = ${socket}/smtp
smtpd_sasl_security_options = noanonymous
smtpd_tls_security_level = may
smtpd_tls_auth_only = no
smtpd_tls_cert_file = ${store.certificate}
smtpd_tls_key_file = ${store.certificate.replace(/\.pem$/, '.key')}
`,
      master: '',
    });
  });
  afterAll(async () => {
    await postfix.dispose();
    await store.dispose();
    rmSync(socket, { recursive: true, force: true });
  });

  for (const mechanism of SECRET) {
    test(`smtptest -m ${mechanism}`, async () => {
      const done = await client('smtptest', postfix.port, ['-m', mechanism], 'NOOP\nQUIT\n');
      expect(done.stdout).toMatch(/^S: 220 .*\nC: EHLO smtptest\nS: 250-/);
      expect(done.stdout).toContain('S: 235 2.7.0 Authentication successful\nAuthenticated.\n');
      expect(done.stdout).toMatch(/\n250 2\.0\.0 Ok\r\n221 /);
      expect(done.code).toBe(0);
    });
  }

  test('PLAIN and LOGIN under TLS, acting for another, a wrong password', async () => {
    const tls = ['-t', '', '--ca', store.certificate];
    const [plain, login, proxied, wrong] = await Promise.all([
      client('smtptest', postfix.port, [...tls, '-m', 'PLAIN'], 'QUIT\n'),
      client('smtptest', postfix.port, [...tls, '-m', 'LOGIN'], 'QUIT\n'),
      client('smtptest', postfix.port, ['-m', 'DIGEST-MD5', '-u', 'inge'], 'QUIT\n'),
      client('smtptest', postfix.port, ['-m', 'CRAM-MD5', '-w', 'wrong'], ''),
    ]);
    for (const { code, stdout } of [plain, login, proxied]) {
      expect(stdout).toContain('S: 235 2.7.0 Authentication successful\n');
      expect(stdout).not.toContain(PASSWORD);
      expect(code).toBe(0);
    }
    expect(wrong.stdout).toContain('Authentication failed. 535 5.7.8 ');
    expect(wrong.code).toBe(77);
  });
});
