import { describe, expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BARE_CHANNEL, type SaslChannel } from '../../src/auth/channel.ts';
import { Decoy } from '../../src/auth/decoy.ts';
import { Authenticator } from '../../src/auth/login.ts';
import { type SaslContext, type SaslExchange, startSasl } from '../../src/auth/sasl.ts';
import { EmbeddedSecrets, makeSecret } from '../../src/auth/secrets/embedded.ts';
import type { SecretSource } from '../../src/auth/secrets/source.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { passwords } from './passwords.ts';
import { ScramClient, type ScramUser } from './scramclient.ts';

const USERS: Readonly<Record<string, string>> = { django: 'pencil', inge: 'Geheimnis, =', cyrus: 'admin' };
const ALL = [
  'EXTERNAL',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1',
  'DIGEST-MD5',
  'CRAM-MD5',
  'PLAIN',
  'ANONYMOUS',
];
const BOUND: SaslChannel = {
  strength: 256,
  external: null,
  binding: (kind) => kind === 'tls-exporter' ? Buffer.alloc(32, 7) : null,
};

class Setup {
  readonly context: SaslContext;
  readonly #lines: string[] = [];
  readonly #log;

  constructor(
    channel: SaslChannel = BARE_CHANNEL,
    source: SecretSource = passwords((userid) => USERS[userid]),
    given: Parameters<typeof makeSettings>[0] = {},
  ) {
    const settings = makeSettings({
      servername: 'imap.nausch.org',
      admins: ['cyrus'],
      proxyservers: ['inge'],
      sasl_mech_list: ALL,
      allowanonymouslogin: true,
      ...given,
    });
    this.#log = createLog({
      journal: false,
      level: 'info',
      now: () => 'T',
      write: (bytes) => {
        this.#lines.push(...Buffer.from(bytes).toString().split('\n').filter((line) => line !== ''));
        return bytes.length;
      },
    });
    const authenticator = new Authenticator({
      settings,
      source,
      log: this.#log,
      decoy: new Decoy(Buffer.alloc(32, 1)),
      sleep: () => Promise.resolve(),
    });
    const origin = {
      protocol: 'imap',
      remoteAddress: '198.51.100.7',
      localAddress: '127.0.0.1',
      secure: channel.strength > 0,
      connection: '1',
    };
    this.context = { settings, authenticator, origin, channel };
  }

  start(name: string): SaslExchange {
    return startSasl(name, this.context);
  }

  /** The whole of a SCRAM login: the userid, or the code of the failure. */
  async scram(name: string, as: Omit<ScramUser, 'hash'>): Promise<string> {
    const client = new ScramClient({ ...as, hash: name.includes('256') ? 'sha256' : 'sha1' });
    const exchange = this.start(name);
    return await outcome(async () => {
      const first = await challenge(exchange, client.first);
      const done = await exchange.step(Buffer.from(client.final(first)));
      if (done.kind !== 'done') return 'not done';
      expect(Buffer.from(done.final ?? []).toString()).toBe(client.serverFinal);
      return done.identity.userid;
    });
  }

  log(): string[] {
    this.#log.flush();
    return this.#lines;
  }
}

async function challenge(exchange: SaslExchange, response: string | null): Promise<string> {
  const step = await exchange.step(response === null ? null : Buffer.from(response));
  if (step.kind !== 'challenge') throw new Error('no challenge');
  return Buffer.from(step.challenge).toString();
}

async function outcome(run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (thrown) {
    if (thrown instanceof MailError) return thrown.code;
    throw thrown;
  }
}

async function said(exchange: SaslExchange, response: string): Promise<string> {
  return await outcome(async () => {
    const step = await exchange.step(Buffer.from(response));
    return step.kind === 'done' ? step.identity.userid : `challenge ${Buffer.from(step.challenge)}`;
  });
}

describe('SCRAM', () => {
  for (const name of ['SCRAM-SHA-1', 'SCRAM-SHA-256']) {
    test(`${name}: the right password, and only that`, async () => {
      const setup = new Setup();
      expect(await setup.scram(name, { user: 'django', password: 'pencil' })).toBe('django');
      expect(await setup.scram(name, { user: 'Django', password: 'pencil' })).toBe('django');
      expect(await setup.scram(name, { user: 'inge', password: 'Geheimnis, =' })).toBe('inge');
      expect(await setup.scram(name, { user: 'django', password: 'pencils' })).toBe('authenticationfailed');
      expect(await setup.scram(name, { user: 'nobody', password: 'pencil' })).toBe('authenticationfailed');
    });

    test(`${name}: with keys that were stored, without the password`, async () => {
      const secret = await makeSecret('pencil', false);
      const source = new EmbeddedSecrets({
        get: (userid) => userid === 'django' ? { userid, secret, changed: 1 } : null,
      });
      const setup = new Setup(BARE_CHANNEL, source);
      expect(await setup.scram(name, { user: 'django', password: 'pencil' })).toBe('django');
      expect(await setup.scram(name, { user: 'django', password: 'x' })).toBe('authenticationfailed');
    });

    test(`${name}-PLUS: only over the channel both see`, async () => {
      const setup = new Setup(BOUND);
      const as = { user: 'django', password: 'pencil', header: 'p=tls-exporter,,' };
      expect(await setup.scram(`${name}-PLUS`, { ...as, binding: Buffer.alloc(32, 7) })).toBe('django');
      expect(await setup.scram(`${name}-PLUS`, { ...as, binding: Buffer.alloc(32, 8) })).toBe(
        'authenticationfailed',
      );
      expect(setup.log().at(-1)).toContain('reason=binding');
      expect(await setup.scram(`${name}-PLUS`, { user: 'django', password: 'pencil' })).toBe('badsyntax');
      expect(await setup.scram(`${name}-PLUS`, { ...as, header: 'p=tls-server-end-point,,' })).toBe(
        'badsyntax',
      );
    });

    test(`${name}: a client that was made to believe we cannot bind is refused (§6)`, async () => {
      const as = { user: 'django', password: 'pencil', header: 'y,,' };
      expect(await new Setup(BOUND).scram(name, as)).toBe('authenticationfailed');
      expect(await new Setup().scram(name, as)).toBe('django');
      // Where it is not in sasl_mech_list, the client is right.
      const source = passwords((userid) => USERS[userid]);
      expect(await new Setup(BOUND, source, { sasl_mech_list: [name] }).scram(name, as)).toBe('django');
    });
  }

  test('acting for others', async () => {
    const setup = new Setup();
    const as = (user: string, authzid: string) =>
      setup.scram('SCRAM-SHA-256', { user, password: USERS[user] as string, header: `n,a=${authzid},` });
    expect(await as('cyrus', 'django')).toBe('django');
    expect(await as('inge', 'django')).toBe('django');
    expect(await as('inge', 'cyrus')).toBe('authorizationfailed');
    expect(await as('django', 'inge')).toBe('authorizationfailed');
    expect(await as('django', 'django')).toBe('django');
  });

  test('users who do not exist have a salt of their own that stays', async () => {
    const salt = async (setup: Setup, user: string) =>
      /s=([^,]+)/.exec(await challenge(setup.start('SCRAM-SHA-256'), `n,,n=${user},r=x`))?.[1];
    const once = await salt(new Setup(), 'nobody');
    expect(await salt(new Setup(), 'nobody')).toBe(once as string);
    expect(await salt(new Setup(), 'somebody')).not.toBe(once as string);
  });

  test('malformed messages are refused as such', async () => {
    for (
      const first of [
        '',
        'n',
        'n,,',
        'n,,n=django',
        'n,,n=,r=x',
        'n,,r=x,n=django',
        'n,,m=x,n=django,r=x',
        'n,,n=dj=ango,r=x',
        'n,,n=dj=2cango,r=x',
        'n,,n=django,r=x y',
        'n,,n=dj\0ango,r=x',
        'x,,n=django,r=x',
        'p=,,n=django,r=x',
        'p=tls-exporter,,n=django,r=x',
      ]
    ) {
      expect([first, await said(new Setup().start('SCRAM-SHA-256'), first)]).toEqual([first, 'badsyntax']);
    }
    for (const change of [/^c=[^,]+/, /,r=[^,]+/, /,p=.*/]) {
      const client = new ScramClient({ user: 'django', password: 'pencil', hash: 'sha256' });
      const exchange = new Setup().start('SCRAM-SHA-256');
      const final = client.final(await challenge(exchange, client.first));
      expect(await said(exchange, final.replace(change, ''))).toBe('badsyntax');
    }
  });

  test('a nonce that was changed on the way fails', async () => {
    const client = new ScramClient({ user: 'django', password: 'pencil', hash: 'sha256' });
    const exchange = new Setup().start('SCRAM-SHA-256');
    const first = await challenge(exchange, client.first);
    expect(await said(exchange, client.final(first.replace(/^r=./, 'r=X')))).toBe('authenticationfailed');
  });
});

describe('CRAM-MD5', () => {
  const answer = (user: string, password: string, text: string) =>
    `${user} ${createHmac('md5', password).update(text).digest('hex')}`;

  test('the HMAC of a challenge never used before', async () => {
    const setup = new Setup();
    const seen = new Set<string>();
    for (
      const [user, password, who] of [
        ['django', 'pencil', 'django'],
        ['django', 'pen', 'authenticationfailed'],
        ['nobody', 'pencil', 'authenticationfailed'],
        ['', 'pencil', 'authenticationfailed'],
      ] as const
    ) {
      const exchange = setup.start('CRAM-MD5');
      const text = await challenge(exchange, null);
      expect(text).toMatch(/^<[^<>@\s]+@imap\.nausch\.org>$/);
      seen.add(text);
      expect(await said(exchange, answer(user, password, text))).toBe(who);
    }
    expect(seen.size).toBe(4);
  });

  test('the HMAC of another challenge fails, malformed answers are refused', async () => {
    const exchange = new Setup().start('CRAM-MD5');
    await challenge(exchange, null);
    expect(await said(exchange, answer('django', 'pencil', '<1@x>'))).toBe('authenticationfailed');
    for (const bad of ['', 'django', 'django 1234', `django ${'g'.repeat(32)}`]) {
      const other = new Setup().start('CRAM-MD5');
      await challenge(other, null);
      expect(await said(other, bad)).toBe('badsyntax');
    }
    expect(await said(new Setup().start('CRAM-MD5'), 'django')).toBe('badsyntax');
  });

  test('a secret that cannot be read back fails, and the log says why', async () => {
    const secret = await makeSecret('pencil', false);
    const setup = new Setup(
      BARE_CHANNEL,
      new EmbeddedSecrets({ get: (userid) => userid === 'django' ? { userid, secret, changed: 1 } : null }),
    );
    const exchange = setup.start('CRAM-MD5');
    const text = await challenge(exchange, null);
    expect(await said(exchange, answer('django', 'pencil', text))).toBe('authenticationfailed');
    expect(setup.log().at(-1)).toContain('reason=secret');
  });
});

describe('DIGEST-MD5', () => {
  test('what was not offered cannot be chosen', async () => {
    const response = async (change: (text: string) => string, given = {}) => {
      const exchange = new Setup(BARE_CHANNEL, undefined, given).start('DIGEST-MD5');
      const nonce = /nonce="([^"]+)"/.exec(await challenge(exchange, null))?.[1];
      return await said(
        exchange,
        change(
          `charset=utf-8,username="django",realm="imap.nausch.org",nonce="${nonce}",nc=00000001,cnonce="c",` +
            `digest-uri="imap/x",response=${'0'.repeat(32)},qop=auth`,
        ),
      );
    };
    expect(await response((text) => text)).toBe('authenticationfailed');
    expect(await response((text) => text.replace('realm="imap', 'realm="pop'))).toBe('badsyntax');
    expect(await response((text) => text.replace('nc=00000001', 'nc=00000002'))).toBe('badsyntax');
    expect(await response((text) => text.replace(/nonce="[^"]+"/, 'nonce="other"'))).toBe('badsyntax');
    expect(await response((text) => text.replace('imap/x', 'smtp/x'))).toBe('badsyntax');
    expect(await response((text) => text.replace('qop=auth', 'qop=auth-conf,cipher=rc4-40'))).toBe(
      'badsyntax',
    );
    expect(await response((text) => text.replace('qop=auth', 'qop=auth-int'), { sasl_maximum_layer: 0 }))
      .toBe('badsyntax');
    expect(await response((text) => text, { sasl_minimum_layer: 56 })).toBe('badsyntax');
  });

  test('the challenge offers what the wanted strength leaves', async () => {
    const offer = async (given: object, channel = BARE_CHANNEL) => {
      const text = await challenge(new Setup(channel, undefined, given).start('DIGEST-MD5'), null);
      return [/qop="([^"]*)"/.exec(text)?.[1], /cipher="([^"]*)"/.exec(text)?.[1]];
    };
    expect(await offer({})).toEqual(['auth,auth-int,auth-conf', 'rc4,3des']);
    expect(await offer({ sasl_maximum_layer: 1 })).toEqual(['auth,auth-int', undefined]);
    expect(await offer({ sasl_maximum_layer: 0 })).toEqual(['auth', undefined]);
    expect(await offer({ sasl_minimum_layer: 120 })).toEqual(['auth-conf', 'rc4']);
    expect(await offer({ sasl_minimum_layer: 120 }, BOUND)).toEqual(['auth', undefined]);
  });

  test('a nonce we do not remember is answered by a new challenge that says so (§2.2)', async () => {
    const text = await said(
      new Setup().start('DIGEST-MD5'),
      'charset=utf-8,username="django",realm="imap.nausch.org",nonce="old",nc=00000002,cnonce="c",' +
        `digest-uri="imap/x",response=${'0'.repeat(32)},qop=auth`,
    );
    expect(text).toStartWith('challenge nonce="');
    expect(text).toContain(',stale=true,');
  });
});

describe('EXTERNAL', () => {
  test('who the layer below says it is, or for whom that may act', async () => {
    const as = (external: string, authzid: string) =>
      said(new Setup({ ...BOUND, external }).start('EXTERNAL'), authzid);
    expect(await as('django', '')).toBe('django');
    expect(await as('Django', 'django')).toBe('django');
    expect(await as('django', 'inge')).toBe('authorizationfailed');
    expect(await as('cyrus', 'inge')).toBe('inge');
    expect(await as('django', 'inge\0')).toBe('badsyntax');
    expect(await as('a\0b', '')).toBe('authenticationfailed');
  });
});

test('ANONYMOUS is nobody in particular', async () => {
  const setup = new Setup();
  expect(await said(setup.start('ANONYMOUS'), 'sirhc')).toBe('anonymous');
  expect(setup.log().at(-1)).toContain('trace=sirhc');
  expect(await said(setup.start('ANONYMOUS'), 'x'.repeat(256))).toBe('badsyntax');
});

test('a domain administrator acts for users of the domain', async () => {
  const setup = new Setup(BOUND, passwords(() => 'x'), {
    virtdomains: 'userid',
    admins: ['boss@a.example', 'cyrus'],
    proxyservers: ['front@b.example'],
  });
  const as = (authcid: string, authzid: string) => said(setup.start('PLAIN'), `${authzid}\0${authcid}\0x`);
  expect(await as('boss@a.example', 'u@a.example')).toBe('u@a.example');
  expect(await as('boss@a.example', 'u@b.example')).toBe('authorizationfailed');
  expect(await as('front@b.example', 'u@b.example')).toBe('u@b.example');
  expect(await as('front@b.example', 'u@a.example')).toBe('authorizationfailed');
  expect(await as('cyrus', 'u@b.example')).toBe('u@b.example');
});

test('loginuseacl asks who administers the INBOX', async () => {
  const settings = makeSettings({ loginuseacl: true });
  const { context } = new Setup(BOUND);
  const authenticator = new Authenticator({
    settings,
    source: passwords(() => 'x'),
    log: createLog({ journal: false, level: 'error', now: () => 'T', write: (bytes) => bytes.length }),
    administersInbox: (userid, target) => Promise.resolve(userid === 'secretary' && target === 'boss'),
    sleep: () => Promise.resolve(),
  });
  const as = (text: string) => said(startSasl('PLAIN', { ...context, settings, authenticator }), text);
  expect(await as('boss\0secretary\0x')).toBe('boss');
  expect(await as('secretary\0boss\0x')).toBe('authorizationfailed');
});

test('the key of the decoys is made once and nobody else may read it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailstore-decoy-'));
  try {
    const path = join(folder, 'lib', 'decoy');
    const salt = Decoy.at(path).salt('x').toString('hex');
    expect(Decoy.at(path).salt('x').toString('hex')).toBe(salt);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path).length).toBe(32);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
