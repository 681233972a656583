/** Submission: Postfix's smtpd asks about logins by Dovecot's protocol, Cyrus SASL's own tool by saslauthd's. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../harness/command.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';
import { Postfix } from './postfix_server.ts';

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
        proxyservers: '["inge"]',
      },
      'services.dovecot-auth': { listen: `"${socket}/smtp"`, mode: '"0666"' },
      'services.saslauthd': { listen: `"${socket}/mux"`, mode: '"0666"' },
    },
  });
  for (const user of ['django', 'inge']) store.addUser(user);
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

async function swaks(auth: string, user: string, password: string, ...more: string[]): Promise<string> {
  const { stdout } = await run('swaks', [
    ...['--server', '127.0.0.1', '--port', String(postfix.port), '--quit-after', 'AUTH'],
    ...['--auth', auth, '--auth-user', user, '--auth-password', password, ...more],
  ]);
  return stdout;
}

for (const mechanism of ['CRAM-MD5']) {
  test(`Postfix lets in by ${mechanism}, and not with a wrong password`, async () => {
    expect(await swaks(mechanism, 'django', PASSWORD)).toMatch(/235 2\.7\.0 Authentication successful/);
    expect(await swaks(mechanism, 'django', 'wrong')).toMatch(/535 5\.7\.8/);
    expect(await swaks(mechanism, 'nobody', PASSWORD)).toMatch(/535 5\.7\.8/);
  });
}

for (const mechanism of ['PLAIN', 'LOGIN']) {
  test(`Postfix lets in by ${mechanism} under TLS only`, async () => {
    expect(await swaks(mechanism, 'django', PASSWORD, '--tls')).toMatch(
      /235 2\.7\.0 Authentication successful/,
    );
    expect(await swaks(mechanism, 'django', 'wrong', '--tls')).toMatch(/535 5\.7\.8/);
    expect(await swaks(mechanism, 'django', PASSWORD)).not.toMatch(/235 2\.7\.0/);
  });
}

for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'DIGEST-MD5', 'PLAIN']) {
  test(`Postfix lets in by ${mechanism}, spoken by GNU SASL`, async () => {
    const gsasl = async (password: string, ...more: string[]) =>
      (await run('gsasl', [
        ...[
          '--smtp',
          '--starttls',
          '--no-cb',
          '--mechanism',
          mechanism,
          `--x509-ca-file=${store.certificate}`,
        ],
        ...['--connect', `localhost:${postfix.port}`, `--password=${password}`, ...more],
      ], { input: '' })).stdout;
    expect(await gsasl(PASSWORD, '--authentication-id=django')).toMatch(/^235 2\.7\.0/m);
    expect(await gsasl('wrong', '--authentication-id=django')).toMatch(/^535 5\.7\.8/m);
    expect(await gsasl(PASSWORD, '--authentication-id=inge', '--authorization-id=django')).toMatch(
      /^235 2\.7\.0/m,
    );
  });
}

test('a mail that was let in goes through', async () => {
  const sent = await run('swaks', [
    ...['--server', '127.0.0.1', '--port', String(postfix.port), '--tls', '--auth', 'PLAIN'],
    ...[
      '--auth-user',
      'django',
      '--auth-password',
      PASSWORD,
      '--from',
      'django@example.org',
      '--to',
      'a@mx.example.org',
    ],
  ]);
  expect(sent.stdout).toMatch(/250 2\.0\.0 Ok: queued as/);
});

test("Cyrus SASL's testsaslauthd", async () => {
  const ask = async (user: string, password: string) =>
    (await run('/usr/sbin/testsaslauthd', [
      '-f',
      join(socket, 'mux'),
      '-u',
      user,
      '-p',
      password,
      '-s',
      'imap',
    ])).stdout;
  expect(await ask('django', PASSWORD)).toContain('OK "Success."');
  expect(await ask('django', 'wrong')).toContain('NO "authentication failed"');
  expect(await ask('nobody', PASSWORD)).toContain('NO "authentication failed"');
});
