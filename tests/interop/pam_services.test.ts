/**
 * PAM's service names, one for each protocol, with real libpam: pam_userdb over a database of each service's own, so that who
 * gets in tells which service was asked. The same names go to saslauthd, which hands them to PAM (`-a pam`).
 */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checkers } from '../../src/auth/checker/pool.ts';
import { PamSecrets } from '../../src/auth/secrets/pam.ts';
import { SaslauthdSecrets } from '../../src/auth/secrets/saslauthd.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { run, succeed } from '../harness/command.ts';
import { ImapClient } from '../harness/imap.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';
import { Saslauthd } from './saslauthd_server.ts';

const SERVICES = ['imap', 'pop', 'lmtp', 'sieve'] as const;
type Service = typeof SERVICES[number];

const dir = mkdtempSync(join(tmpdir(), 'mailstore-pam-'));
const pam = join(dir, 'pam.d');
const checkers = new Checkers([...mailstoreCommand(), 'serve', '--role=checker']);
let store: TestStore;

beforeAll(async () => {
  chmodSync(dir, 0o755);
  mkdirSync(pam);
  for (const service of SERVICES) {
    // The password of the user is the name of the service; sieve's is kept as a hash.
    const { stdout } = await succeed('mkpasswd', ['-m', 'sha512crypt', service]);
    const stored = service === 'sieve' ? stdout.trim() : service;
    const crypt = service === 'sieve' ? 'crypt' : 'none';
    await succeed('db_load', ['-T', '-t', 'hash', join(dir, `${service}.db`)], {
      input: `anna\n${stored}\n`,
    });
    chmodSync(join(dir, `${service}.db`), 0o644);
    const module = `pam_userdb.so db=${dir}/${service} crypt=${crypt}`;
    writeFileSync(join(pam, service), `auth required ${module}\naccount required ${module}\n`);
  }
  store = await TestStore.start({
    users: ['bert'],
    config: {
      server: { workers: '1' },
      auth: {
        sasl_pwcheck_method: '["auxprop", "pam"]',
        sasl_mech_list: '["PLAIN"]',
        pam_confdir: `"${pam}"`,
        sasl_cache_life: '"0s"',
      },
      lmtp: { trusted_networks: '[]' },
      login: { failedloginpause: '"0s"' },
    },
  });
});
afterAll(async () => {
  await store.dispose();
  checkers.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Logins by each protocol of the store: whether it let us in. */
const LOGINS: Readonly<
  Record<Service, (user: string, password: string) => Promise<boolean>>
> = {
  async imap(user, password) {
    const client = await ImapClient.connect({ port: store.ports.imap });
    const { status } = await client.command(`LOGIN ${user} ${password}`);
    client.destroy();
    return status === 'OK';
  },
  async pop(user, password) {
    const { code } = await run('curl', [
      ...['-sS', '--max-time', '20', '-u', `${user}:${password}`, `pop3://127.0.0.1:${store.ports.pop3}/`],
    ]);
    return code === 0;
  },
  async lmtp(user, password) {
    const client = await LmtpClient.connect(store.ports.lmtp);
    const said = await client.say(`AUTH PLAIN ${btoa(`\0${user}\0${password}`)}`);
    await client.quit();
    return said.startsWith('235 ');
  },
  async sieve(user, password) {
    const [program = '', ...before] = mailstoreCommand();
    const { code } = await run(program, [
      ...[...before, 'sivtest', '-p', String(store.ports.sieve), '-m', 'PLAIN', '-a', user, '-w', password],
      'localhost',
    ], { input: 'LOGOUT\n' });
    return code === 0;
  },
};

for (const [service, login] of Object.entries(LOGINS)) {
  test(`${service} asks PAM's service ${service}, no other`, async () => {
    for (const password of SERVICES) {
      expect([password, await login('anna', password)]).toEqual([password, password === service]);
    }
    expect(await login('cora', service)).toBe(false);
    expect(await login('bert', PASSWORD)).toBe(true);
  });
}

/** Our protocol that is known as a service. */
const PROTOCOLS: Readonly<Record<Service, string>> = {
  imap: 'imap',
  pop: 'pop3',
  lmtp: 'lmtp',
  sieve: 'sieve',
};

test('every protocol has its service, whatever it is called here', async () => {
  const source = new PamSecrets(checkers, { service: '', confdir: pam }, silentLog);
  for (const service of SERVICES) {
    const asking = { protocol: PROTOCOLS[service], remoteAddress: '192.0.2.1' };
    for (const password of SERVICES) {
      const right = await source.verify('anna', password, asking);
      expect([service, password, right]).toEqual([service, password, password === service]);
    }
  }
  const one = new PamSecrets(checkers, { service: 'sieve', confdir: pam }, silentLog);
  expect(await one.verify('anna', 'sieve', { protocol: 'imap', remoteAddress: '' })).toBe(true);
});

describe('saslauthd -a pam', () => {
  let daemon: Saslauthd;
  beforeAll(async () => {
    daemon = await Saslauthd.start(join(dir, 'saslauthd'), ['-a', 'pam'], pam);
  });
  afterAll(() => daemon.stop());

  test('is told the service by the same names', async () => {
    const source = new SaslauthdSecrets(daemon.folder, silentLog);
    for (const service of SERVICES) {
      const asking = { protocol: PROTOCOLS[service], remoteAddress: '192.0.2.1' };
      for (const password of SERVICES) {
        const right = await source.verify('anna', password, asking);
        expect([service, password, right]).toEqual([service, password, password === service]);
      }
      expect(await source.verify('cora', service, asking)).toBe(false);
    }
  });
});
