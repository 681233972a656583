/** The filter that is shipped for Fail2Ban, by Debian's fail2ban-regex, on lines the store has logged. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../harness/command.ts';
import { ImapClient } from '../harness/imap.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

const FILTER = join(import.meta.dir, '../../config/fail2ban/mailstore.conf');

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({
    users: ['django'],
    config: {
      login: { failedloginpause: '"0s"', limit_user: '3', trusted_networks: '[]' },
    },
  });
});
afterAll(() => store.dispose());

/** Addresses the filter finds in a log, one for each line it matches. */
async function found(log: string): Promise<string[]> {
  const file = join(store.dir, 'to-filter');
  writeFileSync(file, log);
  const ended = await run('fail2ban-regex', ['--out', 'ip', file, FILTER]);
  expect(ended.stderr).toBe('');
  return ended.stdout.split('\n').filter((line) => line !== '');
}

/** Names that try to be lines, fields and addresses of others. */
const INJECTED = [
  'x" rip=203.0.113.9 y="',
  'x\\" result=fail rip=203.0.113.9',
  '\u001b[2K\rtime=2026-01-01T00:00:00.000Z level=warn msg="login failed" rip=203.0.113.9',
  '\u202e\u2066rip=203.0.113.9',
  '203.0.113.9',
];

test('failures and refusals are found with the address of the peer, whatever name was given (FIELD 72)', async () => {
  const client = await ImapClient.connect({ port: store.ports.imap });
  for (const name of INJECTED) {
    const response = Buffer.from(`\0${name}\0wrong`).toString('base64');
    expect(await client.command(`AUTHENTICATE PLAIN ${response}`)).toMatchObject({ status: 'NO' });
  }
  for (const password of ['a', 'b', 'c', 'd']) {
    expect(await client.command(`LOGIN django ${password}`)).toMatchObject({ status: 'NO' });
  }
  client.destroy();
  const { log } = store;
  expect(log.split('\n').filter((line) => line.includes('msg="login failed"')).length).toBe(
    INJECTED.length + 3,
  );
  expect(log).toContain('msg="login refused" role=worker');
  expect(await found(log)).toEqual(Array(INJECTED.length + 4).fill('127.0.0.1'));
  // The same lines as the journal hands them over.
  const journal = log.replace(/^time=(\S+) /gm, 'Nov 25 23:50:00 mail mailstore[4711]: ');
  expect(await found(journal)).toEqual(Array(INJECTED.length + 4).fill('127.0.0.1'));
});

test('logins that went well, and lines of other things, are not found', async () => {
  const client = await store.login('eve', PASSWORD).catch(() => null);
  expect(client).toBeNull();
  store.addUser('inge');
  await (await store.login('inge')).logout();
  const others = store.log.split('\n').filter((line) => !/login (?:failed|refused)/.test(line));
  expect(others.some((line) => line.includes('msg="logged in"'))).toBe(true);
  expect(await found(others.join('\n'))).toEqual([]);
});

test('the filter is what the unit logs under', () => {
  const unit = readFileSync(join(import.meta.dir, '../../systemd/mailstore.service'), 'utf8');
  expect(unit).toMatch(/ExecStart=\S*\/mailstore /);
});
