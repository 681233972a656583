import { expect, test } from 'bun:test';
import { Groups } from '../../../src/auth/groups/groups.ts';
import { limits } from '../../../src/limits.ts';
import { effectiveRights } from '../../../src/store/rights.ts';
import { silentLog } from '../../../src/telemetry/log.ts';

const anna = { userid: 'anna', admin: false, groups: [] };

/** Groups from a table that can break, by a clock of the test's. */
function setup(life = 60) {
  const state = { now: 0, asked: 0, down: false, table: { anna: ['Staff'] } as Record<string, string[]> };
  const groups = new Groups({
    life,
    log: silentLog,
    now: () => state.now * 1000,
    lookups: [(userid) => {
      state.asked++;
      return state.down ? Promise.reject(new Error('down')) : Promise.resolve(state.table[userid] ?? []);
    }],
  });
  return { state, groups };
}

/** Lets what was begun behind a session's back end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test('are asked for once while they are fresh, also for a session that goes on', async () => {
  const { state, groups } = setup();
  const session = await groups.identify(anna);
  expect(session.groups).toEqual(['Staff', 'staff']);
  await groups.identify(anna);
  expect(state.asked).toBe(1);
  state.table = { anna: ['Board'] };
  state.now = 61;
  // What is known is answered at once, and renewed meanwhile.
  expect(session.groups).toEqual(['Staff', 'staff']);
  await settle();
  expect(session.groups).toEqual(['Board', 'board']);
  expect(JSON.parse(JSON.stringify(session))).toMatchObject({ userid: 'anna', groups: ['Board', 'board'] });
  state.now = 122;
  state.table = {};
  expect((await groups.identify(anna)).groups).toEqual([]);
});

test('a source that is down leaves what was known for a while, and gives nobody rights', async () => {
  const { state, groups } = setup();
  const session = await groups.identify(anna);
  state.down = true;
  state.now = 61;
  expect((await groups.identify(anna)).groups).toEqual(['Staff', 'staff']);
  expect(session.groupsUnknown).toBe(false);
  const asked = state.asked;
  // Not for every decision.
  for (let look = 0; look < 50; look++) void session.groups;
  await settle();
  expect(state.asked).toBe(asked);
  state.now = 61 + limits.groups_grace.value + 60;
  expect(session.groups).toEqual([]);
  expect(session.groupsUnknown).toBe(true);

  const stranger = await groups.identify({ userid: 'bert', admin: false, groups: [] });
  expect([stranger.groups, stranger.groupsUnknown]).toEqual([[], true]);
  // What is denied to a group is denied to somebody who may be in it.
  const acl = [{ identifier: 'anyone', rights: 'lrs' }, { identifier: '-group:guests', rights: 'rs' }];
  const settings = { virtdomains: 'off' } as const;
  expect(effectiveRights(acl, stranger, 'inge', settings)).toBe('l');
  expect(effectiveRights(acl, anna, 'inge', settings)).toBe('lrs');
});

test('are asked for anew when the administrator says so', async () => {
  const { state, groups } = setup();
  const session = await groups.identify(anna);
  state.table = { anna: ['Board'] };
  state.now = 20;
  groups.expire();
  expect(session.groups).toEqual(['Staff', 'staff']);
  await settle();
  expect(session.groups).toEqual(['Board', 'board']);
  expect(state.asked).toBe(2);
});

test('are kept for a bounded number of users', async () => {
  const { groups } = setup();
  for (let user = 0; user < limits.groups_entries.value + 100; user++) {
    await groups.identify({ userid: `u${user}`, admin: false, groups: [] });
  }
  expect(groups.size).toBe(limits.groups_entries.value);
});

test('many logins of one user ask once', async () => {
  const { state, groups } = setup();
  await Promise.all(Array.from({ length: 20 }, () => groups.identify(anna)));
  expect(state.asked).toBe(1);
});
