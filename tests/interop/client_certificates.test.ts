/** Client certificates, and the peers of a unix socket, as logins: by real clients, EXTERNAL included (FIELD 66). */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { Authority, type Issued } from '../harness/authority.ts';
import { run, succeed } from '../harness/command.ts';
import { freePorts } from '../harness/ports.ts';
import { userName } from '../harness/processes.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-client-certificates-'));
chmodSync(folder, 0o755);
const socket = join(folder, 'imap.sock');
const clientCa = join(folder, 'clients.pem');
const crl = join(folder, 'crl.pem');

let store: TestStore;
let servers: Authority;
let clients: Authority;
let strangers: Authority;
let strict: number;
let pop3s: number;
const issued: Record<string, Issued> = {};

/** Puts a file in place of another at once, as a renewal does. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

beforeAll(async () => {
  servers = new Authority(folder, 'servers');
  clients = new Authority(folder, 'clients');
  strangers = new Authority(folder, 'strangers');
  const names = ['DNS:localhost'];
  const rsa = servers.issue('rsa', { key: 'rsa', names });
  const ec = servers.issue('ec', { names });
  issued['django'] = clients.issue('django', { names: ['email:django@nausch.org'] });
  issued['realm'] = clients.issue('realm', { subject: '/CN=django', names: ['email:django@evil.example'] });
  issued['nameless'] = clients.issue('nameless', { subject: '/O=nobody' });
  issued['revoked'] = clients.issue('revoked', { names: ['email:django@nausch.org'] });
  issued['over'] = clients.issue('over', { names: ['email:django@nausch.org'], days: -1 });
  issued['stranger'] = strangers.issue('stranger', { names: ['email:django@nausch.org'] });
  clients.revoke((issued['revoked'] as Issued).cert);
  replace(clientCa, readFileSync(clients.cert, 'utf8'));
  replace(crl, readFileSync(clients.crl, 'utf8'));
  [strict = 0, pop3s = 0] = await freePorts(2);
  store = await TestStore.start({
    users: ['django', 'inge'],
    config: {
      auth: {
        allowplaintext: 'false',
        external_certificates: '["email (.*)@nausch\\\\.org -> $1"]',
        external_peers: `["${userName()} -> inge"]`,
      },
      tls: {
        server_cert: `"${rsa.cert},${ec.cert}"`,
        server_key: `"${rsa.key},${ec.key}"`,
        client_ca_file: `"${clientCa}"`,
        client_certs: '"optional"',
        crl_file: `"${crl}"`,
      },
      'services.strict': {
        protocol: '"imap"',
        tls: 'true',
        listen: `"127.0.0.1:${strict}"`,
        tls_client_certs: '"require"',
      },
      'services.pop3s': { listen: `"127.0.0.1:${pop3s}"` },
      'services.local': { protocol: '"imap"', listen: `"${socket}"`, mode: '"0600"' },
    },
  });
});
afterAll(async () => {
  await store.dispose();
  rmSync(folder, { recursive: true });
});

/** A dialogue through openssl s_client; `as` is whose certificate is shown. */
async function dialogue(port: number, as: string, text: string, ...more: string[]): Promise<string> {
  const own = issued[as];
  const shown = own === undefined ? [] : ['-cert', own.cert, '-key', own.key];
  const common = ['-quiet', '-crlf', '-verify_return_error', '-CAfile', servers.cert, ...shown, ...more];
  return (await run('openssl', ['s_client', '-connect', `localhost:${port}`, ...common], { input: text }))
    .stdout;
}

const EXTERNAL = 'a AUTHENTICATE EXTERNAL =\nb SELECT INBOX\nc LOGOUT\n';

describe('EXTERNAL by a certificate', () => {
  test('by openssl s_client, from the first byte and after STARTTLS, TLS 1.2 and 1.3', async () => {
    for (const version of ['-tls1_2', '-tls1_3']) {
      const said = await dialogue(store.ports.imaps, 'django', EXTERNAL, version);
      expect(said).toContain('AUTH=EXTERNAL');
      expect(said).toContain('\r\nb OK [READ-WRITE]');
      expect(await dialogue(store.ports.imap, 'django', EXTERNAL, version, '-starttls', 'imap')).toContain(
        '\r\nb OK [READ-WRITE]',
      );
    }
    await store.logged(/msg="logged in" .* mech=EXTERNAL tls=true user=django/);
  });

  test('by curl', async () => {
    const { cert, key } = issued['django'] as Issued;
    const said = await succeed('curl', [
      ...['--silent', '--show-error', '--cacert', servers.cert, '--cert', cert, '--key', key],
      ...['--login-options', 'AUTH=EXTERNAL', '--user', 'django:', `imaps://localhost:${store.ports.imaps}/`],
    ]);
    expect(said.stdout).toContain('INBOX');
  });

  test('by imtest', async () => {
    const { cert, key } = issued['django'] as Issued;
    const both = join(folder, 'both.pem');
    writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
    const { stdout } = await run('/usr/lib/cyrus/bin/imtest', [
      ...[
        '-p',
        String(store.ports.imap),
        '-m',
        'EXTERNAL',
        '-a',
        'django',
        '-u',
        'django',
        '-t',
        both,
        'localhost',
      ],
    ], { input: '02 SELECT INBOX\r\n03 LOGOUT\r\n' });
    expect(stdout).toMatch(/A01 OK .*Success \(tls protection\)/);
    expect(stdout).toMatch(/\r?\n02 OK \[READ-WRITE\]/);
  });

  test('by our own imtest, which takes it for the strongest mechanism there is', async () => {
    const { cert, key } = issued['django'] as Issued;
    const both = join(folder, 'ours.pem');
    writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
    const [program = '', ...before] = mailstoreCommand();
    for (const [port, how] of [[store.ports.imap, []], [store.ports.imaps, ['-s']]] as const) {
      const args = ['imtest', '-p', String(port), ...how, '-t', both, '--ca', servers.cert, 'localhost'];
      const done = await run(program, [...before, ...args], { input: '02 SELECT INBOX\n' });
      expect(done.stdout).toContain('C: A01 AUTHENTICATE EXTERNAL =\nS: A01 OK ');
      expect(done.stdout).toContain('\n02 OK [READ-WRITE]');
      expect(done.code).toBe(0);
    }
    const done = await run(program, [...before, 'imtest', socket], { input: '02 SELECT INBOX\n' });
    expect(done.stdout).toContain('C: A01 AUTHENTICATE EXTERNAL =\nS: A01 OK ');
  });

  test("by Cyrus's sivtest and our own, over ManageSieve", async () => {
    const { cert, key } = issued['django'] as Issued;
    const both = join(folder, 'sieve.pem');
    writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
    const port = ['-p', String(store.ports.sieve), '-m', 'EXTERNAL', '-t', both];
    const input = 'LISTSCRIPTS\r\nLOGOUT\r\n';
    const [program = '', ...before] = mailstoreCommand();
    const cyrus = ['-a', 'django', '-u', 'django', 'localhost'];
    const all = [
      await run('/usr/lib/cyrus/bin/sivtest', [...port, ...cyrus], { input }),
      await run(program, [...before, 'sivtest', ...port, '--ca', servers.cert, 'localhost'], { input }),
    ];
    for (const { stdout } of all) {
      expect(stdout).toContain('Authenticated.');
      expect(stdout).toMatch(/OK "Logout/);
    }
    await store.logged(/msg="logged in" .* proto=sieve mech=EXTERNAL tls=true user=django/);
  });

  test('by mpop, over POP3', async () => {
    const { cert, key } = issued['django'] as Issued;
    await succeed('mpop', [
      ...['--host=localhost', `--port=${pop3s}`, '--tls=on', '--tls-starttls=off'],
      ...[`--tls-trust-file=${servers.cert}`, `--tls-cert-file=${cert}`, `--tls-key-file=${key}`],
      ...[
        '--auth=external',
        '--user=django',
        `--delivery=mbox,${join(folder, 'mbox')}`,
        `--uidls-file=${join(folder, 'uidls')}`,
      ],
    ]);
    await store.logged(/msg="logged in" .* proto=pop3 mech=EXTERNAL tls=true user=django/);
  });

  test('acting for somebody else is for administrators', async () => {
    const other = Buffer.from('inge').toString('base64');
    const said = await dialogue(store.ports.imaps, 'django', `a AUTHENTICATE EXTERNAL ${other}\nb LOGOUT\n`);
    expect(said).toMatch(/\r\na NO \[AUTHORIZATIONFAILED\]/);
  });

  for (const as of ['', 'realm', 'nameless', 'revoked', 'over', 'stranger']) {
    test(`${as === '' ? 'no certificate' : `a certificate that is ${as}`}: nobody, but passwords are taken`, async () => {
      const said = await dialogue(
        store.ports.imaps,
        as,
        `${EXTERNAL.slice(0, 26)}b LOGIN django ${PASSWORD}\nc LOGOUT\n`,
      );
      expect(said).not.toContain('AUTH=EXTERNAL');
      expect(said).toMatch(/\r\na NO \[CANNOT\]/);
      expect(said).toMatch(/\r\nb OK /);
    });
  }

  test('why a certificate was not accepted stands in the log', async () => {
    for (const reason of ['CERT_REVOKED', 'CERT_HAS_EXPIRED']) {
      await store.logged(new RegExp(`msg="client certificate not accepted" .* reason=${reason}`));
    }
  });
});

test('a service that requires a certificate ends the handshake without one', async () => {
  expect(await dialogue(strict, 'django', EXTERNAL)).toContain('\r\nb OK [READ-WRITE]');
  for (const as of ['', 'stranger', 'revoked']) expect(await dialogue(strict, as, EXTERNAL)).toBe('');
});

test('RSA and EC side by side: each client gets what it can check', async () => {
  const kind = async (...args: string[]) => {
    const common = ['-connect', `localhost:${store.ports.imaps}`, '-CAfile', servers.cert, '-brief', ...args];
    return /Signature type: (\S+)/.exec((await run('openssl', ['s_client', ...common])).stderr)?.[1];
  };
  expect(await kind('-sigalgs', 'ECDSA+SHA256')).toBe('ECDSA');
  expect(await kind('-sigalgs', 'RSA-PSS+SHA256')).toBe('RSA-PSS');
  expect(await kind('-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256')).toBe('RSA-PSS');
});

test('the peer of a unix socket is who the configuration says', async () => {
  const peer = connect(socket);
  let heard = '';
  peer.on('data', (chunk) => heard += chunk);
  const ended = new Promise((resolve) => peer.on('close', resolve));
  peer.write('a AUTHENTICATE EXTERNAL =\r\nb SELECT INBOX\r\nc LOGOUT\r\n');
  await ended;
  expect(heard).toContain('AUTH=EXTERNAL');
  expect(heard).toContain('\r\nb OK [READ-WRITE]');
  await store.logged(/msg="logged in" .* rip=local .* mech=EXTERNAL tls=false user=inge/);
});

describe('files that change while the server runs', () => {
  /** A connection that stands, with a question it is still asked. */
  const open = async (own?: Issued): Promise<{ tls: TLSSocket; noop: () => Promise<string> }> => {
    const tls = tlsConnect({
      port: store.ports.imaps,
      host: '127.0.0.1',
      servername: 'localhost',
      rejectUnauthorized: false,
      ...(own === undefined ? {} : { cert: readFileSync(own.cert), key: readFileSync(own.key) }),
    });
    await new Promise<void>((resolve) => tls.once('data', () => resolve()));
    return {
      tls,
      noop: () =>
        new Promise((resolve) => {
          tls.once('data', (chunk) => resolve(String(chunk)));
          tls.write('x NOOP\r\n');
        }),
    };
  };
  const serial = (tls: TLSSocket) => tls.getPeerX509Certificate()?.serialNumber;
  /** Reloads and waits until every worker has it. */
  const reload = async () => {
    const changed = () => store.log.split('msg="certificates changed"').length;
    const before = changed();
    process.kill(store.pid, 'SIGHUP');
    while (changed() < before + 2) await sleep(5);
  };

  test('an old connection goes on with the old certificate, a new one gets the new one', async () => {
    const old = await open();
    const fresh = servers.issue('fresh', { names: ['DNS:localhost'], key: 'rsa' });
    replace(join(servers.folder, 'rsa.key'), readFileSync(fresh.key, 'utf8'));
    replace(join(servers.folder, 'rsa.pem'), readFileSync(fresh.cert, 'utf8'));
    const ec = servers.issue('fresh-ec', { names: ['DNS:localhost'] });
    replace(join(servers.folder, 'ec.key'), readFileSync(ec.key, 'utf8'));
    replace(join(servers.folder, 'ec.pem'), readFileSync(ec.cert, 'utf8'));
    const before = serial(old.tls);
    await reload();
    const young = await open();
    expect(serial(young.tls)).not.toBe(before);
    expect(await old.noop()).toMatch(/^x OK /);
    expect(serial(old.tls)).toBe(before);
    expect(await young.noop()).toMatch(/^x OK /);
    old.tls.destroy();
    young.tls.destroy();
  });

  test('another authority, and a longer list of revoked certificates, count for the next handshake', async () => {
    const old = await open(issued['django']);
    replace(clientCa, readFileSync(clients.cert, 'utf8') + readFileSync(strangers.cert, 'utf8'));
    strangers.publish();
    clients.revoke((issued['django'] as Issued).cert);
    replace(crl, readFileSync(clients.crl, 'utf8') + readFileSync(strangers.crl, 'utf8'));
    await reload();
    expect(await old.noop()).toMatch(/^x OK /);
    old.tls.destroy();
    expect(await dialogue(store.ports.imaps, 'stranger', EXTERNAL)).toContain('\r\nb OK [READ-WRITE]');
    expect(await dialogue(store.ports.imaps, 'django', EXTERNAL)).toMatch(/\r\na NO \[CANNOT\]/);
  });
});
