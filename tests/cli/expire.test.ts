/** `mailstore cyr_expire` and `ctl_deliver` over a real store. */

import { afterEach, beforeEach, expect, test } from 'bun:test';
import { durationDays } from '../../src/cli/days.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { TestStore } from './administration.ts';

let t: TestStore;
const inbox = { owner: 'anna', path: '' };

beforeEach(async () => {
  t = new TestStore('createonpost = true\nautocreatequota = "1G"\n');
  await t.ok('mailbox create user/anna');
  await t.look(async (store) => {
    const target = await store.recipient({ userid: 'anna', detail: null, poster: null, size: null });
    const stage = store.stage(0);
    stage.write(Buffer.from('Message-ID: <a@b>\r\nDate: Mon, 5 Jan 2026 10:00:00 +0100\r\n\r\nx\r\n'));
    const marks = [
      { kind: 'vacation', key: 'carl@example.org', until: 4_000_000_000 },
      { kind: 'vacation', key: 'past', until: 1 },
    ];
    await store.deliver([{ target, message: await stage.finish(), marks }], { ignoreQuota: false });
  });
});
afterEach(() => t.remove());

test('ctl_deliver -d shows what is remembered, -E forgets it', async () => {
  const shown = await t.ok('ctl_deliver -d');
  expect(shown.replace(/at: \S+/, 'at: NOW')).toBe(
    'id: <a@b> date: 2026-01-05T09:00:00Z to: user/anna at: NOW\n' +
      'kind: vacation key: carl@example.org for: anna until: 2096-10-02T07:06:40Z\n' +
      'kind: vacation key: past for: anna until: 1970-01-01T00:00:01Z\n',
  );
  await t.ok('ctl_deliver -E 3');
  expect(await t.ok('ctl_deliver -d anna')).toContain('<a@b>');
  expect(await t.ok('ctl_deliver -d anna')).not.toContain('past');
  await t.ok('ctl_deliver -E 0');
  expect(await t.ok('ctl_deliver -d')).toStartWith('kind: vacation key: carl');
  expect(await t.run(['ctl_deliver', '-d', 'nobody'])).toMatchObject({ result: 'nouser' });
});

test('cyr_expire removes what it is told to, of whom it is told to', async () => {
  await t.look(async (store) => {
    const anna = store.session({ userid: 'anna', admin: false, groups: [] });
    const handle = await anna.select(inbox, false, () => {});
    await handle.store(UidSet.of(1), 'add', ['\\Deleted']);
    await handle.expunge(null);
    handle.close();
  });
  expect(await t.ok('cyr_expire -E 3 -v')).toBe('Removed 0 messages and 0 mailboxes.\n');
  expect(await t.ok('cyr_expire -X 0 -D 0 -v -u nobody')).toBe('Removed 0 messages and 0 mailboxes.\n');
  expect(await t.ok('ctl_deliver -d')).toContain('<a@b>');
  expect(await t.ok('cyr_expire -E 0s -X 0 -v -u anna')).toBe('Removed 1 messages and 0 mailboxes.\n');
  expect(await t.ok('ctl_deliver -d')).not.toContain('<a@b>');
});

test('times are days, or have a unit; what contradicts itself is refused', async () => {
  expect(['3', '0.5', '12h', '30m', '90s', '2d'].map(durationDays)).toEqual([
    3,
    0.5,
    0.5,
    30 / 1440,
    90 / 86_400,
    2,
  ]);
  for (const text of ['', 'x', '-1', '3w', '1e3']) expect(() => durationDays(text)).toThrow('is no time');
  const wrong = [
    ['cyr_expire'],
    ['cyr_expire', '-v'],
    ['cyr_expire', '-E', '3', 'anna'],
    ['ctl_deliver'],
    ['ctl_deliver', '-d', '-E', '3'],
    ['ctl_deliver', '-E', '3', 'anna'],
    ['ctl_deliver', '-E', 'soon'],
  ];
  for (const line of wrong) expect(await t.run(line)).toMatchObject({ result: 'badsyntax' });
});
