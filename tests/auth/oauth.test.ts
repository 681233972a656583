/** Access tokens: what is believed of them, and what the mechanisms say (FIELD 68). */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { BARE_CHANNEL } from '../../src/auth/channel.ts';
import { Authenticator } from '../../src/auth/login.ts';
import { jwtCheck } from '../../src/auth/oauth/jwt.ts';
import { remoteKeys } from '../../src/auth/oauth/keys.ts';
import { introspection } from '../../src/auth/oauth/introspection.ts';
import { remembered } from '../../src/auth/oauth/remembered.ts';
import { configuredTokens } from '../../src/auth/oauth/tokens.ts';
import { startSasl } from '../../src/auth/sasl.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { asMailError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { passwords } from './passwords.ts';

const ISSUER = 'https://idp.example.org/realms/mail';
const AUDIENCE = 'mailstore';

const keys = await generateKeyPair('RS256');
const others = await generateKeyPair('RS256');
const elliptic = await generateKeyPair('ES256');
const edwards = await generateKeyPair('EdDSA');
const jwks = {
  keys: [
    { ...await exportJWK(keys.publicKey), kid: 'one', alg: 'RS256', use: 'sig' },
    { ...await exportJWK(elliptic.publicKey), kid: 'two', alg: 'ES256' },
    { ...await exportJWK(edwards.publicKey), kid: 'three', alg: 'EdDSA' },
  ],
};

/** What an identity provider of the test's own answers, and how often it was asked. */
const provider = { asked: 0, status: 200, jwks: jwks as unknown, body: '', answer: {} as object, seen: '' };
let server: ReturnType<typeof Bun.serve>;
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'mailstore-oauth-'));
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      provider.asked++;
      const { pathname } = new URL(request.url);
      if (pathname === '/moved') return Response.redirect('/jwks');
      if (provider.status !== 200) return new Response('no', { status: provider.status });
      if (pathname === '/introspect') {
        provider.seen = `${request.headers.get('authorization')} ${await request.text()}`;
        return Response.json(provider.answer);
      }
      return provider.body === '' ? Response.json(provider.jwks) : new Response(provider.body);
    },
  });
});
afterAll(async () => {
  await server.stop(true);
  rmSync(dir, { recursive: true, force: true });
});

const address = (path: string) => `http://127.0.0.1:${server.port}${path}`;

function settingsFor(given: Parameters<typeof makeSettings>[0] = {}) {
  return makeSettings({
    oauth_jwks_url: address('/jwks'),
    oauth_issuer: ISSUER,
    oauth_audience: [AUDIENCE],
    allowplaintext: true,
    ...given,
  });
}

interface Claims {
  readonly iss?: string;
  readonly aud?: string | string[];
  readonly exp?: number | null;
  readonly nbf?: number;
  readonly [name: string]: unknown;
}

const seconds = () => Math.floor(Date.now() / 1000);

/** A token of the provider's, unless it is told otherwise. */
async function token(
  claims: Claims = {},
  header: { alg?: string; kid?: string; [name: string]: unknown } = {},
  key: CryptoKey | Uint8Array = keys.privateKey,
): Promise<string> {
  const { exp = seconds() + 300, ...rest } = claims;
  const payload = { iss: ISSUER, aud: AUDIENCE, email: 'django', ...rest, ...(exp === null ? {} : { exp }) };
  return await new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key);
}

describe('a JWT', () => {
  test('that is good names its user', async () => {
    const tokens = configuredTokens(settingsFor());
    expect(await tokens.userOf(await token())).toBe('django');
    expect(await tokens.userOf(await token({ aud: ['other', AUDIENCE] }))).toBe('django');
    expect(await tokens.userOf(await token({}, { alg: 'ES256', kid: 'two' }, elliptic.privateKey))).toBe(
      'django',
    );
    expect(await tokens.userOf(await token({}, { alg: 'EdDSA', kid: 'three' }, edwards.privateKey))).toBe(
      'django',
    );
    const byName = configuredTokens(settingsFor({ oauth_user_claim: 'preferred_username' }));
    expect(await byName.userOf(await token({ preferred_username: 'inge' }))).toBe('inge');
  });

  const now = seconds();
  const bad: Readonly<Record<string, () => Promise<string>>> = {
    'of another issuer': () => token({ iss: 'https://evil.example.org' }),
    'for another audience': () => token({ aud: 'webshop' }),
    'for no audience': () => token({ aud: [] }),
    'that has ended': () => token({ exp: now - 120 }),
    'that never ends': () => token({ exp: null }),
    'that is not valid yet': () => token({ nbf: now + 120 }),
    'signed with another key': () => token({}, {}, others.privateKey),
    'signed with a key nobody knows': () => token({}, { kid: 'unknown' }, others.privateKey),
    'whose kid is a path (CVE-2021-29157)': () =>
      token({}, { kid: '../../../../etc/passwd' }, others.privateKey),
    'that says where its key is': () => token({}, { kid: 'x', jku: address('/jwks') }, others.privateKey),
    'without a signature': () =>
      Promise.resolve(
        new UnsecuredJWT({ email: 'django' }).setIssuer(ISSUER).setAudience(AUDIENCE).setExpirationTime('5m')
          .encode(),
      ),
    'signed with the public key as a secret': async () => {
      const { n = '' } = await exportJWK(keys.publicKey);
      return await token({}, { alg: 'HS256' }, Buffer.from(n, 'base64url'));
    },
    'with an algorithm that is not on the list': () =>
      token({}, { alg: 'RS512' }, keys.privateKey).catch(() => 'a.b.c'),
    'without a user': () => token({ email: undefined }),
    'whose user is no text': () => token({ email: { $ne: '' } }),
    'that was changed': async () => {
      const [header, , signature] = (await token()).split('.');
      const payload = { iss: ISSUER, aud: AUDIENCE, email: 'inge', exp: now + 300 };
      return `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`;
    },
    'that is none': () => Promise.resolve('not-a-token'),
  };
  for (const [what, make] of Object.entries(bad)) {
    test(`${what} is refused`, async () => {
      expect(await configuredTokens(settingsFor()).userOf(await make())).toBeNull();
    });
  }

  test('is given the clock skew that is configured, and no more', async () => {
    const tokens = configuredTokens(settingsFor({ oauth_clock_skew: 60 }));
    expect(await tokens.userOf(await token({ exp: seconds() - 30, nbf: seconds() + 30 }))).toBe('django');
    const strict = configuredTokens(settingsFor({ oauth_clock_skew: 0 }));
    expect(await strict.userOf(await token({ exp: seconds() - 1 }))).toBeNull();
  });

  test('must have the scopes that are asked for', async () => {
    const tokens = configuredTokens(settingsFor({ oauth_scope: ['imap', 'email'] }));
    expect(await tokens.userOf(await token({ scope: 'openid email imap' }))).toBe('django');
    expect(await tokens.userOf(await token({ scp: ['email', 'imap'] }))).toBe('django');
    expect(await tokens.userOf(await token({ scope: 'imaps email' }))).toBeNull();
    expect(await tokens.userOf(await token())).toBeNull();
  });

  test('is checked by the keys of a file, as it is now', async () => {
    const file = join(dir, 'jwks.json');
    const tokens = configuredTokens(settingsFor({ oauth_jwks_url: '', oauth_jwks_file: file }));
    const unavailable = (run: Promise<unknown>) =>
      run.then(() => 'answered', (error) => asMailError(error).code);
    expect(await unavailable(tokens.userOf(await token()))).toBe('unavailable');
    writeFileSync(file, JSON.stringify({ keys: [] }));
    expect(await tokens.userOf(await token())).toBeNull();
    writeFileSync(file, JSON.stringify(jwks));
    expect(await tokens.userOf(await token())).toBe('django');
  });
});

describe('the keys of a provider', () => {
  test('are fetched once, and anew for a key that is not there, but not for each', async () => {
    let now = 0;
    const source = remoteKeys(address('/jwks'), '', () => now * 1000);
    const check = jwtCheck(settingsFor(), source);
    provider.asked = 0;
    for (let round = 0; round < 5; round++) expect(await check(await token())).not.toBeNull();
    expect(provider.asked).toBe(1);
    now = limits.jwks_pause.value + 1;
    for (let round = 0; round < 20; round++) {
      expect(await check(await token({}, { kid: `k${round}` }, others.privateKey))).toBeNull();
    }
    expect(provider.asked).toBe(2);
    // The provider changes its key.
    const fresh = { ...await exportJWK(others.publicKey), kid: 'new', alg: 'RS256' };
    provider.jwks = { keys: [...jwks.keys, fresh] };
    const changed = await token({}, { kid: 'new' }, others.privateKey);
    expect(await check(changed)).toBeNull();
    now += limits.jwks_pause.value + 1;
    expect(await check(changed)).not.toBeNull();
    // Down: what is known stays.
    provider.status = 500;
    now += limits.jwks_life.value + 1;
    expect(await check(changed)).not.toBeNull();
    provider.status = 200;
    provider.jwks = jwks;
  });

  const odd: Readonly<Record<string, () => string>> = {
    'a provider that is away': () => 'http://127.0.0.1:1/jwks',
    'a redirection': () => address('/moved'),
    'what is no JSON': () => (provider.body = '<html>', address('/jwks')),
    'what is no set of keys': () => (provider.body = '{"keys":5}', address('/jwks')),
    'too many keys': () => {
      provider.body = JSON.stringify({
        keys: Array.from({ length: limits.jwks_keys.value + 1 }, () => jwks.keys[0]),
      });
      return address('/jwks');
    },
    'too much': () => (provider.body = ' '.repeat(limits.oauth_bytes.value + 1), address('/jwks')),
  };
  for (const [what, make] of Object.entries(odd)) {
    test(`${what} is no answer about a token`, async () => {
      const tokens = configuredTokens(settingsFor({ oauth_jwks_url: make() }));
      const code = await tokens.userOf(await token()).then(
        () => 'answered',
        (error) => asMailError(error).code,
      );
      provider.body = '';
      expect(code).toBe('unavailable');
    });
  }
});

describe('introspection', () => {
  const asking = (given: Parameters<typeof makeSettings>[0] = {}) => {
    const file = join(dir, 'secret');
    writeFileSync(file, 's&cret\n');
    return configuredTokens(settingsFor({
      oauth_jwks_url: '',
      oauth_introspection_url: address('/introspect'),
      oauth_client_id: 'mail store',
      oauth_client_secret_file: file,
      ...given,
    }));
  };

  test('believes what is active, for us, and of now', async () => {
    provider.answer = { active: true, email: 'django' };
    expect(await asking().userOf('opaque')).toBe('django');
    expect(provider.seen).toBe(
      `Basic ${
        Buffer.from('mail+store:s%26cret').toString('base64')
      } token=opaque&token_type_hint=access_token`,
    );
    for (
      const [answer, user] of [
        [{ active: true, email: 'django', iss: ISSUER, aud: [AUDIENCE], exp: seconds() + 9 }, 'django'],
        [{ active: false, email: 'django' }, null],
        [{ active: 'true', email: 'django' }, null],
        [{ active: true }, null],
        [{ active: true, email: 'django', iss: 'https://evil.example.org' }, null],
        [{ active: true, email: 'django', aud: 'webshop' }, null],
        [{ active: true, email: 'django', exp: seconds() - 120 }, null],
        [{ active: true, email: 'django', nbf: seconds() + 120 }, null],
        [[], null],
      ] as const
    ) {
      provider.answer = answer;
      expect([answer, await asking().userOf('opaque')]).toEqual([answer, user]);
    }
  });

  test('besides keys notices what was revoked, and a token of somebody else', async () => {
    const both = asking({ oauth_jwks_url: address('/jwks'), oauth_introspection_cache: 0 });
    const good = await token();
    provider.answer = { active: true, email: 'django' };
    expect(await both.userOf(good)).toBe('django');
    provider.answer = { active: false };
    expect(await both.userOf(good)).toBeNull();
    provider.answer = { active: true, email: 'inge' };
    expect(await both.userOf(good)).toBeNull();
  });

  test('is asked once for a while about a token that is good, and again soon about one that is not', async () => {
    const time = { now: 0, day: seconds() };
    const check = introspection(
      settingsFor({ oauth_introspection_url: address('/introspect'), oauth_clock_skew: 0 }),
      '',
      '',
      () => time.day * 1000,
      () => time.now,
    );
    const pass = (wait: number) => (time.now += wait * 1000, time.day += wait);
    const asked = async (token: string) => {
      provider.asked = 0;
      const claims = await check(token);
      return [claims === null ? 'no' : claims['email'], provider.asked];
    };
    provider.answer = { active: true, email: 'django' };
    expect(await asked('one')).toEqual(['django', 1]);
    expect(await asked('one')).toEqual(['django', 0]);
    expect(await asked('two')).toEqual(['django', 1]);
    pass(59);
    expect(await asked('one')).toEqual(['django', 0]);
    // Withdrawn: noticed when the minute is over.
    provider.answer = { active: false };
    pass(1);
    expect(await asked('one')).toEqual(['no', 1]);
    expect(await asked('one')).toEqual(['no', 0]);
    provider.answer = { active: true, email: 'django', exp: time.day + 15 };
    pass(limits.oauth_refused_seconds.value);
    expect(await asked('one')).toEqual(['django', 1]);
    // Its own end comes before that of the minute.
    pass(9);
    expect(await asked('one')).toEqual(['django', 0]);
    pass(1);
    expect(await asked('one')).toEqual(['no', 0]);
    // At once is once; what could not be told is asked again.
    provider.answer = { active: true, email: 'inge' };
    provider.asked = 0;
    const many = await Promise.all(Array.from({ length: 20 }, () => check('three')));
    expect([many.every((claims) => claims?.['email'] === 'inge'), provider.asked]).toEqual([true, 1]);
    provider.status = 503;
    for (let time = 0; time < 2; time++) {
      provider.asked = 0;
      expect(await check('four').then(() => '', (error) => asMailError(error).code)).toBe('unavailable');
      expect(provider.asked).toBe(1);
    }
    provider.status = 200;
  });

  test('keeps no more than its bound, and good tokens apart from others', async () => {
    let asked = 0;
    const check = remembered(
      (token) => {
        asked++;
        return Promise.resolve(token.startsWith('good') ? { sub: token } : null);
      },
      () => true,
      60,
      () => 0,
    );
    await check('good0');
    for (let index = 0; index < limits.oauth_cache_entries.value + 10; index++) await check(`bad${index}`);
    asked = 0;
    expect(await check('good0')).toEqual({ sub: 'good0' });
    expect(asked).toBe(0);
    expect(await check('bad0')).toBeNull();
    expect(asked).toBe(1);
    for (let index = 1; index <= limits.oauth_cache_entries.value; index++) await check(`good${index}`);
    asked = 0;
    await check('good0');
    expect(asked).toBe(1);
  });

  test('never sends what cannot be a token', async () => {
    provider.asked = 0;
    for (const odd of ['', 'a b', 'a&token=b', 'ä', 'a\r\nb']) expect(await asking().userOf(odd)).toBeNull();
    expect(provider.asked).toBe(0);
  });

  test('that fails is no answer about a token', async () => {
    provider.status = 503;
    const code = await asking().userOf('opaque').then(() => 'answered', (error) => asMailError(error).code);
    provider.status = 200;
    expect(code).toBe('unavailable');
  });
});

describe('the mechanisms', () => {
  /** What the server says to the messages of a client: challenges, then who is in, or the code of the failure. */
  async function say(mechanism: string, messages: readonly string[], given = {}): Promise<string[]> {
    const settings = settingsFor(given);
    const authenticator = new Authenticator({
      settings,
      source: passwords(() => undefined),
      tokens: {
        userOf: (shown) =>
          shown === 'down'
            ? Promise.reject(asMailError(new Error('down')))
            : Promise.resolve(shown === 'good' ? 'django' : null),
      },
      log: silentLog,
      sleep: () => Promise.resolve(),
    });
    const origin = { protocol: 'imap', remoteAddress: '', localAddress: '', secure: true, connection: '1' };
    const said: string[] = [];
    try {
      const exchange = startSasl(mechanism, { settings, authenticator, origin, channel: BARE_CHANNEL });
      for (const message of messages) {
        const step = await exchange.step(Buffer.from(message));
        said.push(step.kind === 'done' ? step.identity.userid : Buffer.from(step.challenge).toString());
      }
    } catch (thrown) {
      said.push(asMailError(thrown).code);
    }
    return said;
  }

  test('take what Roundcube, curl and RFC 7628 §4.1 send', async () => {
    for (
      const message of [
        'n,a=django,\x01auth=Bearer good\x01\x01',
        'n,a=django,\x01host=imap.example.org\x01port=993\x01auth=Bearer good\x01\x01',
        'n,,\x01auth=bearer good\x01\x01',
        'y,a=django,\x01auth=Bearer good\x01host=localhost\x01\x01',
      ]
    ) expect([message, await say('OAUTHBEARER', [message])]).toEqual([message, ['django']]);
    expect(await say('XOAUTH2', ['user=django\x01auth=Bearer good\x01\x01'])).toEqual(['django']);
  });

  test('tell of a token that is not good, then fail', async () => {
    const given = {
      oauth_scope: ['imap'],
      oauth_openid_configuration: 'https://idp.example.org/.well-known/openid-configuration',
    };
    expect(await say('OAUTHBEARER', ['n,a=django,\x01auth=Bearer bad\x01\x01', '\x01', '\x01'], given))
      .toEqual([
        '{"status":"invalid_token","scope":"imap",' +
        '"openid-configuration":"https://idp.example.org/.well-known/openid-configuration"}',
        'authenticationfailed',
      ]);
    expect(await say('XOAUTH2', ['user=django\x01auth=Bearer bad\x01\x01', ''])).toEqual([
      '{"status":"401","schemes":"bearer"}',
      'authenticationfailed',
    ]);
    // A good token does not follow a bad one in the same exchange.
    const bad = 'user=django\x01auth=Bearer bad\x01\x01';
    expect((await say('XOAUTH2', [bad, bad.replace('bad', 'good')])).at(-1)).toBe('authenticationfailed');
  });

  test('let nobody act for others, but administrators', async () => {
    const message = 'n,a=inge,\x01auth=Bearer good\x01\x01';
    expect((await say('OAUTHBEARER', [message, '\x01'])).at(-1)).toBe('authorizationfailed');
    expect(await say('OAUTHBEARER', [message], { admins: ['django'] })).toEqual(['inge']);
  });

  test('a provider that does not answer is a temporary failure', async () => {
    expect(await say('OAUTHBEARER', ['n,,\x01auth=Bearer down\x01\x01'])).toEqual(['unavailable']);
  });

  test('are not there without a provider', async () => {
    expect(await say('OAUTHBEARER', [''], { oauth_jwks_url: '' })).toEqual(['cannot']);
  });

  test('what is malformed is a syntax error', async () => {
    for (
      const message of [
        '',
        '\x01',
        'n,a=django,auth=Bearer good',
        'n,a=django,\x01auth=Bearer good\x01',
        'n,a=django,\x01auth=Basic good\x01\x01',
        'n,a=django,\x01auth=Bearer \x01\x01',
        'n,a=django,\x01auth=Bearer good\x01auth=Bearer bad\x01\x01',
        'n,a=django,\x01=x\x01auth=Bearer good\x01\x01',
        'p=tls-exporter,a=django,\x01auth=Bearer good\x01\x01',
        'n,a=dja=ngo,\x01auth=Bearer good\x01\x01',
        'a=django,\x01auth=Bearer good\x01\x01',
      ]
    ) expect([message, await say('OAUTHBEARER', [message])]).toEqual([message, ['badsyntax']]);
  });
});
