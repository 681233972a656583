/** Who does not exist cannot be told from who gave a wrong password, by any mechanism (FIELD 62): counted, not timed. */

import { expect, test } from 'bun:test';
import { LoginGuard } from '../../src/auth/abuse/guard.ts';
import { type SaslChannel } from '../../src/auth/channel.ts';
import { CLIENT_MECHANISMS } from '../../src/auth/client/mechanisms.ts';
import { Decoy } from '../../src/auth/decoy.ts';
import { Authenticator } from '../../src/auth/login.ts';
import { MECHANISMS } from '../../src/auth/mechanisms.ts';
import { startSasl } from '../../src/auth/sasl.ts';
import { pbkdf2 } from '../../src/crypto.ts';
import { EmbeddedSecrets, makeSecret } from '../../src/auth/secrets/embedded.ts';
import { mechanismsThere } from '../../src/config/options/auth.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { asMailError } from '../../src/errors.ts';
import { silentLog } from '../../src/telemetry/log.ts';

const CHANNEL: SaslChannel = {
  strength: 256,
  external: null,
  binding: (kind) => kind === 'tls-exporter' ? Buffer.alloc(32, 7) : null,
};

const readable = await makeSecret('pencil', true);
const hashed = await makeSecret('pencil', false);

/** Everything that was done for one login that fails, in order. */
async function trace(mechanism: string, user: string): Promise<string[]> {
  const done: string[] = [];
  const settings = makeSettings({ sasl_mech_list: mechanismsThere, servername: 'imap.nausch.org' });
  const source = new EmbeddedSecrets({
    get: (userid) => {
      done.push('lookup');
      const secret = userid === 'django' ? readable : userid === 'inge' ? hashed : undefined;
      return secret === undefined ? null : { userid, secret, changed: 1 };
    },
  }, {
    derive: (password, salt, iterations, length, hash) => {
      done.push(`derive ${salt.length} ${iterations} ${hash}`);
      return pbkdf2(password, salt, iterations, length, hash);
    },
  });
  const authenticator = new Authenticator({
    settings,
    source,
    log: silentLog,
    decoy: new Decoy(Buffer.alloc(32, 1)),
    guard: new LoginGuard({
      settings,
      ask: ({ ask, user: digest, address }) => {
        done.push(`${ask} ${digest.length} ${address}`);
        return Promise.resolve({ blocked: 0, distinct: 1, full: '' });
      },
    }),
    sleep: (ms) => {
      done.push(`sleep ${ms}`);
      return Promise.resolve();
    },
  });
  const origin = {
    protocol: 'imap',
    remoteAddress: '198.51.100.7',
    localAddress: '192.0.2.1',
    secure: true,
    connection: '1',
  };
  const exchange = startSasl(mechanism, { settings, authenticator, origin, channel: CHANNEL });
  const client = CLIENT_MECHANISMS.find(({ name }) => name === mechanism);
  if (client === undefined) throw new Error(`no client for ${mechanism}`);
  const credentials = {
    authcid: user,
    authzid: '',
    password: 'wrong',
    service: 'imap',
    host: 'imap.nausch.org',
    realm: '',
    channel: CHANNEL,
    layers: { least: 0, most: 0 },
  };
  const speaking = client.start(credentials);
  try {
    let response: Uint8Array | null = speaking.initial;
    for (;;) {
      const step = await exchange.step(response);
      if (step.kind === 'done') throw new Error('logged in');
      done.push(`challenge of ${step.challenge.length}`);
      response = speaking.step(step.challenge);
    }
  } catch (thrown) {
    const error = asMailError(thrown);
    done.push(`${error.kind} ${error.code} ${error.message}`);
  }
  return done;
}

const WITH_PASSWORD = MECHANISMS.filter(({ needs }) => needs !== 'nothing' && needs !== 'token');

for (const { name } of WITH_PASSWORD) {
  test(`${name}: the same replies after the same work, whoever is asked for`, async () => {
    const wrong = await trace(name, 'django');
    expect(wrong.at(-1)).toBe('user authenticationfailed authentication failure');
    expect(wrong).toContain('sleep 2000');
    // As long as the name that is there, so that challenges that repeat it are as long.
    expect(await trace(name, 'nobody')).toEqual(wrong);
    // Has no secret that this mechanism can use.
    expect(await trace(name, 'inge')).toEqual(wrong);
    // Can be nobody's name.
    expect(await trace(name, '../../')).toEqual(wrong);
  });
}

test('all mechanisms with a password are among them', () => {
  expect(WITH_PASSWORD.map(({ name }) => name).sort()).toEqual(
    mechanismsThere.filter((name) => !['EXTERNAL', 'ANONYMOUS', 'OAUTHBEARER', 'XOAUTH2'].includes(name))
      .toSorted(),
  );
});
