import { describe, expect, test } from 'bun:test';
import { BARE_CHANNEL, type SaslChannel } from '../../src/auth/channel.ts';
import type { ClientCredentials } from '../../src/auth/client/mechanism.ts';
import { CLIENT_MECHANISMS, clientMechanism } from '../../src/auth/client/mechanisms.ts';
import { Authenticator } from '../../src/auth/login.ts';
import { MECHANISMS } from '../../src/auth/mechanisms.ts';
import { type SaslContext, startSasl } from '../../src/auth/sasl.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { asMailError } from '../../src/errors.ts';
import type { SecurityLayer } from '../../src/net/layer.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { passwords } from './passwords.ts';

const BOUND: SaslChannel = {
  strength: 256,
  external: 'django',
  binding: (kind) => kind === 'tls-exporter' ? Buffer.alloc(32, 7) : null,
};

function server(channel: SaslChannel, given: Parameters<typeof makeSettings>[0] = {}): SaslContext {
  const settings = makeSettings({
    sasl_mech_list: MECHANISMS.map(({ name }) => name),
    servername: 'imap.nausch.org',
    allowanonymouslogin: true,
    allowplaintext: true,
    oauth_introspection_url: 'https://idp.example.org/introspect',
    ...given,
  });
  return {
    settings,
    authenticator: new Authenticator({
      settings,
      source: passwords((userid) => userid === 'django' ? 'pencil' : undefined),
      tokens: { userOf: (token) => Promise.resolve(token === 'pencil' ? 'django' : null) },
      log: silentLog,
      sleep: () => Promise.resolve(),
    }),
    origin: {
      protocol: 'imap',
      remoteAddress: '',
      localAddress: '',
      secure: channel.strength > 0,
      connection: '1',
    },
    channel,
  };
}

interface Ended {
  readonly who: string;
  readonly ours?: SecurityLayer | undefined;
  readonly theirs?: SecurityLayer | undefined;
}

/** A whole login, client and server in one process. */
async function login(
  name: string,
  context: SaslContext,
  as: Partial<ClientCredentials> = {},
): Promise<Ended> {
  const client = clientMechanism(name)?.start({
    authcid: 'django',
    authzid: '',
    password: 'pencil',
    service: 'imap',
    host: 'localhost',
    realm: '',
    channel: context.channel,
    layers: { least: 0, most: 256 },
    ...as,
  });
  if (client === undefined) throw new Error(name);
  try {
    const exchange = startSasl(name, context);
    let step = await exchange.step(client.initial);
    while (step.kind === 'challenge') step = await exchange.step(client.step(step.challenge));
    if (step.final !== undefined) client.step(step.final);
    expect(client.done).toBe(true);
    return { who: step.identity.userid, ours: client.layer, theirs: step.layer };
  } catch (thrown) {
    return { who: asMailError(thrown).code };
  }
}

describe('every mechanism of the client', () => {
  test('is one of the server, and the other way round', () => {
    expect(CLIENT_MECHANISMS.map(({ name }) => name).sort()).toEqual(
      MECHANISMS.map(({ name }) => name).sort(),
    );
  });

  for (const { name } of CLIENT_MECHANISMS) {
    test(`${name}: gets in, and not with a wrong password`, async () => {
      const context = server(BOUND);
      expect((await login(name, context)).who).toBe(name === 'ANONYMOUS' ? 'anonymous' : 'django');
      if (name === 'ANONYMOUS' || name === 'EXTERNAL') return;
      expect((await login(name, context, { password: 'pen' })).who).toBe('authenticationfailed');
      // Whose a token is stands in it: who else it is shown for, it cannot act for.
      const token = name === 'OAUTHBEARER' || name === 'XOAUTH2';
      expect((await login(name, context, { authcid: 'nobody' })).who)
        .toBe(token ? 'authorizationfailed' : 'authenticationfailed');
    });
  }

  for (
    const name of ['PLAIN', 'DIGEST-MD5', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'OAUTHBEARER', 'EXTERNAL']
  ) {
    test(`${name}: acts for others where it may`, async () => {
      expect((await login(name, server(BOUND), { authzid: 'inge' })).who).toBe('authorizationfailed');
      expect((await login(name, server(BOUND, { admins: ['django'] }), { authzid: 'inge' })).who).toBe(
        'inge',
      );
    });
  }
});

describe('DIGEST-MD5', () => {
  for (const most of [128, 112, 56, 40, 1, 0]) {
    test(`both ends have the same layer of at most ${most} bits`, async () => {
      const context = server(BARE_CHANNEL, {
        sasl_digest_ciphers: ['rc4', '3des', 'rc4-56', 'des', 'rc4-40'],
      });
      const { who, ours, theirs } = await login('DIGEST-MD5', context, { layers: { least: 0, most } });
      expect(who).toBe('django');
      expect([ours?.strength ?? 0, theirs?.strength ?? 0]).toEqual([most, most]);
      if (ours === undefined || theirs === undefined) return;
      expect(theirs.unwrap(ours.wrap(Buffer.from('a1 NOOP\r\n'))).toString()).toBe('a1 NOOP\r\n');
      expect(ours.unwrap(theirs.wrap(Buffer.from('a1 OK\r\n'))).toString()).toBe('a1 OK\r\n');
    });
  }

  test('what is not offered is not taken', async () => {
    const context = server(BARE_CHANNEL, { sasl_maximum_layer: 0 });
    expect((await login('DIGEST-MD5', context, { layers: { least: 1, most: 256 } })).who).toBe('cannot');
  });
});

describe('a server that does not know the password is not believed', () => {
  const credentials: ClientCredentials = {
    authcid: 'django',
    authzid: '',
    password: 'pencil',
    service: 'ldap',
    host: 'h',
    realm: '',
    channel: BARE_CHANNEL,
    layers: { least: 0, most: 0 },
  };

  test('DIGEST-MD5', () => {
    const client = clientMechanism('digest-md5')?.start(credentials);
    client?.step(Buffer.from('realm="a",realm="b",nonce="n",algorithm=md5-sess'));
    expect(client?.done).toBe(false);
    expect(() => client?.step(Buffer.from(`rspauth=${'0'.repeat(32)}`))).toThrow('does not prove');
  });

  test('SCRAM', () => {
    const client = clientMechanism('scram-sha-256')?.start(credentials);
    const nonce = /r=(.*)$/.exec(Buffer.from(client?.initial ?? []).toString())?.[1];
    expect(() => client?.step(Buffer.from('r=other,s=QUJD,i=4096'))).toThrow();
    expect(() => client?.step(Buffer.from(`r=${nonce}x,s=QUJD,i=999999999`))).toThrow();
    client?.step(Buffer.from(`r=${nonce}x,s=QUJD,i=4096`));
    expect(() => client?.step(Buffer.from('v=QUJD'))).toThrow('does not prove');
  });
});
