import { afterAll, describe, expect, test } from 'bun:test';
import { EmbeddedSecrets, readSecret } from '../../src/auth/secrets/embedded.ts';
import type { SecretRecord } from '../../src/store/border.ts';
import { Person, TestStore } from './administration.ts';

const stores: TestStore[] = [];
afterAll(() => stores.forEach((store) => store.remove()));

function testStore(mailbox = ''): TestStore {
  const store = new TestStore(mailbox);
  stores.push(store);
  return store;
}

function verify(store: TestStore, userid: string, password: string): Promise<boolean> {
  return store.look(({ secrets }) => new EmbeddedSecrets(secrets).verify(userid, password));
}

describe('user add', () => {
  test('takes the password from the first line of standard input', async () => {
    const store = testStore();
    expect(await store.ok('user add django', { stdin: 'pencil\nsecond line\n' })).toStartWith(
      'User django added.\n',
    );
    expect(await verify(store, 'django', 'pencil')).toBe(true);
    await store.ok('user add eve', { stdin: 'no line end' });
    expect(await verify(store, 'eve', 'no line end')).toBe(true);
    await store.ok('user add max', { stdin: ' pass word \r\n' });
    expect(await verify(store, 'max', ' pass word ')).toBe(true);
  });

  test('asks twice at a terminal, without echo', async () => {
    const store = testStore();
    const person = new Person('pencil', 'pencil');
    await store.ok('user add django', { person, stdin: 'ignored' });
    expect(person.asked).toEqual([
      { question: 'New password for django: ', echo: false },
      { question: 'The same again: ', echo: false },
    ]);
    expect(await verify(store, 'django', 'pencil')).toBe(true);
  });

  test('changes nothing when the two differ or are empty', async () => {
    const store = testStore();
    expect(await store.run(['user', 'add', 'django'], { person: new Person('pencil', 'pen') })).toMatchObject(
      {
        result: 'cannot',
        error: 'the two passwords differ, nothing was changed',
      },
    );
    expect(await store.run(['user', 'add', 'django'], { person: new Person('') })).toMatchObject({
      result: 'cannot',
    });
    for (const stdin of ['', '\n', '\r\n', '\npencil\n']) {
      expect(await store.run(['user', 'add', 'django'], { stdin })).toMatchObject({ result: 'cannot' });
    }
    expect(await store.ok('user list')).toBe('');
  });

  test('refuses a password nobody could log in with', async () => {
    const store = testStore();
    expect(await store.run(['user', 'add', 'django'], { stdin: 'a\u0000b\n' })).toMatchObject({
      result: 'cannot',
    });
  });

  test('never takes the password as an argument, and does not repeat it', async () => {
    const store = testStore();
    const outcome = await store.run(['user', 'add', 'django', 'hunter2']);
    expect(outcome.result).toBe('badsyntax');
    expect(outcome.error).toContain('never an argument');
    expect(outcome.error + outcome.stderr + outcome.stdout).not.toContain('hunter2');
    expect(store.opened).toBe(0);
  });

  test('refuses a user who is there, before it asks for a password', async () => {
    const store = testStore();
    await store.ok('user add django', { stdin: 'pencil' });
    const person = new Person();
    const outcome = await store.run(['user', 'add', 'Django'], { person });
    expect(outcome.result).toBe('alreadyexists');
    expect(outcome.error).toContain("'mailstore user passwd'");
    expect(person.asked).toEqual([]);
    expect(await verify(store, 'django', 'pencil')).toBe(true);
  });

  test('refuses names nobody can have', async () => {
    const store = testStore();
    for (const name of ['', '../x', 'a/b', 'anyone', 'group:x', 'a\nb']) {
      expect([name, (await store.run(['user', 'add', '--', name], { stdin: 'x' })).result]).toEqual([
        name,
        'nouser',
      ]);
    }
  });

  test('says how to make the INBOX where nothing else does', async () => {
    const store = testStore();
    expect(await store.ok('user add django', { stdin: 'x' })).toContain(
      "'mailstore mailbox create user/django'",
    );
    await store.ok('mailbox create user/eve');
    expect(await store.ok('user add eve', { stdin: 'x' })).toBe('User eve added.\n');
    expect(await store.ok('user add cyrus', { stdin: 'x' })).toBe('User cyrus added.\n');
    const autocreate = testStore('autocreatequota = "2000M"');
    expect(await autocreate.ok('user add django', { stdin: 'x' })).toBe('User django added.\n');
  });

  test('keeps no password that can be read back', async () => {
    const store = testStore();
    await store.ok('user add django', { stdin: 'pencil' });
    const record = await store.look(({ secrets }) => secrets.get('django'));
    expect(readSecret(record as SecretRecord).plain).toBeUndefined();
    expect(record?.secret).not.toContain('pencil');
  });
});

test('with virtual domains a user is who a login would be', async () => {
  const store = testStore('virtdomains = "on"');
  expect(await store.ok('user add Django', { stdin: 'x' })).toStartWith('User django@nausch.org added.\n');
  expect(await store.ok('user add eve@Example.org', { stdin: 'x' })).toStartWith(
    'User eve@example.org added.\n',
  );
  expect(await store.ok('user add cyrus', { stdin: 'x' })).toBe('User cyrus added.\n');
  expect((await store.ok('user list')).split('\n').map((line) => line.split(' ')[0])).toEqual([
    'USER',
    'cyrus',
    'django@nausch.org',
    'eve@example.org',
    '',
  ]);
});

describe('user passwd', () => {
  test('changes the password', async () => {
    const store = testStore();
    await store.ok('user add django', { stdin: 'pencil' });
    expect(await store.ok('user passwd django', { stdin: 'rubber' })).toBe('Password of django changed.\n');
    expect(await verify(store, 'django', 'pencil')).toBe(false);
    expect(await verify(store, 'django', 'rubber')).toBe(true);
  });

  test('knows only users that are there', async () => {
    expect(await testStore().run(['user', 'passwd', 'django'], { stdin: 'x' })).toMatchObject({
      result: 'nouser',
    });
  });
});

test('user list, for people and for programs', async () => {
  const store = testStore();
  expect(await store.ok('user list')).toBe('');
  expect(await store.ok('user list --json')).toBe('[]\n');
  await store.ok('user add django', { stdin: 'x' });
  await store.ok('user add cyrus', { stdin: 'x' });
  expect(await store.ok('user list')).toMatch(
    /^USER +PASSWORD SET\ncyrus +\d{4}-\d\d-\d\dT[\d:]{8}Z +admin\ndjango +\d{4}-\d\d-\d\dT[\d:]{8}Z\n$/,
  );
  const rows: unknown = JSON.parse(await store.ok('user list --json'));
  expect(rows).toMatchObject([{ userid: 'cyrus', admin: true }, { userid: 'django', admin: false }]);
});

describe('user remove', () => {
  async function withMail(): Promise<TestStore> {
    const store = testStore();
    await store.ok('user add django', { stdin: 'x' });
    await store.ok('mailbox create user/django');
    await store.ok('mailbox create user/django/Sent');
    return store;
  }

  test('ends the logins and keeps the mail', async () => {
    const store = await withMail();
    expect(await store.ok('user remove django')).toBe('User django removed. The mail is still there.\n');
    expect(await verify(store, 'django', 'x')).toBe(false);
    expect(await store.ok('mailbox list')).toContain('user/django/Sent');
    expect(await store.run(['user', 'remove', 'django'])).toMatchObject({ result: 'nouser' });
  });

  test('--purge asks for the name of the user', async () => {
    const store = await withMail();
    const person = new Person('django');
    expect(await store.ok('user remove --purge django', { person })).toBe(
      'User django removed with all mail.\n',
    );
    expect(person.asked[0]?.echo).toBe(true);
    expect(person.asked[0]?.question).toContain('all mail of django for good');
    expect(await store.ok('mailbox list')).toBe('');
    expect(await store.ok('user list')).toBe('');
  });

  test('--purge changes nothing for any other answer', async () => {
    for (const answer of ['', 'y', 'yes', 'eve']) {
      const store = await withMail();
      const outcome = await store.run(['user', 'remove', '--purge', 'django'], {
        person: new Person(answer),
      });
      expect(outcome.result).toBe('cannot');
      expect(await verify(store, 'django', 'x')).toBe(true);
      expect(await store.ok('mailbox list')).toContain('user/django');
    }
  });

  test('--purge needs somebody to ask, or --yes', async () => {
    const store = await withMail();
    const outcome = await store.run(['user', 'remove', '--purge', 'django'], { stdin: 'django\n' });
    expect(outcome.result).toBe('badsyntax');
    expect(outcome.error).toContain('--yes');
    expect(await verify(store, 'django', 'x')).toBe(true);
    await store.ok('user remove --purge --yes django');
    expect(await store.ok('mailbox list')).toBe('');
  });

  test('--purge also for mail whose user went before', async () => {
    const store = await withMail();
    await store.ok('user remove django');
    await store.ok('user remove --purge --yes django');
    expect(await store.ok('mailbox list')).toBe('');
    expect(await store.run(['user', 'remove', '--purge', '--yes', 'django'])).toMatchObject({
      result: 'nouser',
    });
  });
});

test('a wrong command line is one before the store is touched', async () => {
  const store = testStore();
  for (
    const line of [
      'user',
      'user frob',
      'user add',
      'user passwd',
      'user remove',
      'user remove a b',
      'user list x',
      'user add --purge x',
      'user remove --yes x',
      'user add --json x',
      'user add --password x',
    ]
  ) {
    expect([line, (await store.run(line.split(' '))).result]).toEqual([line, 'badsyntax']);
  }
  expect(store.opened).toBe(0);
});

test('--help', async () => {
  const store = testStore();
  expect(await store.ok('user --help')).toStartWith('Usage: mailstore user add');
  expect(await store.ok('mailbox --help')).toStartWith('Usage: mailstore mailbox create');
  expect(store.opened).toBe(0);
});
