import { describe, expect, test } from 'bun:test';
import { Authenticator, type LoginAttempt } from '../../src/auth/login.ts';
import {
  decodeResponse,
  encodeChallenge,
  offered,
  plaintextAllowed,
  type SaslContext,
  type SaslExchange,
  startSasl,
} from '../../src/auth/sasl.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { silentLog } from '../../src/telemetry/log.ts';

type Given = Parameters<typeof makeSettings>[0];

/** A context that lets bob in with pencil and writes down what was tried. */
function context(given: Given = {}, secure = true): SaslContext & { tried: LoginAttempt[] } {
  const settings = makeSettings({ admins: ['cyrus'], ...given });
  const tried: LoginAttempt[] = [];
  const source = {
    verify: (userid: string | null, password: string) =>
      Promise.resolve(userid !== null && password === 'pencil'),
  };
  class Recording extends Authenticator {
    override authenticate(attempt: LoginAttempt) {
      tried.push(attempt);
      return super.authenticate(attempt);
    }
  }
  const authenticator = new Recording({ settings, source, log: silentLog, sleep: () => Promise.resolve() });
  const origin = { protocol: 'imap', remoteAddress: '198.51.100.7', localAddress: '127.0.0.1', secure };
  return { settings, authenticator, origin, tried };
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
    const settings = makeSettings({});
    expect(offered(settings, { secure: true })).toEqual(['PLAIN', 'LOGIN']);
    expect(offered(settings, { secure: false })).toEqual([]);
    expect(offered(makeSettings({ allowplaintext: true }), { secure: false })).toEqual(['PLAIN', 'LOGIN']);
    expect(plaintextAllowed(settings, false)).toBe(false);
    expect(plaintextAllowed(settings, true)).toBe(true);
  });

  test('only what the administrator lists', () => {
    expect(offered(makeSettings({ sasl_mech_list: ['LOGIN'] }), { secure: true })).toEqual(['LOGIN']);
    expect(offered(makeSettings({ sasl_mech_list: ['DIGEST-MD5'] }), { secure: true })).toEqual([]);
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
