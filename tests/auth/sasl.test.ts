import { describe, expect, test } from 'bun:test';
import { Authenticator, type LoginAttempt } from '../../src/auth/login.ts';
import {
  decodeResponse,
  encodeChallenge,
  loginAllowed,
  offered,
  plaintextAllowed,
  type SaslContext,
  type SaslExchange,
  startSasl,
  whyNot,
} from '../../src/auth/sasl.ts';
import { BARE_CHANNEL } from '../../src/auth/channel.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { MECHANISMS } from '../../src/auth/mechanisms.ts';
import { cramMd5 } from '../../src/auth/mechanisms/crammd5.ts';
import { mechanismsThere } from '../../src/config/options/auth.ts';
import { MailError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { passwords } from './passwords.ts';

type Given = Parameters<typeof makeSettings>[0];

/** A context that lets bob in with pencil and writes down what was tried. */
function context(given: Given = {}, secure = true): SaslContext & { tried: LoginAttempt[] } {
  const settings = makeSettings({ admins: ['cyrus'], ...given });
  const tried: LoginAttempt[] = [];
  const source = passwords(() => 'pencil');
  class Recording extends Authenticator {
    override authenticate(attempt: LoginAttempt) {
      tried.push(attempt);
      return super.authenticate(attempt);
    }
  }
  const authenticator = new Recording({ settings, source, log: silentLog, sleep: () => Promise.resolve() });
  const origin = {
    protocol: 'imap',
    remoteAddress: '198.51.100.7',
    localAddress: '127.0.0.1',
    secure,
    connection: '1',
  };
  return { settings, authenticator, origin, channel: { ...BARE_CHANNEL, strength: secure ? 256 : 0 }, tried };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

async function challenge(exchange: SaslExchange, response: Uint8Array | null): Promise<string> {
  const step = await exchange.step(response);
  if (step.kind !== 'challenge') throw new Error('done too early');
  return Buffer.from(step.challenge).toString();
}

async function identity(exchange: SaslExchange, response: Uint8Array): Promise<string> {
  const step = await exchange.step(response);
  if (step.kind !== 'done') throw new Error('asked for more');
  return step.identity.userid;
}

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (thrown) {
    if (thrown instanceof MailError) return thrown.code;
    throw thrown;
  }
  return 'no error';
}

describe('what is offered', () => {
  test('mechanisms with passwords only with TLS or where allowplaintext says so', () => {
    const sent = ['PLAIN', 'LOGIN'];
    expect(offered(context())).toEqual(['SCRAM-SHA-256', 'SCRAM-SHA-1', ...sent]);
    expect(offered(context({}, false))).toEqual(['SCRAM-SHA-256', 'SCRAM-SHA-1']);
    expect(offered(context({ allowplaintext: true }, false))).toEqual([
      'SCRAM-SHA-256',
      'SCRAM-SHA-1',
      ...sent,
    ]);
    expect(plaintextAllowed(makeSettings({}), false)).toBe(false);
    expect(plaintextAllowed(makeSettings({}), true)).toBe(true);
  });

  test('nothing at all without TLS where tls.required says so, but for unix sockets', async () => {
    const given: Given = {
      tls_required: true,
      allowplaintext: true,
      sasl_mech_list: ['DIGEST-MD5', 'PLAIN'],
    };
    const bare = context(given, false);
    expect(offered(bare)).toEqual([]);
    expect(loginAllowed(bare)).toBe(false);
    expect(await codeOf(() => startSasl('DIGEST-MD5', bare))).toBe('privacyrequired');
    expect(offered(context(given)).length).toBe(2);
    expect(loginAllowed(context(given))).toBe(true);
    expect(offered({ ...bare, origin: { ...bare.origin, remoteAddress: '' } }).length).toBe(2);
  });

  test('only what the administrator lists', () => {
    expect(offered(context({ sasl_mech_list: ['LOGIN'] }))).toEqual(['LOGIN']);
    expect(offered(context({ sasl_mech_list: ['DIGEST-MD5'] }, false))).toEqual(['DIGEST-MD5']);
  });

  test('only what the sources of secrets can serve', () => {
    const all = { sasl_mech_list: ['SCRAM-SHA-1', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN'] };
    const given = context(all);
    expect(offered(given)).toEqual(['SCRAM-SHA-1', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN']);
    const blind = new Authenticator({
      settings: given.settings,
      source: { ...passwords(() => 'pencil'), abilities: { plain: false, scram: false } },
      log: silentLog,
    });
    expect(offered({ ...given, authenticator: blind })).toEqual(['PLAIN']);
    expect(whyNot(cramMd5, { ...given, authenticator: blind })).toBe(
      'no source of secrets hands out passwords',
    );
  });

  test('only what reaches sasl_minimum_layer, TLS counted in', () => {
    const given = {
      sasl_minimum_layer: 56,
      sasl_mech_list: ['DIGEST-MD5', 'CRAM-MD5', 'PLAIN'],
      allowplaintext: true,
    };
    expect(offered(context(given, false))).toEqual(['DIGEST-MD5']);
    expect(offered(context(given, true))).toEqual(['DIGEST-MD5', 'CRAM-MD5', 'PLAIN']);
    expect(loginAllowed(context(given, false))).toBe(false);
    expect(loginAllowed(context(given, true))).toBe(true);
  });

  test('EXTERNAL, ANONYMOUS and channel binding only where there is something to go by', () => {
    const given = context({ sasl_mech_list: ['EXTERNAL', 'ANONYMOUS', 'SCRAM-SHA-256-PLUS'] });
    expect(offered(given)).toEqual([]);
    const channel = { strength: 256, external: 'bob', binding: () => Buffer.alloc(32) };
    expect(offered({ ...given, channel })).toEqual(['EXTERNAL', 'SCRAM-SHA-256-PLUS']);
    expect(offered(context({ sasl_mech_list: ['ANONYMOUS'], allowanonymouslogin: true }))).toEqual([
      'ANONYMOUS',
    ]);
  });

  test('the configuration names the mechanisms there are', () => {
    expect(mechanismsThere).toEqual(MECHANISMS.map(({ name }) => name));
  });

  test('what is not offered cannot be started', async () => {
    expect(await codeOf(() => startSasl('PLAIN', context({}, false)))).toBe('privacyrequired');
    expect(await codeOf(() => startSasl('LOGIN', context({ sasl_mech_list: ['PLAIN'] })))).toBe('cannot');
    expect(await codeOf(() => startSasl('LOGIN', context({ sasl_mech_list: ['PLAIN'] }, false)))).toBe(
      'cannot',
    );
    for (
      const name of [
        '',
        'CRAM-MD5',
        'DIGEST-MD5',
        'ANONYMOUS',
        'EXTERNAL',
        'toString',
        '__proto__',
        'PLAIN ',
        'x'.repeat(9999),
      ]
    ) {
      expect(await codeOf(() => startSasl(name, context()))).toBe('cannot');
    }
    startSasl('plain', context());
  });
});

describe('PLAIN', () => {
  test('with an initial response', async () => {
    expect(await identity(startSasl('PLAIN', context()), bytes('\0bob\0pencil'))).toBe('bob');
  });

  test('asked for by an empty challenge', async () => {
    const exchange = startSasl('PLAIN', context());
    expect(await challenge(exchange, null)).toBe('');
    expect(await identity(exchange, bytes('\0bob\0pencil'))).toBe('bob');
  });

  test('hands on who and as whom', async () => {
    const setting = context();
    expect(await identity(startSasl('PLAIN', setting), bytes('bob\0cyrus\0pencil'))).toBe('bob');
    expect(setting.tried[0]).toMatchObject({
      mechanism: 'PLAIN',
      authzid: 'bob',
      authcid: 'cyrus',
      password: 'pencil',
    });
  });

  test('takes 255 bytes of each and Unicode (RFC 4616 §2)', async () => {
    const setting = context();
    const long = 'ü'.repeat(127);
    await codeOf(() => startSasl('PLAIN', setting).step(bytes(`${long}\0${long}\0${long}`)));
    expect(setting.tried[0]).toMatchObject({ authzid: long, authcid: long, password: long });
  });

  test('malformed messages are answered as such and reach no source', async () => {
    const setting = context();
    for (const bad of ['', 'bob', '\0', 'bob\0pencil', '\0bob\0pen\0cil', '\0\0\0', '\0bob\0pencil\0']) {
      expect([bad, await codeOf(() => startSasl('PLAIN', setting).step(bytes(bad)))]).toEqual([
        bad,
        'badsyntax',
      ]);
    }
    expect(await codeOf(() => startSasl('PLAIN', setting).step(Uint8Array.of(0, 0xff, 0xfe, 0, 0x41)))).toBe(
      'badsyntax',
    );
    expect(setting.tried).toEqual([]);
  });

  test('without user or password it fails like any other', async () => {
    for (const bad of ['\0\0', '\0bob\0', '\0\0wrong', 'eve\0\0']) {
      expect(await codeOf(() => startSasl('PLAIN', context()).step(bytes(bad)))).toBe('authenticationfailed');
    }
  });
});

describe('LOGIN', () => {
  test('asks for the user, then for the password', async () => {
    const exchange = startSasl('LOGIN', context());
    expect(await challenge(exchange, null)).toBe('Username:');
    expect(await challenge(exchange, bytes('bob'))).toBe('Password:');
    expect(await identity(exchange, bytes('pencil'))).toBe('bob');
  });

  test('takes the user as initial response', async () => {
    const exchange = startSasl('LOGIN', context());
    expect(await challenge(exchange, bytes('bob'))).toBe('Password:');
    expect(await identity(exchange, bytes('pencil'))).toBe('bob');
  });

  test('wrong and malformed', async () => {
    const exchange = startSasl('LOGIN', context());
    await exchange.step(bytes('bob'));
    expect(await codeOf(() => exchange.step(bytes('wrong')))).toBe('authenticationfailed');
    const other = startSasl('LOGIN', context());
    expect(await codeOf(() => other.step(Uint8Array.of(0xff)))).toBe('badsyntax');
    const empty = startSasl('LOGIN', context());
    await empty.step(bytes(''));
    expect(await codeOf(() => empty.step(bytes('')))).toBe('authenticationfailed');
  });
});

describe('an exchange', () => {
  test('is over after success and after failure', async () => {
    for (
      const [response, result] of [['\0bob\0pencil', 'no error'], ['\0bob\0wrong', 'authenticationfailed'], [
        'bad',
        'badsyntax',
      ]]
    ) {
      const exchange = startSasl('PLAIN', context());
      expect(await codeOf(() => exchange.step(bytes(response as string)))).toBe(result as string);
      expect(await codeOf(() => exchange.step(bytes('\0bob\0pencil')))).toBe('badsyntax');
    }
  });

  test('takes one response at a time', async () => {
    const setting = context();
    const exchange = startSasl('PLAIN', setting);
    const first = exchange.step(bytes('\0bob\0pencil'));
    expect(await codeOf(() => exchange.step(bytes('\0bob\0pencil')))).toBe('badsyntax');
    expect((await first).kind).toBe('done');
    expect(setting.tried.length).toBe(1);
  });

  test('has no second beginning', async () => {
    const exchange = startSasl('LOGIN', context());
    await exchange.step(null);
    expect(await codeOf(() => exchange.step(null))).toBe('badsyntax');
  });

  test('takes no more than the bound, and others do not notice', async () => {
    const setting = context();
    const other = startSasl('LOGIN', setting);
    await other.step(bytes('bob'));
    expect(
      await codeOf(() => startSasl('PLAIN', setting).step(new Uint8Array(limits.sasl_response.value + 1))),
    ).toBe('limit');
    expect(setting.tried).toEqual([]);
    expect(await identity(other, bytes('pencil'))).toBe('bob');
  });
});

describe('responses on the wire', () => {
  test('base64, cancelled, empty', () => {
    expect(decodeResponse('AGJvYgBwZW5jaWw=')).toEqual(new Uint8Array(bytes('\0bob\0pencil')));
    expect(decodeResponse('*')).toBe('cancel');
    expect(decodeResponse('=')).toEqual(new Uint8Array(0));
    expect(decodeResponse('')).toEqual(new Uint8Array(0));
  });

  test('what is not base64 is refused whole', async () => {
    for (
      const bad of [
        'A',
        'AA',
        'AAA',
        'AA=',
        'A===',
        '====',
        '==',
        'AAAA=',
        'AA==AA==',
        'AA AA',
        'AAAA\r\n',
        ' AAAA',
        'AA-_',
        'AAB=',
        'AB==',
        '**',
        '* ',
        '\u0000',
        'ÄÄÄÄ',
        'AAAA*',
      ]
    ) {
      expect([bad, await codeOf(() => decodeResponse(bad))]).toEqual([bad, 'badsyntax']);
    }
  });

  test('8 KB and no more', async () => {
    const most = limits.sasl_response.value;
    expect((decodeResponse('A'.repeat(most)) as Uint8Array).length).toBe(most / 4 * 3);
    expect(await codeOf(() => decodeResponse('A'.repeat(most + 4)))).toBe('limit');
    expect(await codeOf(() => decodeResponse('A'.repeat(1 << 20)))).toBe('limit');
  });

  test('every byte string survives', () => {
    let state = 21;
    for (let length = 0; length < 200; length++) {
      const data = Uint8Array.from(
        { length },
        () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) >> 8 & 255,
      );
      expect(decodeResponse(encodeChallenge(data))).toEqual(data);
    }
  });
});
