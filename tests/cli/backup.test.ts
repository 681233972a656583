/** `mailstore backup` and `mailstore restore` around a server at work, compared over IMAP. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LmtpClient } from '../harness/lmtp.ts';
import { TestStore } from '../harness/server.ts';
import { backupFolder, emptyStore, killed, letter, look, ok, tool, withoutUidnext } from './saved.ts';

const USERS = ['anna', 'bert', 'cora'];

let store: TestStore;
let empty: TestStore;
const target = backupFolder();

beforeAll(async () => {
  store = await TestStore.start({ users: USERS });
  empty = await emptyStore();
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  for (let n = 0; n < 30; n++) await lmtp.deliver('x@example.org', USERS, letter(`first${n}`, 300 + 100 * n));
  await lmtp.deliver('x@example.org', USERS, letter('large', 200_000));
  await lmtp.quit();
  const anna = await store.login('anna');
  await anna.ok('CREATE Work');
  await anna.ok('APPEND Work (\\Flagged todo) "05-Jan-2026 10:00:00 +0100"', letter('appended'));
  await anna.ok('SELECT INBOX');
  await anna.ok('STORE 1:7 +FLAGS.SILENT (\\Seen important)');
  await anna.ok('STORE 8:9 +FLAGS.SILENT (\\Deleted)');
  await anna.ok('EXPUNGE');
  await anna.ok('COPY 1:5 Work');
  await anna.ok('SETACL Work bert lrswipte');
  await anna.logout();
});

afterAll(async () => {
  await store.dispose();
  await empty.dispose();
  target.remove();
});

async function lookAtAll(of: TestStore): Promise<unknown> {
  return Object.fromEntries(
    await Promise.all(USERS.map(async (user) => [user, withoutUidnext(await look(of, user))])),
  );
}

describe('a running store', () => {
  test('is saved and comes back elsewhere with UIDs, flags, dates and bytes', async () => {
    const before = await lookAtAll(store);
    expect(await ok(store, ['backup', target.path])).toMatch(/^Backup \d{8}T\d{6}Z-[0-9a-f]{14}: 3 users/);
    expect(await ok(empty, ['restore', target.path])).toMatch(/^Restored 3 users with 97 messages/);
    await empty.run();
    expect(await lookAtAll(empty)).toEqual(before);
    // Clients that know the lost store's later UIDs are not given other messages under them.
    const anna = await look(empty, 'anna');
    expect(anna['INBOX']?.uidnext).toBeGreaterThan(2 ** 20);
    const lmtp = await LmtpClient.connect(empty.lmtpSocket);
    await lmtp.deliver('x@example.org', ['anna'], letter('after'));
    await lmtp.quit();
    const after = await look(empty, 'anna');
    expect(after['INBOX']?.messages.at(-1)?.uid).toBe(anna['INBOX']?.uidnext);
    await empty.stop();
    expect(empty.tool(['check', '--deep']).stdout).toContain('in order');
  });

  test('restore says why it does nothing', async () => {
    const running = await tool(store, ['restore', target.path]);
    expect([running.code, running.stderr]).toEqual([65, expect.stringContaining('systemctl stop mailstore')]);
    const full = await tool(empty, ['restore', target.path]);
    expect([full.code, full.stderr]).toEqual([65, expect.stringContaining('--force')]);
    const nothing = await tool(empty, ['restore', '/nonexistent/folder']);
    expect([nothing.code, nothing.stderr]).toEqual([65, expect.stringContaining('no complete backup')]);
    const inside = await tool(store, ['backup', join(store.dir, 'spool/backup')]);
    expect([inside.code, inside.stderr]).toEqual([65, expect.stringContaining('inside the store')]);
  });

  test('under load: all that was acknowledged before, one moment for all users', async () => {
    let stop = false;
    const acknowledged: string[] = [];
    const deliver = async (name: string) => {
      const lmtp = await LmtpClient.connect(store.lmtpSocket);
      for (let n = 0; !stop; n++) {
        const replies = await lmtp.deliver('x@example.org', USERS, letter(`${name}.${n}`));
        if (replies.every((reply) => reply.startsWith('250'))) acknowledged.push(`${name}.${n}`);
      }
      await lmtp.quit();
    };
    // Messages wander between two users all the time: each is with one of them.
    const wander = async () => {
      const bert = await store.login('bert');
      const anna = await store.login('anna');
      await anna.ok('CREATE Shared');
      await anna.ok('SETACL Shared bert lrswipte');
      await anna.ok('SELECT INBOX');
      await anna.ok('COPY 1:10 Shared');
      const shared = /"?([^"]*Shared)"?$/.exec(
        (await bert.ok('LIST "" *Shared')).untagged.map(({ text }) => text).at(-1) ?? '',
      )?.[1];
      await bert.ok('CREATE Mine');
      while (!stop) {
        await bert.ok(`SELECT "${shared}"`);
        await bert.ok('MOVE 1:* Mine');
        await bert.ok('SELECT Mine');
        await bert.ok(`MOVE 1:* "${shared}"`);
      }
      bert.destroy();
      anna.destroy();
    };
    const work = [deliver('p'), deliver('q'), wander()];
    const other = backupFolder();
    const fresh = await emptyStore();
    try {
      while (acknowledged.length < 30) await new Promise((resolve) => setTimeout(resolve, 20));
      for (let round = 0; round < 2; round++) {
        const before = [...acknowledged];
        await ok(store, ['backup', other.path]);
        const report = JSON.parse(await ok(fresh, ['restore', '--json', '--force', other.path]));
        expect(report.unsaved).toEqual([]);
        await fresh.run();
        const ids = await Promise.all(USERS.map(async (user) => {
          const seen = await look(fresh, user);
          return (seen['INBOX']?.messages ?? []).flatMap(({ body }) =>
            /Subject: ([pq]\.\d+)/.exec(body)?.[1] ?? []
          );
        }));
        for (const id of before) for (const inbox of ids) expect(inbox).toContain(id);
        // A delivery to three is one record: with all of them or with none.
        expect(ids[1]).toEqual(ids[0] as string[]);
        expect(ids[2]).toEqual(ids[0] as string[]);
        const [anna, bert] = [await look(fresh, 'anna'), await look(fresh, 'bert')];
        const wandering = (anna['Shared']?.messages.length ?? 0) + (bert['Mine']?.messages.length ?? 0);
        expect(wandering).toBe(10);
        await fresh.stop();
        expect(fresh.tool(['check', '--deep']).stdout).toContain('in order');
      }
    } finally {
      stop = true;
      await Promise.all(work);
      other.remove();
      await fresh.dispose();
    }
  });
});

describe('kill -9', () => {
  test('of a backup leaves the last one whole, and the next goes on', async () => {
    const other = backupFolder();
    const fresh = await emptyStore();
    try {
      await ok(store, ['backup', other.path]);
      const runs = () => readdirSync(join(other.path, 'runs'));
      const first = runs();
      let deaths = 0;
      // A machine at rest has done it before 60 ms are over.
      for (const after of [10, 20, 30, 40, 50, 60, 80, 120, 200, 300, 450]) {
        const lmtp = await LmtpClient.connect(store.lmtpSocket);
        for (let n = 0; n < 10; n++) {
          await lmtp.deliver('x@example.org', ['cora'], letter(`k${after}.${n}`, 20_000));
        }
        await lmtp.quit();
        if (await killed(store, ['backup', other.path], after)) deaths++;
        expect(runs()).toEqual(expect.arrayContaining(first));
      }
      expect(deaths).toBeGreaterThan(0);
      await ok(store, ['backup', other.path]);
      expect(existsSync(join(other.path, 'incoming')) && readdirSync(join(other.path, 'incoming')).length > 0)
        .toBe(false);
      await ok(fresh, ['restore', other.path]);
      await fresh.run();
      expect(withoutUidnext(await look(fresh, 'cora'))).toEqual(withoutUidnext(await look(store, 'cora')));
    } finally {
      other.remove();
      await fresh.dispose();
    }
  });

  test('of a restore keeps the store shut until it is done again', async () => {
    const fresh = await emptyStore();
    try {
      let [deaths, refused] = [0, 0];
      // A machine at rest has done it before 60 ms are over.
      for (const after of [10, 20, 30, 40, 50, 60, 80, 100, 120, 140, 160, 200, 250, 400, 600]) {
        if (!(await killed(fresh, ['restore', '--force', target.path], after))) break;
        deaths++;
        if (!existsSync(join(fresh.dir, 'state/log/restoring'))) continue;
        refused++;
        const opened = await tool(fresh, ['mailbox', 'list']);
        expect([opened.code, opened.stderr]).toEqual([
          78,
          expect.stringContaining('run "mailstore restore" again'),
        ]);
      }
      expect(deaths).toBeGreaterThan(0);
      await ok(fresh, ['restore', '--force', target.path]);
      expect(refused).toBeGreaterThan(0);
      expect(fresh.tool(['check', '--deep']).stdout).toContain('in order');
      await fresh.run();
      expect(Object.keys(await look(fresh, 'anna'))).toContain('Work');
    } finally {
      await fresh.dispose();
    }
  });
});
