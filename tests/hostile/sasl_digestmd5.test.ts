/** DIGEST-MD5 against somebody who knows RFC 2831 by heart (FIELD 63): whole exchanges, made by our own client and bent. */

import { expect, test } from 'bun:test';
import { BARE_CHANNEL } from '../../src/auth/channel.ts';
import { clientProof, readResponse, sessionKey } from '../../src/auth/digestmd5/response.ts';
import { Authenticator } from '../../src/auth/login.ts';
import { type SaslContext, type SaslExchange, startSasl } from '../../src/auth/sasl.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { asMailError } from '../../src/errors.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { passwords } from '../auth/passwords.ts';

const REALM = 'imap.nausch.org';
const USERS: Readonly<Record<string, string>> = { django: 'pencil', inge: 'secret', cyrus: 'admin' };

/** One process with its nonces. */
function server(given: Parameters<typeof makeSettings>[0] = {}): () => SaslExchange {
  const settings = makeSettings({
    sasl_mech_list: ['DIGEST-MD5'],
    servername: REALM,
    admins: ['cyrus'],
    ...given,
  });
  const authenticator = new Authenticator({
    settings,
    source: passwords((userid) => USERS[userid]),
    log: silentLog,
    sleep: () => Promise.resolve(),
  });
  const context: SaslContext = {
    settings,
    authenticator,
    channel: BARE_CHANNEL,
    origin: { protocol: 'imap', remoteAddress: '', localAddress: '', secure: false, connection: '1' },
  };
  return () => startSasl('DIGEST-MD5', context);
}

/** What a step came to: who is logged in, the challenge, or the code of the failure. */
async function said(exchange: SaslExchange, response: string | null): Promise<string> {
  try {
    const step = await exchange.step(response === null ? null : Buffer.from(response, 'latin1'));
    return step.kind === 'done' ? step.identity.userid : `challenge ${Buffer.from(step.challenge)}`;
  } catch (thrown) {
    return asMailError(thrown).code;
  }
}

interface Parts {
  readonly nonce: string;
  readonly user?: string;
  readonly password?: string;
  readonly count?: number;
  /** Directives in the place of, or behind, the usual ones. */
  readonly more?: string;
  readonly qop?: string;
}

/** A response that is right for what stands in it. */
function responseTo({ nonce, user = 'django', password, count = 1, more = '', qop = 'auth' }: Parts): string {
  const text = `username="${user}",realm="${REALM}",nonce="${nonce}",cnonce="abc",nc=${
    count.toString(16).padStart(8, '0')
  },digest-uri="imap/x",qop=${qop}${more}`;
  const read = readResponse(Buffer.from(`${text},response=${'0'.repeat(32)}`, 'latin1'));
  const key = sessionKey(read, password ?? USERS[read.username] ?? 'x');
  return `${text},response=${clientProof(read, key)}`;
}

async function nonceOf(exchange: SaslExchange): Promise<string> {
  return /nonce="([^"]+)"/.exec(await said(exchange, null))?.[1] ?? '';
}

test('a response is good for one challenge: not for another, not again, not on another connection', async () => {
  const start = server();
  const exchange = start();
  const response = responseTo({ nonce: await nonceOf(exchange) });
  expect(await said(exchange, response)).toBe('django');
  expect(await said(exchange, response)).toBe('badsyntax');
  const next = start();
  await nonceOf(next);
  expect(await said(next, response)).toBe('badsyntax');
  // Without a challenge it would have to count on: the count was used.
  expect(await said(start(), response)).toContain(',stale=true,');
});

test('counts are taken in order and once (§2.1.2, §2.2)', async () => {
  const start = server();
  const first = start();
  const nonce = await nonceOf(first);
  expect(await said(first, responseTo({ nonce }))).toBe('django');
  expect(await said(start(), responseTo({ nonce, count: 3 }))).toContain('stale=true');
  expect(await said(start(), responseTo({ nonce, count: 2, user: 'inge' }))).toContain('stale=true');
  expect(await said(start(), responseTo({ nonce, count: 2 }))).toBe('django');
  expect(await said(start(), responseTo({ nonce, count: 2 }))).toContain('stale=true');
  expect(await said(start(), responseTo({ nonce, count: 1 }))).toContain('stale=true');
  expect(await said(start(), responseTo({ nonce, count: 3 }))).toBe('django');
  // A count that was taken with a wrong proof is gone, too.
  expect(await said(start(), responseTo({ nonce, count: 4, password: 'x' }))).toBe('authenticationfailed');
  expect(await said(start(), responseTo({ nonce, count: 4 }))).toContain('stale=true');
});

test('a login that failed leaves no nonce to go on with', async () => {
  const start = server();
  const exchange = start();
  const nonce = await nonceOf(exchange);
  expect(await said(exchange, responseTo({ nonce, password: 'x' }))).toBe('authenticationfailed');
  expect(await said(start(), responseTo({ nonce, count: 2 }))).toContain('stale=true');
});

test('protection that was not offered cannot be had, less than is asked for neither', async () => {
  const attempt = async (given: object, qop: string, more = '') => {
    const exchange = server(given)();
    return await said(exchange, responseTo({ nonce: await nonceOf(exchange), qop, more }));
  };
  expect(await attempt({}, 'auth-conf', ',cipher=rc4')).toBe('django');
  expect(await attempt({}, 'auth-conf', ',cipher=rc4-40')).toBe('badsyntax');
  expect(await attempt({ sasl_minimum_layer: 56 }, 'auth')).toBe('badsyntax');
  expect(await attempt({ sasl_minimum_layer: 56 }, 'auth-int')).toBe('badsyntax');
  expect(await attempt({ sasl_maximum_layer: 1 }, 'auth-conf', ',cipher=rc4')).toBe('badsyntax');
  // What protects the exchange is hashed: it cannot be changed behind the client's back.
  const exchange = server()();
  const honest = responseTo({ nonce: await nonceOf(exchange), qop: 'auth-conf', more: ',cipher=rc4' });
  expect(await said(exchange, honest.replace('qop=auth-conf,cipher=rc4', 'qop=auth'))).toBe(
    'authenticationfailed',
  );
});

test('what the client says of realm, service and authorization is checked', async () => {
  const bent = async (change: (text: string) => string) => {
    const exchange = server()();
    return await said(exchange, change(responseTo({ nonce: await nonceOf(exchange) })));
  };
  expect(await bent((text) => text)).toBe('django');
  expect(await bent((text) => text.replace(REALM, 'pop.nausch.org'))).toBe('badsyntax');
  expect(await bent((text) => text.replace(`realm="${REALM}",`, ''))).toBe('badsyntax');
  expect(await bent((text) => text.replace('imap/x', 'ldap/x'))).toBe('badsyntax');
  // Somebody in between who adds an authorization identity does not know the password.
  expect(await bent((text) => `${text},authzid="cyrus"`)).toBe('authenticationfailed');
});

test('a list of ciphers of 64 KB, and a message of it, is refused before it is looked at', async () => {
  const exchange = server()();
  const nonce = await nonceOf(exchange);
  const long = responseTo({ nonce }) + `,x="${'rc4,'.repeat(16_384)}"`;
  expect(await said(exchange, long)).toBe('limit');
  const fits = server()();
  const inBounds = responseTo({ nonce: await nonceOf(fits) }) + `,x="${'rc4,'.repeat(1_200)}"`;
  expect(await said(fits, inBounds)).toBe('badsyntax');
});

test('quoted pairs are one character, never the end of a value', async () => {
  const attempt = async (user: string, more = '') => {
    const exchange = server()();
    return await said(exchange, responseTo({ nonce: await nonceOf(exchange), user, more }));
  };
  // `\d` is d (RFC 2831 §7.2): the same user, said in a roundabout way.
  expect(await attempt('\\d\\jango')).toBe('django');
  // A quote inside ends nothing: this is one user of a strange name, not django with another realm or cyrus.
  expect(await attempt('django\\",username=\\"cyrus')).toBe('authenticationfailed');
  expect(await attempt('cyrus\\"')).toBe('authenticationfailed');
  expect(await attempt('django\\\\')).toBe('authenticationfailed');
  // Twice is never.
  const exchange = server()();
  const nonce = await nonceOf(exchange);
  expect(await said(exchange, `${responseTo({ nonce })},USERNAME="cyrus"`)).toBe('badsyntax');
  const open = server()();
  const text = responseTo({ nonce: await nonceOf(open) });
  expect(await said(open, text.replace('username="django"', 'username="django\\"'))).toBe('badsyntax');
});
