/** Scripts of a Cyrus server, as they lie in its sievedir, in folders of users and at home. */

import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readHomeScript } from '../../../src/cli/sieve/cyrusfolder.ts';
import { limits } from '../../../src/limits.ts';
import type { Store } from '../../../src/store/border.ts';
import { TestStore } from '../administration.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-sievedir-'));
const stores: TestStore[] = [];
afterAll(() => {
  rmSync(folder, { recursive: true });
  for (const store of stores) store.remove();
});

let count = 0;

/** A sievedir with these files; a value that begins with -> is a link. */
function sievedir(files: Readonly<Record<string, string>>): string {
  const root = join(folder, String(++count));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (text.startsWith('->')) symlinkSync(text.slice(2), join(root, path));
    else writeFileSync(join(root, path), text, 'latin1');
  }
  return root;
}

async function storeWith(users: readonly string[], mailbox = ''): Promise<TestStore> {
  const store = new TestStore(mailbox);
  stores.push(store);
  for (const user of users) {
    const [local = '', domain] = user.split('@');
    await store.ok(`mailbox create user/${local}${domain === undefined ? '' : `@${domain}`}`);
  }
  return store;
}

/** What is in the store for a user: `name`, with a * where it is active. */
function scriptsOf(store: TestStore, user: string): Promise<string[]> {
  return store.look((opened) =>
    admin(opened).scriptsOf(user).list().map(({ name, active }) => `${name}${active ? '*' : ''}`)
  );
}

function admin(opened: Store) {
  return opened.session({ userid: 'cyrus', admin: true, groups: [] });
}

test('all users, what is active, and the global scripts', async () => {
  const store = await storeWith(['django', 'john.doe', 'inge']);
  const dir = sievedir({
    'd/django/vacation.script': 'require "fileinto";\nfileinto "Gr\xc3\xbc\xc3\x9fe";\n',
    'd/django/vacation.bc': 'compiled',
    'd/django/other.script': 'keep;\r\n',
    'd/django/defaultbc': '->vacation.bc',
    'j/john^doe/mail.script': 'discard;',
    'j/john^doe/default': '->/var/lib/imap/sieve/j/john^doe/mail.script',
    'i/inge/empty.bc': '',
    'global/spam.script': 'keep;',
    'n/nobody/x.script': 'keep;',
  });
  const ended = await store.run(['sieve import', dir]);
  expect(ended.stdout).toBe(
    'global: spam: 5 bytes\n' +
      'django: other: 7 bytes\ndjango: vacation: 40 bytes\ndjango: vacation is active\n' +
      'john.doe: mail: 8 bytes\njohn.doe: mail is active\n4 scripts taken over.\n',
  );
  expect(ended.stderr).toMatch(/^nobody: x: not taken over: .*no mailboxes/);
  expect(ended.result).toBe(65);
  expect(await scriptsOf(store, 'django')).toEqual(['other', 'vacation*']);
  expect(await scriptsOf(store, 'john.doe')).toEqual(['mail*']);
  expect(await scriptsOf(store, '')).toEqual(['spam']);
  const kept = await store.look((opened) => admin(opened).scriptsOf('django').get('vacation'));
  expect(Buffer.from(kept ?? []).toString('latin1')).toBe(
    'require "fileinto";\nfileinto "Gr\xc3\xbc\xc3\x9fe";\n',
  );
});

test('once more changes nothing, and what was changed here since stays', async () => {
  const store = await storeWith(['django']);
  const dir = sievedir({
    'd/django/a.script': 'keep;',
    'd/django/b.script': 'stop;',
    'd/django/defaultbc': '->a.bc',
  });
  expect((await store.run(['sieve import', dir])).result).toBe(0);
  expect((await store.run(['sieve import', dir])).stdout).toBe('0 scripts taken over.\n');
  await store.look(async (opened) => {
    const scripts = admin(opened).scriptsOf('django');
    await scripts.put('a', Buffer.from('discard;'), { maxScripts: 10 });
    await scripts.setActive('b');
  });
  const again = await store.run(['sieve import', dir]);
  expect(again.stderr).toBe(
    'django: a: not taken over: there is another script of this name; --replace takes this one\n',
  );
  expect(await scriptsOf(store, 'django')).toEqual(['a', 'b*']);
  const dry = await store.run(['sieve import', '--replace', '--dry-run', dir]);
  expect(dry.stdout).toBe('django: a: 5 bytes\ndjango: a is active\n1 script would be taken over.\n');
  expect(await scriptsOf(store, 'django')).toEqual(['a', 'b*']);
  expect((await store.run(['sieve import', '--replace', dir])).result).toBe(0);
  expect(await scriptsOf(store, 'django')).toEqual(['a*', 'b']);
});

test('a script that is wrong here is kept, told of and not made active', async () => {
  const store = await storeWith(['django']);
  const dir = sievedir({ 'd/django/a.script': 'keep;\nfilleinto "x";\n', 'd/django/defaultbc': '->a.bc' });
  const ended = await store.run(['sieve import', dir]);
  expect(ended.result).toBe(65);
  expect(ended.stderr).toMatch(/^django: a: line 2, column 1: error: /);
  expect(await scriptsOf(store, 'django')).toEqual(['a']);
});

test('virtual domains', async () => {
  const store = await storeWith(
    ['inge@omni128.de', 'django'],
    'virtdomains = "on"\ndefaultdomain = "nausch.org"',
  );
  const dir = sievedir({
    'd/django/a.script': 'keep;',
    'domain/o/omni128.de/i/inge/b.script': 'keep;',
    'domain/o/omni128.de/i/inge/defaultbc': '->b.bc',
    'domain/o/omni128.de/global/c.script': 'keep;',
  });
  expect((await store.run(['sieve import', dir])).stderr).toBe('');
  expect(await scriptsOf(store, 'inge@omni128.de')).toEqual(['b*']);
  expect(await scriptsOf(store, '@omni128.de')).toEqual(['c']);
  expect(await scriptsOf(store, 'django')).toEqual(['a']);
});

test('the folder of one user, whatever it is called', async () => {
  const store = await storeWith(['django']);
  const dir = sievedir({ 'a b.sieve': 'keep;', 'c.script': 'stop;', 'notes.txt': 'no script' });
  expect((await store.run(['sieve import', '--user', 'django', dir])).stdout).toBe(
    'django: a b: 5 bytes\ndjango: c: 5 bytes\n2 scripts taken over.\n',
  );
  expect(await scriptsOf(store, 'django')).toEqual(['a b', 'c']);
});

test('what a user put there to have something else read is not read', async () => {
  const store = await storeWith(['django']);
  const dir = sievedir({
    'd/django/link.script': '->/etc/shadow',
    'd/django/large.script': '#'.repeat(limits.store_script_size.value + 1),
    'd/django/defaultbc': '->../../../../etc/passwd',
    'd/django/folder.script/x': '',
  });
  const ended = await store.run(['sieve import', dir]);
  expect(ended.result).toBe(65);
  expect(ended.stderr).toContain('django: link: not taken over: it is a link\n');
  expect(ended.stderr).toContain('django: large: not taken over: it has 1048577 bytes');
  expect(ended.stderr).toContain('django: folder: not taken over: it is no file\n');
  expect(ended.stderr).toContain('django: passwd: not taken over: it is active, and not there\n');
  expect(await scriptsOf(store, 'django')).toEqual([]);
});

test('a script at home', () => {
  const home = sievedir({ '.sieve': 'keep;' });
  expect(readHomeScript(home, 'django')).toMatchObject({
    user: 'django',
    scripts: [{ name: 'sieve', content: Buffer.from('keep;') }],
    active: 'sieve',
  });
  expect(readHomeScript(join(home, 'none'), 'django')).toBeNull();
  const linked = readHomeScript(sievedir({ '.sieve': '->/etc/shadow' }), 'django');
  expect(linked?.scripts[0]?.content).toMatchObject({ message: 'it is a link' });
});

test('homes of users the system does not know', async () => {
  const store = await storeWith(['django']);
  expect((await store.run(['sieve import', '--home', 'django'])).stdout).toBe('0 scripts taken over.\n');
});

test('wrong command lines', async () => {
  const store = await storeWith([]);
  for (
    const line of [['sieve import'], ['sieve import', 'a', 'b'], ['sieve import', '--home', '--user', 'x']]
  ) {
    expect((await store.run(line)).result).toBe('badsyntax');
  }
  expect((await store.run(['sieve import', join(folder, 'none')])).result).toBe('nonexistent');
  const empty = sievedir({ 'readme.txt': '' });
  expect((await store.run(['sieve import', empty])).error).toContain('no folders of users');
});
