import { afterAll, describe, expect, test } from 'bun:test';
import { TestStore } from './administration.ts';

const stores: TestStore[] = [];
afterAll(() => stores.forEach((store) => store.remove()));

function testStore(mailbox = ''): TestStore {
  const store = new TestStore(mailbox);
  stores.push(store);
  return store;
}

async function names(store: TestStore, pattern = ''): Promise<string[]> {
  const rows = JSON.parse(await store.ok(`mailbox list --json ${pattern}`.trim())) as { name: string }[];
  return rows.map((row) => row.name);
}

/** Puts a message into a mailbox of a user without a domain. */
async function append(store: TestStore, userid: string, path: string, text: string): Promise<void> {
  await store.look(async (opened) => {
    const session = opened.session({ userid, admin: false, groups: [] });
    const stage = session.stage(0);
    stage.write(Buffer.from(text));
    await session.append({ owner: userid, path }, [
      { message: await stage.finish(), flags: [], internaldate: null },
    ]);
  });
}

describe('create', () => {
  test('users, folders and shared mailboxes, by the names an administrator sees', async () => {
    const store = testStore();
    expect(await store.ok('mailbox create user/django')).toBe('Mailbox user/django created.\n');
    await store.ok('mailbox create user/django/Lists/dev');
    await store.ok('mailbox create staff');
    expect(await names(store)).toEqual([
      'staff',
      'user/django',
      'user/django/Lists',
      'user/django/Lists/dev',
    ]);
  });

  test('with the separator . and with domains', async () => {
    const store = testStore('unixhierarchysep = false\nvirtdomains = "userid"');
    await store.ok('mailbox create user.django@nausch.org');
    await store.ok('mailbox create user.john^doe.Sent@nausch.org');
    expect(await names(store)).toContain('user.john^doe.Sent@nausch.org');
    expect(await store.look(({ admin }) => admin.owners().map((owner) => owner.userid).sort())).toEqual([
      'django@nausch.org',
      'john.doe@nausch.org',
    ]);
  });

  test('names stay those of an administrator with altnamespace', async () => {
    const store = testStore('altnamespace = true');
    await store.ok('mailbox create user/django');
    await store.ok('mailbox create user/django/Sent');
    expect(await names(store)).toEqual(['user/django', 'user/django/Sent']);
  });

  test('a role', async () => {
    const store = testStore();
    await store.ok('mailbox create user/django');
    await store.ok('mailbox create --special-use sent user/django/Gesendet');
    expect(await store.ok('mailbox list')).toMatch(/user\/django\/Gesendet +\\Sent\n/);
    expect((await store.run(['mailbox', 'create', '--special-use', 'Inbox', 'user/django/x'])).result).toBe(
      'badsyntax',
    );
  });

  test('what is there or cannot be is refused', async () => {
    const store = testStore();
    await store.ok('mailbox create user/django');
    expect((await store.run(['mailbox', 'create', 'user/django'])).result).toBe('alreadyexists');
    for (
      const bad of [
        'user',
        'user/',
        'user/django/',
        'user//x',
        '/x',
        'user/django/..',
        '',
        'INBOX/x\n',
        'user/a%b',
      ]
    ) {
      expect([bad, (await store.run(['mailbox', 'create', '--', bad])).result]).toEqual([bad, 'cannot']);
    }
  });

  test('says so where no login leads to the mailbox', async () => {
    const store = testStore('virtdomains = "on"');
    const outcome = await store.run(['mailbox', 'create', 'user/django']);
    expect(outcome.result).toBe(0);
    expect(outcome.stderr).toContain("the login 'django' reads user/django@nausch.org, not user/django");
    expect((await store.run(['mailbox', 'create', 'user/django@nausch.org'])).stderr).toBe('');
    expect((await store.run(['mailbox', 'create', 'staff'])).stderr).toBe('');
  });
});

describe('list', () => {
  test('by pattern, or below a name', async () => {
    const store = testStore();
    for (
      const name of ['user/django', 'user/django/Sent', 'user/django2', 'user/eve', 'staff', 'staff/2012']
    ) {
      await store.ok(`mailbox create ${name}`);
    }
    expect(await names(store, 'user/django')).toEqual(['user/django', 'user/django/Sent']);
    expect(await names(store, 'user/%')).toEqual(['user/django', 'user/django2', 'user/eve']);
    expect(await names(store, '%')).toEqual(['staff']);
    expect(await names(store, '*2*')).toEqual(['staff/2012', 'user/django2']);
    expect(await names(store, 'nothing*')).toEqual([]);
    expect((await store.run(['mailbox', 'list', 'user/nobody'])).result).toBe('nonexistent');
  });

  test('--long counts', async () => {
    const store = testStore();
    await store.ok('mailbox create user/django');
    await append(store, 'django', '', 'Subject: x\r\n\r\nbody\r\n');
    const rows: unknown = JSON.parse(await store.ok('mailbox list --long --json'));
    expect(rows).toMatchObject([{
      name: 'user/django',
      selectable: true,
      messages: 1,
      unseen: 1,
      deleted: 0,
      size: 20,
    }]);
    expect(await store.ok('mailbox list --long')).toBe(
      'MAILBOX      MESSAGES  UNSEEN  BYTES\nuser/django         1       1     20\n',
    );
  });

  test('prints nothing, or an empty list, where there is nothing', async () => {
    const store = testStore();
    expect(await store.ok('mailbox list')).toBe('');
    expect(await store.ok('mailbox list --json')).toBe('[]\n');
  });
});

describe('rename and delete', () => {
  test('a folder with what is below it', async () => {
    const store = testStore();
    await store.ok('mailbox create user/django');
    await store.ok('mailbox create user/django/a/b');
    expect(await store.ok('mailbox rename user/django/a user/django/c')).toBe(
      'Mailbox renamed to user/django/c.\n',
    );
    expect(await names(store)).toEqual(['user/django', 'user/django/c', 'user/django/c/b']);
    await store.ok('mailbox delete -r user/django/c');
    expect(await names(store)).toEqual(['user/django']);
  });

  test('the INBOX of a user goes with all folders and comes back with them', async () => {
    const store = testStore();
    await store.ok('mailbox create user/django');
    await store.ok('mailbox create user/django/Sent');
    await append(store, 'django', 'Sent', 'Subject: x\r\n\r\nbody\r\n');
    await store.ok('mailbox delete user/django');
    expect(await names(store)).toEqual([]);
    expect(await store.ok('mailbox undelete -r user/django')).toBe(
      'Mailbox user/django is back with 0 messages.\nMailbox user/django/Sent is back with 1 message.\n',
    );
    expect(await names(store)).toEqual(['user/django', 'user/django/Sent']);
  });

  test('what is not there', async () => {
    const store = testStore();
    expect((await store.run(['mailbox', 'delete', 'user/nobody'])).result).toBe('nonexistent');
    expect((await store.run(['mailbox', 'rename', 'user/nobody/a', 'user/nobody/b'])).result).toBe(
      'nonexistent',
    );
  });
});

describe('undelete', () => {
  async function twice(): Promise<TestStore> {
    const store = testStore();
    await store.ok('mailbox create user/django');
    await store.ok('mailbox create user/django/Sent');
    await append(store, 'django', 'Sent', 'Subject: old\r\n\r\n\r\n');
    await store.ok('mailbox delete user/django/Sent');
    await store.ok('mailbox create user/django/Sent');
    return store;
  }

  test('shows what there is', async () => {
    const store = await twice();
    const rows = JSON.parse(await store.ok('mailbox undelete --list --json user/django')) as Record<
      string,
      unknown
    >[];
    expect(rows).toMatchObject([{ mailbox: 'user/django/Sent', messages: 1 }]);
    expect(await store.ok('mailbox undelete --list user/django/Sent')).toContain(
      String(rows[0]?.['mailboxid']),
    );
    expect(await store.ok('mailbox undelete --list user/eve')).toBe('There is nothing to undelete.\n');
  });

  test('under another name, or by its id', async () => {
    const store = await twice();
    expect((await store.run(['mailbox', 'undelete', 'user/django/Sent'])).result).toBe('alreadyexists');
    expect(await store.ok('mailbox undelete user/django/Sent user/django/Old')).toBe(
      'Mailbox user/django/Old is back with 1 message.\n',
    );
    await store.ok('mailbox delete user/django/Old');
    const [row] = JSON.parse(await store.ok('mailbox undelete --list --json user/django')) as {
      mailboxid: string;
    }[];
    expect(await store.ok(`mailbox undelete --id ${row?.mailboxid} user/django`)).toBe(
      'Mailbox user/django/Old is back with 1 message.\n',
    );
  });

  test('of several that were deleted in the same second the last one', async () => {
    const store = testStore();
    await store.ok('mailbox create user/django');
    for (let messages = 1; messages <= 3; messages++) {
      await store.ok('mailbox create user/django/Sent');
      for (let n = 0; n < messages; n++) await append(store, 'django', 'Sent', `Subject: ${n}\r\n\r\n\r\n`);
      await store.ok('mailbox delete user/django/Sent');
    }
    for (let messages = 3; messages >= 1; messages--) {
      expect(await store.ok(`mailbox undelete user/django/Sent user/django/Back${messages}`)).toBe(
        `Mailbox user/django/Back${messages} is back with ${messages} message${messages === 1 ? '' : 's'}.\n`,
      );
    }
  });

  test('what is not there, and another user', async () => {
    const store = await twice();
    await store.ok('mailbox create user/eve');
    expect((await store.run(['mailbox', 'undelete', 'user/django/x'])).result).toBe('nonexistent');
    expect((await store.run(['mailbox', 'undelete', '--id', 'nothing', 'user/django'])).result).toBe(
      'nonexistent',
    );
    expect((await store.run(['mailbox', 'undelete', 'user/django/Sent', 'user/eve/Sent'])).result).toBe(
      'cannot',
    );
  });
});

describe('quota', () => {
  test('is set, shown and removed', async () => {
    const store = testStore();
    await store.ok('mailbox create user/django');
    await store.ok('mailbox create user/django/Sent');
    expect(await store.ok('mailbox quota user/django')).toBe('user/django has no quota.\n');
    expect(await store.ok('mailbox quota')).toBe('');
    await store.ok('mailbox quota user/django 2000K');
    await store.ok('mailbox quota user/django --messages 10');
    await append(store, 'django', 'Sent', 'x'.repeat(1024 * 500));
    expect(await store.ok('mailbox quota user/django/Sent')).toBe(
      'QUOTA ROOT    BYTES  LIMIT  USED  MESSAGES  LIMIT\nuser/django  512000  2000K   25%         1     10\n',
    );
    expect(JSON.parse(await store.ok('mailbox quota --json'))).toEqual([{
      root: 'user/django',
      storage: { used: 512000, limit: 2048000 },
      messages: { used: 1, limit: 10 },
    }]);
    await store.ok('mailbox quota user/django none');
    expect(JSON.parse(await store.ok('mailbox quota --json user/django'))).toMatchObject([{
      storage: { limit: null },
      messages: { limit: 10 },
    }]);
    await store.ok('mailbox quota user/django none --messages none');
    expect(await store.ok('mailbox quota user/django')).toBe('user/django has no quota.\n');
  });

  test('a number without a unit is refused, as it was kilobytes for Cyrus', async () => {
    const store = testStore();
    const outcome = await store.run(['mailbox', 'quota', 'user/django', '2048000']);
    expect(outcome.result).toBe('badsyntax');
    expect(outcome.error).toContain('2048000K');
    for (const bad of ['', 'x', '-1', '2X', '1.5G', '99999T']) {
      expect([bad, (await store.run(['mailbox', 'quota', '--', 'user/django', bad])).result]).toEqual([
        bad,
        'badsyntax',
      ]);
    }
    for (const bad of ['', 'x', '1K', '-1']) {
      expect((await store.run(['mailbox', 'quota', 'user/django', `--messages=${bad}`])).result).toBe(
        'badsyntax',
      );
    }
    expect((await store.run(['mailbox', 'quota', '--messages', '1'])).result).toBe('badsyntax');
    expect(store.opened).toBe(0);
  });
});

describe('acl', () => {
  test('is shown and changed', async () => {
    const store = testStore();
    await store.ok('mailbox create user/django');
    expect(await store.ok('mailbox acl user/django')).toBe('IDENTIFIER  RIGHTS\ndjango      lrswipkxtecda\n');
    await store.ok('mailbox acl user/django Eve lrs');
    await store.ok('mailbox acl user/django eve +w');
    await store.ok('mailbox acl user/django -- eve -s');
    await store.ok('mailbox acl user/django anyone p');
    await store.ok('mailbox acl user/django group:staff append');
    await store.ok('mailbox acl user/django -- -max r');
    expect(JSON.parse(await store.ok('mailbox acl --json user/django'))).toEqual({
      mailbox: 'user/django',
      acl: [
        { identifier: 'django', rights: 'lrswipkxtecda' },
        { identifier: 'eve', rights: 'lrw' },
        { identifier: 'anyone', rights: 'p' },
        { identifier: 'group:staff', rights: 'lrsip' },
        { identifier: '-max', rights: 'r' },
      ],
    });
    await store.ok('mailbox acl user/django eve none');
    await store.ok('mailbox acl user/django group:staff none');
    await store.ok('mailbox acl user/django anyone all');
    expect(await store.ok('mailbox acl user/django')).toBe(
      'IDENTIFIER  RIGHTS\ndjango      lrswipkxtecda\nanyone      lrswipkxtecda\n-max        r\n',
    );
  });

  test("a user without a domain is one of the mailbox's domain", async () => {
    const store = testStore('virtdomains = "on"');
    await store.ok('mailbox create user/django@nausch.org');
    expect(await store.ok('mailbox acl user/django@nausch.org eve read')).toContain('eve@nausch.org');
    expect(await store.ok('mailbox acl user/django@nausch.org cyrus all')).toMatch(/^cyrus +lrswipkxtecda$/m);
  });

  test('what are no rights and no identifiers', async () => {
    const store = testStore();
    await store.ok('mailbox create user/django');
    const opened = store.opened;
    for (const rights of ['q', 'L', 'lrs w', '++l']) {
      expect((await store.run(['mailbox', 'acl', 'user/django', 'eve', rights])).result).toBe('badsyntax');
    }
    expect((await store.run(['mailbox', 'acl', 'user/django', 'eve'])).result).toBe('badsyntax');
    expect(store.opened).toBe(opened);
    for (const identifier of ['', 'a/b', '-', '--x', 'group:', 'a\nb']) {
      expect([identifier, (await store.run(['mailbox', 'acl', '--', 'user/django', identifier, 'l'])).result])
        .toEqual([identifier, 'badsyntax']);
    }
    expect((await store.run(['mailbox', 'acl', 'user/nobody'])).result).toBe('nonexistent');
  });
});

test('a wrong command line is one before the store is touched', async () => {
  const store = testStore();
  for (
    const line of [
      'mailbox',
      'mailbox frob',
      'mailbox toString',
      'mailbox create',
      'mailbox create a b',
      'mailbox delete',
      'mailbox rename a',
      'mailbox rename a b c',
      'mailbox list a b',
      'mailbox list -r',
      'mailbox create -l a',
      'mailbox create --json a',
      'mailbox undelete',
      'mailbox undelete --list a b',
      'mailbox undelete --json a',
      'mailbox undelete -r a b',
      'mailbox acl',
      'mailbox acl a b c d',
      'mailbox quota a 1G x',
      'mailbox quota --special-use Sent a',
    ]
  ) {
    expect([line, (await store.run(line.split(' '))).result]).toEqual([line, 'badsyntax']);
  }
  expect(store.opened).toBe(0);
});
