/** Messages that sleep (vnd.cyrus.snooze): where they wait, when and where they wake, and what befalls them in between. */

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { rmSync } from 'node:fs';
import { limits } from '../../src/limits.ts';
import { layoutOf } from '../../src/store/layout.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { backup, cleanUp, contents, folders, restore, targetFolder } from '../store/backup/saved.ts';
import { box, damage, inbox, TestFolders, TestStore } from '../store/teststore.ts';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom;

beforeEach(() => {
  room = new PostRoom();
});
afterEach(async () => {
  await room.close();
});

const DAY = 86_400;
const REQUIRE =
  'require ["vnd.cyrus.snooze", "imap4flags", "mailbox", "special-use", "mailboxid", "fileinto"];';

/** Unix time; the clock that messages wake by is the test's own. */
const now = (): number => Math.floor(Date.now() / 1000);
/** Wakes what sleeps until tomorrow at most: every time of day has been by then. */
const tomorrow = (t = room.test): Promise<number> => t.writer.alarm.ring(now() + DAY + 10);

async function asleep(script: string, text = letter()): Promise<string> {
  await room.user('bert', `${REQUIRE} ${script}`);
  const [verdict] = await room.deliver(text);
  expect(verdict?.error).toBeUndefined();
  return text;
}

const where = async (...paths: string[]): Promise<(number | null)[]> =>
  await Promise.all(paths.map(async (path) => (await room.messages('bert', path))?.length ?? null));

/** A store is opened again over the same folders, as after `kill -9` or a clean end. */
async function again(how: 'killed' | 'closed', of: TestFolders = room.folders): Promise<TestStore> {
  if (how === 'killed') room.test.abandon();
  else await room.test.close();
  const reopened = new TestStore(of);
  (room as { test: TestStore }).test = reopened;
  return reopened;
}

describe('a message that sleeps', () => {
  test('waits in a mailbox for it, made with its use, and wakes with its flags in the other', async () => {
    const text = await asleep(
      'setflag ["\\\\Seen", "todo"]; snooze :create :mailbox "INBOX/Later" :addflags ["\\\\Flagged", "$awakened"] ' +
        ':removeflags ["\\\\Seen", "other"] "08:00:00";',
    );
    expect(room.test.as('bert').list().find(({ name }) => name.path === 'Snoozed')?.specialUse).toEqual([
      '\\Snoozed',
    ]);
    expect(await room.messages('bert', 'Snoozed')).toEqual([text]);
    expect(await room.flags('bert', 'Snoozed')).toEqual([['\\Seen', 'todo']]);
    expect(await where('', 'Later')).toEqual([0, 0]);
    expect(await room.test.writer.alarm.ring(now() - 1)).toBe(0);
    expect(await where('', 'Later', 'Snoozed')).toEqual([0, 0, 1]);
    expect(await tomorrow()).toBe(1);
    expect(await where('', 'Later', 'Snoozed')).toEqual([0, 1, 0]);
    expect(await room.messages('bert', 'Later')).toEqual([text]);
    expect((await room.flags('bert', 'Later')).map((flags) => flags.sort())).toEqual([
      ['$awakened', '\\Flagged', 'todo'],
    ]);
    expect(await tomorrow()).toBe(0);
    expect(damage(room.folders.settings)).toEqual([]);
  });

  test('waits in the mailbox that its owner has for that', async () => {
    await room.user('bert');
    await room.test.as('bert').create(box('bert', 'Zzz'), ['\\Snoozed']);
    await asleep('snooze "08:00:00";');
    expect(await where('', 'Zzz', 'Snoozed')).toEqual([0, 1, null]);
    expect(await tomorrow()).toBe(1);
    expect(await where('', 'Zzz')).toEqual([1, 0]);
  });

  test('wakes when its own time comes, each of many', async () => {
    await asleep('snooze :tzid "UTC" "00:00:00";');
    const [first] = room.test.as('bert').list().filter(({ name }) => name.path === 'Snoozed');
    expect(first).toBeDefined();
    await asleep('snooze :tzid "UTC" "23:59:59";');
    const midnight = (Math.floor(now() / DAY) + 1) * DAY;
    expect(await room.test.writer.alarm.ring(midnight - 2)).toBe(0);
    expect(await room.test.writer.alarm.ring(midnight - 1)).toBe(1);
    expect(await where('', 'Snoozed')).toEqual([1, 1]);
    expect(await room.test.writer.alarm.ring(midnight)).toBe(1);
    for (let n = 0; n < 230; n++) await room.deliver(letter());
    expect(await where('', 'Snoozed')).toEqual([2, 230]);
    expect(await tomorrow()).toBe(230);
    expect(await where('', 'Snoozed')).toEqual([232, 0]);
  });

  test('is found by id and by use, and the mailbox may be renamed meanwhile', async () => {
    await room.user('bert');
    const bert = room.test.as('bert');
    await bert.create(box('bert', 'Work'), ['\\Archive']);
    const id = bert.info(box('bert', 'Work')).mailboxid;
    await asleep(`snooze :mailboxid "${id}" "08:00:00";`);
    await asleep('snooze :specialuse "\\\\Archive" "08:00:00";');
    await bert.rename(box('bert', 'Work'), box('bert', 'Done'));
    await bert.rename(box('bert', 'Snoozed'), box('bert', 'Bed'));
    expect(await where('Bed')).toEqual([2]);
    expect(await tomorrow()).toBe(2);
    expect(await where('', 'Bed', 'Done')).toEqual([0, 0, 2]);
  });

  test('goes to INBOX where its mailbox is gone, or takes nothing of its owner any more', async () => {
    await room.user('bert');
    const bert = room.test.as('bert');
    await bert.create(box('bert', 'Gone'));
    await bert.create(box('bert', 'Shut'));
    await asleep('snooze :mailbox "INBOX/Gone" "08:00:00";');
    await asleep('snooze :mailbox "INBOX/Shut" "08:00:00";');
    await asleep('snooze :mailbox "INBOX/Never" "08:00:00";');
    await bert.delete(box('bert', 'Gone'));
    await bert.setAcl(box('bert', 'Shut'), 'bert', 'lra');
    expect(await tomorrow()).toBe(3);
    expect(await where('', 'Snoozed', 'Shut')).toEqual([3, 0, 0]);
  });

  test('wakes over quota: it was counted all the time', async () => {
    await asleep('snooze :create :mailbox "INBOX/Later" "08:00:00";');
    await room.test.admin.setQuota(inbox('bert'), { storage: 1, messages: 1 });
    expect(await tomorrow()).toBe(1);
    expect(await where('Later', 'Snoozed')).toEqual([1, 0]);
  });

  test('and is moved, copied or expunged before: only what still lies there wakes', async () => {
    for (let n = 0; n < 4; n++) await asleep('snooze :create :mailbox "INBOX/Later" "08:00:00";');
    const bert = room.test.as('bert');
    const mailbox = await bert.select(box('bert', 'Snoozed'), false, () => {});
    await mailbox.copy(UidSet.of(1), inbox('bert'));
    await mailbox.move(UidSet.of(2), inbox('bert'));
    await mailbox.store(UidSet.of(3), 'add', ['\\Deleted']);
    await mailbox.expunge(null);
    mailbox.close();
    expect(await where('', 'Snoozed', 'Later')).toEqual([2, 2, 0]);
    expect(await tomorrow()).toBe(2);
    expect(await where('', 'Snoozed', 'Later')).toEqual([2, 0, 2]);
    expect(damage(room.folders.settings)).toEqual([]);
  });

  test('in a mailbox that was deleted wakes when that is back', async () => {
    await asleep('snooze "08:00:00";');
    const bert = room.test.as('bert');
    const { mailboxid } = bert.info(box('bert', 'Snoozed'));
    await bert.delete(box('bert', 'Snoozed'));
    expect(await tomorrow()).toBe(0);
    expect(await where('')).toEqual([0]);
    await room.test.store.admin.undelete(mailboxid, box('bert', 'Snoozed'));
    expect(await tomorrow()).toBe(1);
    expect(await where('', 'Snoozed')).toEqual([1, 0]);
  });

  test('beside a copy that does not, also one in the very mailbox', async () => {
    await asleep('keep; fileinto "INBOX/Snoozed"; snooze :create :mailbox "INBOX/Later" "08:00:00";');
    const [inInbox, inSnoozed] = await where('', 'Snoozed');
    expect([inInbox as number >= 1, inSnoozed]).toEqual([true, 1]);
    await asleep('fileinto "INBOX/Snoozed"; snooze :mailbox "INBOX/Later" "08:00:00";');
    expect(await where('Snoozed')).toEqual([2]);
    expect(await tomorrow()).toBe(2);
    expect(await where('Snoozed', 'Later')).toEqual([0, 2]);
  });
});

describe('what cannot sleep comes at once, with the flags it would wake with', () => {
  const SCRIPT = 'setflag "\\\\Seen"; snooze :addflags "\\\\Flagged" :removeflags "\\\\Seen" "08:00:00";';

  async function comesAtOnce(): Promise<void> {
    await asleep(SCRIPT);
    expect(await room.flags('bert')).toEqual([['\\Flagged']]);
    expect(await tomorrow()).toBe(0);
  }

  test('where a mailbox of that name is for something else', async () => {
    await room.user('bert');
    await room.test.as('bert').create(box('bert', 'Snoozed'));
    await comesAtOnce();
    expect(await where('Snoozed')).toEqual([0]);
  });

  test('where its owner may not put mail to sleep', async () => {
    await room.user('bert');
    await room.test.as('bert').create(box('bert', 'Snoozed'), ['\\Snoozed']);
    await room.test.as('bert').setAcl(box('bert', 'Snoozed'), 'bert', 'lra');
    await comesAtOnce();
  });

  test('where the mailbox is somebody else’s', async () => {
    await room.user('eve');
    await room.test.as('eve').setAcl(inbox('eve'), 'bert', 'lrips');
    await asleep('snooze :mailbox "user/eve" "08:00:00";');
    expect(await room.messages('eve')).toHaveLength(1);
    expect(await where('', 'Snoozed')).toEqual([0, null]);
  });

  test('where too many sleep already', async () => {
    await room.close();
    room = new PostRoom({ duplicatesuppression: false });
    await room.user('bert');
    const { store } = room.test;
    const stage = store.stage(0);
    stage.write(Buffer.from(letter()));
    const message = await stage.finish();
    const target = await store.recipient({ userid: 'bert', detail: null, poster: null, size: null });
    const snooze = { until: now() + 60, addFlags: [], removeFlags: [] };
    const one = { target, message, placements: [{ mailbox: inbox('bert'), snooze }] };
    const most = limits.store_snoozed.value;
    await store.deliver(Array.from({ length: most }, () => one), { ignoreQuota: false });
    await asleep(SCRIPT);
    expect(await room.flags('bert')).toEqual([['\\Flagged']]);
    expect(room.test.as('bert').info(box('bert', 'Snoozed')).exists).toBe(most);
    expect(await tomorrow()).toBe(most);
    expect(room.test.as('bert').info(inbox('bert')).exists).toBe(most + 1);
  });
});

describe('nothing that befalls the store lets it sleep on', () => {
  for (const how of ['killed', 'closed'] as const) {
    test(`the writer is ${how} before its time comes`, async () => {
      await asleep('snooze "08:00:00";');
      const t = await again(how);
      // Nobody has told this one: it looks.
      await t.writer.alarm.look(now() - 1);
      expect(await where('', 'Snoozed')).toEqual([0, 1]);
      expect(await tomorrow()).toBe(1);
      expect(await where('', 'Snoozed')).toEqual([1, 0]);
    });

    test(`its time comes while there is no writer, who was ${how}: it wakes at once, and once`, async () => {
      await asleep('snooze "08:00:00";');
      for (let round = 0; round < 2; round++) {
        const t = await again(how);
        await t.writer.alarm.look(now() + DAY + 10);
        expect(await where('', 'Snoozed')).toEqual([1, 0]);
      }
      expect(damage(room.folders.settings)).toEqual([]);
    });
  }

  test('the timer of a writer that starts', async () => {
    await asleep('snooze "08:00:00";');
    const t = await again('killed');
    const woken = new Promise<void>((resolve) => t.writer.onNews = () => resolve());
    const real = Date.now;
    // The clock goes on by a day: no timer has to run for that.
    Date.now = () => real() + (DAY + 10) * 1000;
    try {
      t.writer.alarm.start();
      await woken;
    } finally {
      Date.now = real;
    }
    expect(await where('', 'Snoozed')).toEqual([1, 0]);
  });

  test('an index that is built anew from the log', async () => {
    await asleep('snooze :create :mailbox "INBOX/Later" "08:00:00";');
    await room.deliver(letter());
    const mailbox = await room.test.as('bert').select(box('bert', 'Snoozed'), false, () => {});
    await mailbox.move(UidSet.of(2), inbox('bert'));
    mailbox.close();
    const owner = room.test.writer.state.directory.owner('bert')?.id as number;
    const before = contents(room.folders);
    await room.test.writer.rebuild(owner);
    expect(contents(room.folders)).toBe(before);
    expect(await tomorrow()).toBe(1);
    expect(await where('', 'Later', 'Snoozed')).toEqual([1, 1, 0]);
  });

  test('an index that is lost, and a directory that is', async () => {
    await asleep('snooze "08:00:00";');
    await room.test.close();
    const layout = layoutOf(room.folders.settings);
    rmSync(layout.index('b/user/bert'));
    new Database(layout.directory).run('UPDATE owner SET digest = 0');
    const t = new TestStore(room.folders);
    (room as { test: TestStore }).test = t;
    await t.writer.settled();
    for (const end = Date.now() + 20_000; (await where('Snoozed'))[0] !== 1 && Date.now() < end;) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await t.writer.alarm.look(now() + DAY + 10);
    expect(await where('', 'Snoozed')).toEqual([1, 0]);
  });

  test('a restore from a backup', async () => {
    await asleep('snooze :create :mailbox "INBOX/Later" :addflags "\\\\Flagged" "08:00:00";');
    const path = targetFolder();
    await backup(room.folders, path);
    const to = folders();
    await restore(to, path);
    try {
      await again('closed', to);
      await room.test.writer.alarm.look(now() + DAY + 10);
      expect(await where('', 'Later', 'Snoozed')).toEqual([0, 1, 0]);
      expect(await room.flags('bert', 'Later')).toEqual([['\\Flagged']]);
      expect(damage(to.settings)).toEqual([]);
    } finally {
      await again('closed', room.folders);
      cleanUp();
    }
  });
});
