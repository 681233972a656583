import { describe, expect, test } from 'bun:test';
import { InterfaceDomains } from '../../src/auth/interface.ts';
import type { Origin } from '../../src/auth/attempt.ts';
import { Authenticator, type LoginAttempt } from '../../src/auth/login.ts';
import type { SecretSource } from '../../src/auth/secrets/source.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';
import { passwords } from './passwords.ts';
import type { Identity } from '../../src/store/border.ts';
import { createLog } from '../../src/telemetry/log.ts';

const ORIGIN: Origin = {
  protocol: 'imap',
  remoteAddress: '198.51.100.7',
  localAddress: '192.0.2.1',
  secure: true,
  connection: 'c1',
};

const USERS: Record<string, string> = {
  'django@nausch.org': 'pencil',
  'eve@nausch.org': 'secret',
  cyrus: 'admin',
};

class Setup {
  readonly asked: (string | null)[] = [];
  readonly slept: number[] = [];
  lines = '';
  broken = false;
  readonly authenticator: Authenticator;
  readonly #wake: (() => void)[] = [];

  /** @param held whether delays last until `release` */
  constructor(given: Parameters<typeof makeSettings>[0] = {}, held = false) {
    const settings = makeSettings({
      virtdomains: 'on',
      servername: 'imap.nausch.org',
      admins: ['cyrus'],
      ...given,
    });
    const source: SecretSource = {
      ...passwords((userid) => USERS[userid]),
      verify: (userid, password) => {
        this.asked.push(userid);
        if (this.broken) return Promise.reject(new MailError('server', 'unavailable', 'disk on fire'));
        return Promise.resolve(userid !== null && USERS[userid] === password);
      },
    };
    const log = createLog({
      journal: false,
      level: 'info',
      now: () => 'T',
      write: (bytes) => {
        this.lines += Buffer.from(bytes).toString();
        return bytes.length;
      },
    });
    this.flush = () => log.flush();
    this.authenticator = new Authenticator({
      settings,
      source,
      log,
      interfaces: new InterfaceDomains(settings, { lookup: () => Promise.reject(new Error('ENOTFOUND')) }),
      sleep: (ms) => {
        this.slept.push(ms);
        return held ? new Promise((wake) => void this.#wake.push(wake)) : Promise.resolve();
      },
    });
  }

  readonly flush: () => void;

  /** The log so far, by lines. */
  log(): string[] {
    this.flush();
    return this.lines.split('\n').filter((line) => line !== '');
  }

  release(): void {
    for (const wake of this.#wake) wake();
  }

  try(authcid: string, password: string, more: Partial<LoginAttempt> = {}): Promise<Identity> {
    return this.authenticator.authenticate({
      mechanism: 'PLAIN',
      authcid,
      authzid: '',
      password,
      origin: ORIGIN,
      ...more,
    });
  }

  async failure(authcid: string, password: string, more: Partial<LoginAttempt> = {}): Promise<MailError> {
    try {
      await this.try(authcid, password, more);
    } catch (thrown) {
      if (thrown instanceof MailError) return thrown;
      throw thrown;
    }
    throw new Error(`${authcid} was let in`);
  }
}

test('loginrealms: only users of these domains, and those without one', async () => {
  const open = new Setup();
  const { authenticator } = new Setup({
    loginrealms: ['other.org'],
    virtdomains: 'userid',
    defaultdomain: 'nausch.org',
  });
  const canonical = (login: string) => authenticator.canonical(login, { localAddress: '192.0.2.1' });
  expect(await canonical('django')).toBe('django');
  expect(await canonical('django@nausch.org')).toBe('django');
  expect(await canonical('django@Other.org')).toBe('django@other.org');
  expect(await canonical('django@evil.org')).toBeNull();
  expect(await open.authenticator.canonical('django@evil.org', { localAddress: '192.0.2.1' })).toBe(
    'django@evil.org',
  );
});

describe('logging in', () => {
  test('the how-to: Django with the right password is django@nausch.org', async () => {
    const setup = new Setup();
    expect(await setup.try('Django', 'pencil')).toEqual({
      userid: 'django@nausch.org',
      admin: false,
      groups: [],
    });
    expect(await setup.try('django@nausch.org', 'pencil')).toMatchObject({ userid: 'django@nausch.org' });
    expect(setup.slept).toEqual([]);
  });

  test('an administrator is one', async () => {
    expect(await new Setup().try('cyrus', 'admin')).toEqual({ userid: 'cyrus', admin: true, groups: [] });
  });

  test('leaves one line', async () => {
    const setup = new Setup();
    await setup.try('Django', 'pencil');
    expect(setup.log()).toEqual([
      'time=T level=info msg="logged in" event=auth result=ok rip=198.51.100.7 proto=imap mech=PLAIN tls=true user=django@nausch.org',
    ]);
  });
});

describe('a failure', () => {
  const failures: [string, string][] = [
    ['django', 'wrong'],
    ['nobody', 'pencil'],
    ['', ''],
    ['django', ''],
    ['../etc/passwd', 'x'],
    ['x'.repeat(300), 'x'],
    ['anyone', 'x'],
    ['a@b@c', 'x'],
    ['\ud800', 'x'],
  ];

  test('has the same text, the same work and the same delay, whatever the reason', async () => {
    for (const [user, password] of failures) {
      const setup = new Setup();
      const error = await setup.failure(user, password);
      expect({ code: error.code, kind: error.kind, text: error.message }).toEqual({
        code: 'authenticationfailed',
        kind: 'user',
        text: 'authentication failure',
      });
      expect(setup.asked.length).toBe(1);
      expect(setup.slept).toEqual([2000]);
      expect(setup.log().length).toBe(1);
    }
  });

  test('is a line for fail2ban, the peer before what the client chose', async () => {
    const setup = new Setup();
    await setup.failure('django', 'wrong');
    expect(setup.log()).toEqual([
      'time=T level=warn msg="login failed" event=auth result=fail rip=198.51.100.7 proto=imap mech=PLAIN tls=true reason=password user=django',
    ]);
  });

  test('cannot write lines of its own, or another address', async () => {
    const setup = new Setup();
    await setup.failure('x\r\nevent=auth result=fail rip=203.0.113.9\u001b[2J\u202e', 'x');
    const lines = setup.log();
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain('rip=198.51.100.7 ');
    const pattern = /event=auth result=fail rip=(\S+)/;
    expect(pattern.exec(lines[0] ?? '')?.[1]).toBe('198.51.100.7');
    expect(lines[0]).not.toMatch(/[\u0000-\u001f\u202e]/);
  });

  test('never logs a password', async () => {
    const setup = new Setup();
    await setup.failure('django', 'hunter2');
    await setup.failure('django', 'hunter2', { authzid: 'eve' });
    await setup.try('django', 'pencil');
    expect(setup.log().join('\n')).not.toMatch(/hunter2|pencil/);
  });

  test('delays only itself', async () => {
    const setup = new Setup({}, true);
    let answered = false;
    const slow = setup.failure('django', 'wrong').then(() => {
      answered = true;
    });
    expect(await setup.try('django', 'pencil')).toMatchObject({ userid: 'django@nausch.org' });
    expect(await setup.try('eve', 'secret')).toMatchObject({ userid: 'eve@nausch.org' });
    expect(answered).toBe(false);
    setup.release();
    await slow;
    expect(answered).toBe(true);
  });

  test('on a unix socket has no address', async () => {
    const setup = new Setup();
    await setup.failure('django', 'x', { origin: { ...ORIGIN, remoteAddress: '', localAddress: '/run/x' } });
    expect(setup.log()[0]).toContain(' rip=local ');
  });
});

describe('a source that cannot answer', () => {
  test('is not a wrong password', async () => {
    const setup = new Setup();
    setup.broken = true;
    const error = await setup.failure('django', 'pencil');
    expect(error.code).toBe('unavailable');
    expect(error.kind).toBe('server');
    expect(error.message).not.toContain('disk on fire');
    expect(setup.log().length).toBe(1);
    expect(setup.log()[0]).toContain('disk on fire');
    expect(setup.slept).toEqual([]);
  });
});

describe('acting as another user', () => {
  test('administrators may', async () => {
    const setup = new Setup();
    expect(await setup.try('cyrus', 'admin', { authzid: 'Django' })).toEqual({
      userid: 'django@nausch.org',
      admin: false,
      groups: [],
    });
    expect(setup.log()[0]).toContain('user=django@nausch.org proxied_by=cyrus');
  });

  test('an administrator who acts as a user is no administrator then', async () => {
    const identity = await new Setup().try('cyrus', 'admin', { authzid: 'eve' });
    expect(identity.admin).toBe(false);
  });

  test('others may not, and a user may be named twice', async () => {
    const setup = new Setup();
    const error = await setup.failure('django', 'pencil', { authzid: 'eve' });
    expect(error.code).toBe('authorizationfailed');
    expect(setup.slept).toEqual([2000]);
    expect(setup.log()[0]).toContain('reason=authzid user=django authzid=eve');
    expect(await setup.try('django', 'pencil', { authzid: 'Django@NAUSCH.org' })).toMatchObject({
      userid: 'django@nausch.org',
    });
    expect((await setup.failure('django', 'pencil', { authzid: 'cyrus' })).code).toBe('authorizationfailed');
    expect((await setup.failure('cyrus', 'admin', { authzid: 'a/b' })).code).toBe('authorizationfailed');
  });

  test('a wrong password does not tell who may', async () => {
    const setup = new Setup();
    expect((await setup.failure('cyrus', 'wrong', { authzid: 'django' })).code).toBe('authenticationfailed');
    expect((await setup.failure('django', 'wrong', { authzid: 'eve' })).code).toBe('authenticationfailed');
  });
});
