/** What `config check` says of lists of revoked certificates that openssl made. */

import { afterAll, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSettings } from '../../src/config/settings.ts';
import { asMailError } from '../../src/errors.ts';
import { revocationList } from '../../src/net/crl.ts';
import { checkRevocations } from '../../src/net/crlcheck.ts';
import { Authority } from '../harness/authority.ts';
import { run } from '../harness/command.ts';
import { mailstoreCommand } from '../harness/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-crl-'));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));
const root = new Authority(folder, 'Root');
const other = new Authority(folder, 'Other');
const server = root.issue('server', { names: ['DNS:imap.example.org'] });
root.publish();

const settingsOf = (given: Parameters<typeof makeSettings>[0]) =>
  makeSettings({
    tls_server_cert: server.cert,
    tls_server_key: server.key,
    tls_client_certs: 'optional',
    tls_client_ca_file: root.cert,
    tls_crl_file: root.crl,
    ...given,
  });

/** What is said, problems with a ! in front. */
function said(given: Parameters<typeof makeSettings>[0] = {}, days = 0): string[] {
  return checkRevocations(settingsOf(given), new Date(Date.now() + days * 86_400_000))
    .map(({ text, problem }) => `${problem ? '!' : ''}${text}`);
}

test('of a good one nothing is said, nor of one that nobody needs', () => {
  expect(said()).toEqual([]);
  expect(said({}, 20)).toEqual([]);
  expect(said({ tls_client_certs: 'off' }, 40)).toEqual([]);
  expect(said({ tls_crl_file: '' }, 40)).toEqual([]);
});

test('one that ends soon, has ended, has not begun', () => {
  expect(said({}, 24)).toEqual([
    expect.stringMatching(/^the list of "Root" expires on \d{4}-\d\d-\d\dT\d\d:\d\dZ; .*gencrl/),
  ]);
  expect(said({}, 31)).toEqual([
    expect.stringMatching(/^!the list of "Root" expired on \d{4}-\d\d-\d\d: every client/),
  ]);
  expect(said({}, -1)).toEqual([expect.stringMatching(/^!the list of "Root" is not valid before /)]);
});

test('one that is made for a day is not warned of all the time', () => {
  root.publish('-crlhours', '24');
  expect(said()).toEqual([]);
  expect(said({}, 0.8)).toEqual([expect.stringMatching(/^the list of "Root" expires on /)]);
  expect(said({}, 1.1)).toEqual([expect.stringMatching(/^!the list of "Root" expired on /)]);
  root.publish();
});

test('revoked certificates in it change nothing', () => {
  root.revoke(root.issue('lost').cert);
  expect(said()).toEqual([]);
  expect(said({}, 31)).toHaveLength(1);
});

test('an authority without a list; of several lists of one the newest counts', () => {
  const both = join(folder, 'both.pem');
  writeFileSync(both, readFileSync(root.cert, 'utf8') + readFileSync(other.cert, 'utf8'));
  expect(said({ tls_client_ca_file: both })).toEqual([
    expect.stringMatching(/^holds no list of "Other": every client certificate of that authority is refused/),
  ]);
  const lists = join(folder, 'lists.pem');
  root.publish('-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', '20200201000000Z');
  const old = readFileSync(root.crl, 'utf8');
  expect(said()).toEqual([expect.stringMatching(/^!the list of "Root" expired on 2020-02-01: /)]);
  root.publish();
  other.publish('-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', '20600201000000Z');
  writeFileSync(lists, old + readFileSync(root.crl, 'utf8') + readFileSync(other.crl, 'utf8'));
  expect(said({ tls_client_ca_file: both, tls_crl_file: lists })).toEqual([]);
});

test('a file that is missing, empty, no list, or cut anywhere', () => {
  expect(said({ tls_crl_file: '/nowhere' })).toEqual([
    '!cannot read the list of revoked certificates: ENOENT',
  ]);
  expect(said({ tls_crl_file: root.cert })).toEqual(['!holds no list of revoked certificates in PEM form']);
  const bad = join(folder, 'bad.pem');
  writeFileSync(bad, '-----BEGIN X509 CRL-----\nMAAwAA==\n-----END X509 CRL-----\n');
  expect(said({ tls_crl_file: bad })).toEqual([
    expect.stringMatching(/^!holds something that is no list of revoked certificates; make a new one/),
  ]);
  const whole = Buffer.from(readFileSync(root.crl, 'utf8').replace(/-----.*/g, ''), 'base64');
  for (let length = 0; length < whole.length; length++) {
    try {
      revocationList(whole.subarray(0, length));
      expect(length).toBe(-1);
    } catch (thrown) {
      expect([length, asMailError(thrown).code]).toEqual([length, 'badsyntax']);
    }
  }
});

test('config check ends with an error where a list has expired', async () => {
  root.publish('-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', '20200201000000Z');
  const file = join(folder, 'mailstore.toml');
  writeFileSync(
    file,
    `[server]\nservername = "imap.example.org"\n[tls]\nserver_cert = "${server.cert}"\nserver_key = "${server.key}"\n` +
      `client_certs = "optional"\nclient_ca_file = "${root.cert}"\ncrl_file = "${root.crl}"\n`,
  );
  const [program = '', ...args] = mailstoreCommand();
  const check = () => run(program, [...args, 'config', 'check', '-c', file]);
  const expired = await check();
  expect(expired.code).not.toBe(0);
  expect(expired.stdout + expired.stderr).toContain(`${root.crl}: the list of "Root" expired on 2020-02-01`);
  root.publish();
  expect((await check()).code).toBe(0);
});
