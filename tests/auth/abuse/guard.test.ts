import { describe, expect, test } from 'bun:test';
import { type LoginAnswer, LoginBook, type LoginQuestion } from '../../../src/auth/abuse/book.ts';
import { LoginGuard } from '../../../src/auth/abuse/guard.ts';
import type { Origin } from '../../../src/auth/attempt.ts';
import { Authenticator } from '../../../src/auth/login.ts';
import { makeSettings } from '../../../src/config/settings.ts';
import { asMailError } from '../../../src/errors.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { passwords } from '../passwords.ts';

const USERS: Readonly<Record<string, string>> = {
  django: 'pencil',
  eve: 'secret',
  cyrus: 'admin',
  web: 'mail',
};

/** Workers of one server: authenticators over one book. */
class Workers {
  readonly asked: LoginQuestion[] = [];
  readonly slept: number[] = [];
  now = 0;
  readonly guards: readonly LoginGuard[];
  readonly #settings;
  readonly #authenticators: readonly Authenticator[];

  constructor(given: Parameters<typeof makeSettings>[0] = {}) {
    const settings = makeSettings({
      admins: ['cyrus'],
      proxyservers: ['web'],
      login_limit_user: 4,
      ...given,
    });
    this.#settings = settings;
    const book = new LoginBook(settings, () => this.now);
    const key = new Uint8Array(32).fill(7);
    this.guards = [0, 1].map((worker) =>
      new LoginGuard({
        settings,
        key,
        ask: (question): Promise<LoginAnswer> => {
          this.asked.push(question);
          return Promise.resolve(book.answer(worker, question));
        },
      })
    );
    this.#authenticators = this.guards.map((guard) =>
      new Authenticator({
        settings,
        source: passwords((userid) => USERS[userid]),
        log: silentLog,
        guard,
        sleep: (ms) => {
          this.slept.push(ms);
          return Promise.resolve();
        },
      })
    );
  }

  /** '' for a login that went well, else the code of the error. */
  async login(worker: number, authcid: string, password: string, from: Partial<Origin> = {}, authzid = '') {
    const origin = { ...this.from('198.51.100.7'), ...from };
    try {
      const attempt = { mechanism: 'PLAIN', authcid, authzid, password, origin };
      await (this.#authenticators[worker] as Authenticator).authenticate(attempt);
      return '';
    } catch (thrown) {
      return asMailError(thrown).code;
    }
  }

  from(remoteAddress: string, connection = 'c1'): Origin {
    return { protocol: 'imap', remoteAddress, localAddress: '192.0.2.1', secure: true, connection };
  }

  get pause(): number {
    return this.#settings.failedloginpause * 1000;
  }
}

describe('wrong passwords', () => {
  test('all workers know of them, and the right password is not checked then', async () => {
    const workers = new Workers();
    for (let guess = 0; guess < 4; guess++) {
      expect(await workers.login(guess % 2, 'django', `guess${guess}`)).toBe('authenticationfailed');
    }
    expect(await workers.login(0, 'django', 'pencil')).toBe('unavailable');
    expect(await workers.login(1, 'Django', 'pencil')).toBe('unavailable');
    expect(await workers.login(1, 'eve', 'secret')).toBe('');
    workers.now = 300;
    expect(await workers.login(1, 'django', 'pencil')).toBe('');
  });

  test('who does not exist, and what cannot be a name, is blocked like who does', async () => {
    for (const name of ['django', 'nobody', 'a/b\0*)(uid=*']) {
      const workers = new Workers();
      const heard: string[] = [];
      for (let guess = 0; guess < 6; guess++) heard.push(await workers.login(0, name, `guess${guess}`));
      expect(heard).toEqual([...Array(4).fill('authenticationfailed'), 'unavailable', 'unavailable']);
      expect(workers.slept).toEqual([1, 1, 1, 2, 1, 1].map((times) => times * workers.pause));
    }
  });

  test('the pause grows with different ones, not with one said again', async () => {
    const workers = new Workers({ login_limit_user: 100, login_limit_network: 0 });
    for (let guess = 0; guess < 9; guess++) await workers.login(0, 'django', `guess${guess}`);
    await workers.login(0, 'django', 'guess8');
    expect(workers.slept.map((ms) => ms / workers.pause)).toEqual([1, 1, 1, 2, 4, 8, 15, 15, 15, 1]);
  });

  test('trusted networks and sockets are not counted', async () => {
    const workers = new Workers({ login_trusted_networks: ['10.0.0.0/8', '2001:db8::/32'] });
    for (const remoteAddress of ['10.1.2.3', '2001:db8::9', '']) {
      for (let guess = 0; guess < 20; guess++) {
        expect(await workers.login(0, 'django', `guess${guess}`, { remoteAddress })).toBe(
          'authenticationfailed',
        );
      }
    }
    expect(workers.asked).toEqual([]);
    expect(await workers.login(0, 'django', 'pencil')).toBe('');
  });

  test('neither names nor passwords reach the book', async () => {
    const workers = new Workers();
    await workers.login(0, 'django', 'guess');
    await workers.login(0, 'django', 'pencil');
    expect(workers.asked.map(({ ask }) => ask)).toEqual(['blocked', 'failed', 'blocked', 'passed']);
    expect(JSON.stringify(workers.asked)).not.toMatch(/django|guess|pencil/);
  });
});

describe('connections that are logged in', () => {
  /** Opens a connection of a worker and logs it in. */
  const enter = async (
    workers: Workers,
    worker: number,
    id: string,
    user: string,
    address: string,
    as = '',
  ) => {
    workers.guards[worker]?.opened(id);
    return await workers.login(worker, user, USERS[user] as string, workers.from(address, id), as);
  };

  test('maxlogins_per_user counts over all workers, and each for its own user', async () => {
    const workers = new Workers({ maxlogins_per_user: 2 });
    expect(await enter(workers, 0, 'a', 'django', '198.51.100.1')).toBe('');
    expect(await enter(workers, 1, 'a', 'django', '198.51.100.2')).toBe('');
    expect(await enter(workers, 1, 'b', 'django', '198.51.100.3')).toBe('limit');
    expect(await enter(workers, 1, 'c', 'eve', '198.51.100.3')).toBe('');
    workers.guards[0]?.closed('a');
    expect(await enter(workers, 1, 'd', 'django', '198.51.100.3')).toBe('');
    workers.guards[1]?.closed('b');
    expect(await enter(workers, 1, 'e', 'django', '198.51.100.3')).toBe('limit');
  });

  test('a proxy server opens for its users; its own address does not count, an administrator never does', async () => {
    const workers = new Workers({ maxlogins_per_user: 1, maxlogins_per_host: 1 });
    expect(await enter(workers, 0, 'a', 'web', '198.51.100.1', 'django')).toBe('');
    expect(await enter(workers, 0, 'b', 'web', '198.51.100.1', 'eve')).toBe('');
    expect(await enter(workers, 0, 'c', 'django', '198.51.100.2')).toBe('limit');
    for (const id of ['d', 'e']) expect(await enter(workers, 0, id, 'cyrus', '198.51.100.2')).toBe('');
    expect(await enter(workers, 0, 'f', 'cyrus', '198.51.100.2', 'django')).toBe('');
  });

  test('maxlogins_per_host, not for trusted networks', async () => {
    const workers = new Workers({ maxlogins_per_host: 1 });
    expect(await enter(workers, 0, 'a', 'django', '198.51.100.1')).toBe('');
    expect(await enter(workers, 1, 'a', 'eve', '198.51.100.1')).toBe('limit');
    expect(await enter(workers, 1, 'b', 'eve', '198.51.100.2')).toBe('');
    for (const id of ['c', 'd', 'e']) expect(await enter(workers, 1, id, 'eve', '127.0.0.1')).toBe('');
  });

  test('a connection that ends while it logs in, or logs in twice, is counted as it should be', async () => {
    const workers = new Workers({ maxlogins_per_user: 1 });
    const [guard] = workers.guards as [LoginGuard];
    guard.opened('a');
    const entering = guard.enter('django', true, workers.from('198.51.100.1', 'a'));
    guard.closed('a');
    expect(await entering).toBe('');
    // One that is gone before is not counted at all.
    expect(await guard.enter('django', true, workers.from('198.51.100.1', 'gone'))).toBe('');
    expect(await enter(workers, 0, 'b', 'django', '198.51.100.1')).toBe('');
    expect(await workers.login(0, 'django', 'pencil', workers.from('198.51.100.1', 'b'))).toBe('');
    guard.closed('b');
    expect(await enter(workers, 1, 'c', 'django', '198.51.100.1')).toBe('');
  });

  test('a worker that dies takes its connections with it', () => {
    const book = new LoginBook(makeSettings({ maxlogins_per_user: 1 }));
    const question = { ask: 'enter', user: 'u', address: '' } as const;
    expect(book.answer(0, question).full).toBe('');
    expect(book.answer(1, question).full).toBe('user');
    book.workerGone(0);
    expect(book.answer(1, question).full).toBe('');
  });
});
