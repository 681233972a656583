/** Deliveries with placements and marks: rights, creation, flags, quotas, duplicates, and all of a recipient's or nothing. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Delivery, DeliveryResult, Mark, Placement, StagedMessage } from '../../src/store/border.ts';
import { limits } from '../../src/limits.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { box, damage, dump, inbox, message, messageFiles, TestFolders, TestStore } from './teststore.ts';

let folders: TestFolders;
let t: TestStore;

beforeEach(async () => {
  folders = new TestFolders({ duplicatesuppression: true });
  t = new TestStore(folders);
  await t.deliver(message('first'), 'anna', 'bert');
  await t.as('anna').create(box('anna', 'Work'));
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

async function staged(text: string): Promise<StagedMessage> {
  const stage = t.store.stage(0);
  stage.write(Buffer.from(text, 'latin1'));
  return await stage.finish();
}

async function deliver(
  userid: string,
  text: string,
  placements: Placement[],
  more: Partial<Delivery> = {},
): Promise<DeliveryResult> {
  const target = await t.store.recipient({ userid, detail: null, poster: null, size: null });
  const message = await staged(text);
  const [result] = await t.store.deliver([{ target, message, placements, ...more }], { ignoreQuota: false });
  return result as DeliveryResult;
}

const exists = (owner: string, path: string) => t.admin.info(box(owner, path)).exists;
const work: Placement = { mailbox: box('anna', 'Work') };
const home: Placement = { mailbox: inbox('anna') };

async function flagsOf(owner: string, path: string, uid: number, as = owner): Promise<string[]> {
  const handle = await t.as(as).select(box(owner, path), true, () => {});
  const [row] = handle.narrow(UidSet.of(uid), 0, 1);
  const { keywords } = handle;
  handle.close();
  const [, lo = 0, hi = 0] = row ?? [];
  const names = ['\\Answered', '\\Flagged', '\\Draft', '\\Deleted', '\\Seen', ...keywords];
  return names.filter((_, bit) => bit < 32 ? (lo & (1 << bit)) !== 0 : (hi & (1 << (bit - 32))) !== 0);
}

test('one message goes to several mailboxes, stored once, each with its flags', async () => {
  const files = messageFiles(folders.spool).length;
  const result = await deliver('anna', message(1), [
    { ...work, flags: ['\\Flagged', 'todo'] },
    { mailbox: box('anna', 'New/Deep'), create: true },
    home,
  ]);
  expect(result.error).toBeUndefined();
  expect(result.placed?.map(({ mailbox, uid }) => [mailbox.path, uid])).toEqual([
    ['Work', 1],
    ['New/Deep', 1],
    ['', 2],
  ]);
  expect(messageFiles(folders.spool).length).toBe(files + 1);
  expect(await flagsOf('anna', 'Work', 1)).toEqual(['\\Flagged', 'todo']);
  expect(await flagsOf('anna', '', 2)).toEqual([]);
  const [first] = result.placed ?? [];
  expect(t.as('anna').info(box('anna', 'Work')).mailboxid).toBe(first?.mailboxid as string);
  expect(damage(folders.settings)).toEqual([]);
});

test('without placements nothing is kept, and two for one mailbox are one message', async () => {
  const files = messageFiles(folders.spool).length;
  expect((await deliver('anna', message(1), [])).placed).toEqual([]);
  expect(messageFiles(folders.spool).length).toBe(files);
  const twice = await deliver('anna', message(2), [home, { mailbox: inbox('anna'), byAddress: true }]);
  expect(twice.placed?.map(({ uid }) => uid)).toEqual([2, 2]);
  const made = { mailbox: box('anna', 'New'), create: true };
  const both = await deliver('anna', message(3), [made, made]);
  expect(both.placed?.map(({ uid }) => uid)).toEqual([1, 1]);
  expect(exists('anna', 'New')).toBe(1);
});

describe('rights are those of IMAP', () => {
  test('a mailbox that is not there or may not be known is one answer, and nothing of the delivery happens', async () => {
    for (const [owner, path] of [['anna', 'Nowhere'], ['bert', ''], ['nobody', ''], ['', 'staff']] as const) {
      const result = await deliver('anna', message(`${owner}${path}`), [home, { mailbox: box(owner, path) }]);
      expect([result.error?.code, result.failed]).toEqual(['nonexistent', 1]);
    }
    for (const mailbox of [box('bert', 'Mine'), box('', 'staff')]) {
      const result = await deliver('anna', message(1), [{ mailbox, create: true }]);
      expect(result.error?.code).toBe('noperm');
    }
    const bad = await deliver('anna', message(2), [{ mailbox: box('anna', 'a//b'), create: true }]);
    expect(bad.error?.code).toBe('cannot');
    expect(exists('anna', '')).toBe(1);
    expect(exists('bert', '')).toBe(1);
  });

  test("'i' on somebody else's mailbox; \\Seen there is one's own", async () => {
    await t.as('bert').create(box('bert', 'Shared'));
    await t.as('bert').setAcl(box('bert', 'Shared'), 'anna', 'lr');
    const shared = { mailbox: box('bert', 'Shared'), flags: ['\\Seen', '\\Flagged', 'mine'] };
    expect((await deliver('anna', message(1), [shared])).error?.code).toBe('noperm');
    await t.as('bert').setAcl(box('bert', 'Shared'), 'anna', 'lris');
    expect((await deliver('anna', message(1), [shared])).placed?.[0]?.uid).toBe(1);
    // Without 'w' no other flag.
    expect(await flagsOf('bert', 'Shared', 1)).toEqual([]);
    expect(t.as('anna').info(box('bert', 'Shared')).unseen).toBe(0);
    expect(t.as('bert').info(box('bert', 'Shared')).unseen).toBe(1);
    await t.as('bert').setAcl(box('bert', 'Shared'), 'anna', 'lrk');
    const below = await deliver('anna', message(2), [{ mailbox: box('bert', 'Shared/x'), create: true }]);
    expect([below.error, exists('bert', 'Shared/x')]).toEqual([undefined, 1]);
    await t.as('bert').setAcl(box('bert', 'Shared'), 'anna', null);
    await t.as('bert').setAcl(box('bert', 'Shared'), 'group:staff', 'lri');
    expect((await deliver('anna', message(3), [shared])).error?.code).toBe('nonexistent');
    const by = { userid: 'anna', admin: false, groups: ['staff'] };
    expect((await deliver('anna', message(3), [shared], { by })).placed?.[0]?.uid).toBe(2);
  });

  test('an owner who took the own rights away files nothing there; the INBOX takes mail in any case', async () => {
    await t.as('anna').setAcl(box('anna', 'Work'), 'anna', null);
    await t.as('anna').setAcl(inbox('anna'), 'anna', null);
    expect((await deliver('anna', message(1), [work])).error?.code).toBe('noperm');
    expect((await deliver('anna', message(1), [{ ...home, flags: ['\\Seen'] }])).placed?.[0]?.uid).toBe(2);
  });

  test("by its address a mailbox needs the poster's p, else the INBOX has it", async () => {
    const posted = { mailbox: box('anna', 'Work'), byAddress: true };
    expect((await deliver('anna', message(1), [posted])).placed?.[0]?.mailbox.path).toBe('');
    await t.as('anna').setAcl(box('anna', 'Work'), 'anyone', 'p');
    expect((await deliver('anna', message(2), [posted])).placed?.[0]?.mailbox.path).toBe('Work');
    // Never somebody else's: that is no address of this recipient.
    await t.as('bert').setAcl(inbox('bert'), 'anyone', 'p');
    const foreign = await deliver('anna', message(3), [{ mailbox: inbox('bert'), byAddress: true }]);
    expect(foreign.error?.code).toBe('nonexistent');
  });

  test('shared mailboxes take mail by their address with p, and nobody else', async () => {
    await t.admin.create(box('', 'info'));
    const to = (detail: string | null, size: number | null = null) =>
      t.store.recipient({ userid: '', detail, poster: null, size });
    await expect(to('info')).rejects.toMatchObject({ code: 'nouser' });
    await t.admin.setAcl(box('', 'info'), 'anyone', 'p');
    for (const detail of [null, '', 'other']) {
      await expect(to(detail)).rejects.toMatchObject({ code: 'nouser' });
    }
    const target = await to('info', 100);
    const [result] = await t.store.deliver([{ target, message: await staged(message(1)) }], {
      ignoreQuota: false,
    });
    expect([result?.uid, result?.target.name]).toEqual([1, box('', 'info')]);
    await t.admin.setAcl(box('', 'info'), 'anyone', null);
    const [refused] = await t.store.deliver([{ target, message: await staged(message(2)) }], {
      ignoreQuota: false,
    });
    expect(refused?.error?.code).toBe('nouser');
  });
});

describe('special use and object ids', () => {
  test('the mailbox that has it comes before the name; one that is made gets it', async () => {
    const junk = { mailbox: box('anna', 'Spam'), specialUse: '\\Junk' };
    expect((await deliver('anna', message(1), [junk])).error?.code).toBe('nonexistent');
    await deliver('anna', message(1), [{ ...junk, create: true }]);
    expect(t.as('anna').info(box('anna', 'Spam')).specialUse).toEqual(['\\Junk']);
    await t.as('anna').rename(box('anna', 'Spam'), box('anna', 'Rubbish'));
    const again = await deliver('anna', message(2), [{ ...junk, create: true }]);
    expect(again.placed?.[0]?.mailbox.path).toBe('Rubbish');
  });

  test('an id finds its mailbox under whatever name, else the name counts', async () => {
    const { mailboxid } = t.as('anna').info(box('anna', 'Work'));
    await t.as('anna').rename(box('anna', 'Work'), box('anna', 'Projects'));
    const byId = { ...home, mailboxid };
    expect((await deliver('anna', message(1), [byId])).placed?.[0]?.mailbox.path).toBe('Projects');
    await t.as('anna').delete(box('anna', 'Projects'));
    expect((await deliver('anna', message(2), [byId])).placed?.[0]?.mailbox.path).toBe('');
    // Somebody else's id leads nowhere.
    const foreign = { ...home, mailboxid: t.as('bert').info(inbox('bert')).mailboxid };
    expect((await deliver('anna', message(3), [foreign])).placed?.[0]?.mailbox).toEqual(inbox('anna'));
  });
});

test('no delivery fails for a flag: what is no flag, or has no room, is left out', async () => {
  const flags = [
    '\\Recent',
    '\\Nonsense',
    'a b',
    '(',
    'ä',
    '',
    'x'.repeat(300),
    '$MDNSent',
    '\\flagged',
    'TODO',
    'todo',
  ];
  await deliver('anna', message(1), [{ ...work, flags }]);
  expect(await flagsOf('anna', 'Work', 1)).toEqual(['\\Flagged', '$MDNSent', 'TODO']);
  const many = Array.from({ length: 100 }, (_, n) => `k${n}`);
  expect((await deliver('anna', message(2), [{ ...work, flags: many }])).error).toBeUndefined();
  expect(await flagsOf('anna', 'Work', 2)).toHaveLength(55);
});

test('over quota in one place: nothing is done in the others', async () => {
  await t.admin.setQuota(inbox('anna'), { storage: null, messages: 2 });
  const marks: Mark[] = [{ kind: 'vacation', key: 'x', until: 4e9 }];
  const refused = await deliver('anna', message(1), [home, { mailbox: box('anna', 'New'), create: true }], {
    marks,
  });
  expect(refused.error?.code).toBe('overquota');
  expect(t.as('anna').list().map(({ name }) => name.path)).toEqual(['', 'Work']);
  expect(t.store.marked('anna', 'vacation', 'x')).toBe(false);
  expect((await deliver('anna', message(1), [home], { marks })).placed?.[0]?.uid).toBe(2);
  expect(t.store.marked('anna', 'vacation', 'x')).toBe(true);
});

test('each recipient has a message and a fate of its own, in one change', async () => {
  const [anna, bert] = await Promise.all(
    ['anna', 'bert'].map((userid) => t.store.recipient({ userid, detail: null, poster: null, size: null })),
  );
  if (anna === undefined || bert === undefined) throw new Error('no targets');
  const before = t.writer.durableLsn;
  const common = await staged(message('common', 100_000));
  const edited = await staged(`X-Spam: yes\r\n${message('common', 100_000)}`);
  const results = await t.store.deliver([
    { target: anna, message: common },
    { target: anna, message: edited, placements: [work] },
    { target: bert, message: common },
    { target: bert, message: common, placements: [{ mailbox: box('bert', 'Nowhere') }] },
  ], { ignoreQuota: false });
  expect(t.writer.durableLsn).toBe(before + 1);
  expect(results.map(({ uid, placed, error }) => uid ?? placed?.[0]?.uid ?? error?.code)).toEqual([
    2,
    1,
    2,
    'nonexistent',
  ]);
  expect(t.as('anna').info(box('anna', 'Work')).size - 100_000).toBeLessThan(200);
  expect(damage(folders.settings)).toEqual([]);
});

test('messages of many recipients that are too many for one change are several', async () => {
  const target = await t.store.recipient({ userid: 'anna', detail: null, poster: null, size: null });
  const messages = await Promise.all(
    Array.from({ length: 200 }, (_, n) => staged(message(`many${n}`, 60_000))),
  );
  const before = t.writer.durableLsn;
  const results = await t.store.deliver(messages.map((message) => ({ target, message })), {
    ignoreQuota: true,
  });
  expect(results.map(({ uid }) => uid)).toEqual(messages.map((_, n) => n + 2));
  expect(t.writer.durableLsn).toBe(before + 2);
});

describe('duplicates', () => {
  const dated = (id: string, date: string) => `Date: ${date}\r\n${message(id)}`;
  const monday = 'Mon, 5 Jan 2026 10:00:00 +0100';

  test('the same Message-ID and Date, per mailbox', async () => {
    expect((await deliver('anna', dated('a', monday), [home])).placed?.[0]?.uid).toBe(2);
    // The same moment in another zone is the same date.
    const again = await deliver('anna', dated('a', 'Mon, 5 Jan 2026 09:00:00 +0000'), [home, work]);
    expect(again.placed?.map(({ uid }) => uid)).toEqual([null, 1]);
    const later = await deliver('anna', dated('a', 'Tue, 6 Jan 2026 10:00:00 +0100'), [home]);
    expect(later.placed?.[0]?.uid).toBe(3);
    expect((await t.deliver(dated('a', monday), 'anna'))[0]?.uid).toBeUndefined();
  });

  test('a message without a Message-ID is never one', async () => {
    const plain = `Date: ${monday}\r\nSubject: x\r\n\r\nx\r\n`;
    expect((await deliver('anna', plain, [home])).placed?.[0]?.uid).toBe(2);
    expect((await deliver('anna', plain, [home])).placed?.[0]?.uid).toBe(3);
  });

  test('they are remembered for as long as is said, and can be looked at', async () => {
    await deliver('anna', dated('a', monday), [home], { marks: [{ kind: 'k', key: 'past', until: 1 }] });
    const { delivered, marks } = t.store.admin.remembered('anna');
    expect(delivered.map(({ id, mailbox }) => [id, mailbox.path])).toEqual([
      [`<a@example.org> ${Date.parse(monday) / 1000}`, ''],
      ['<first@example.org> ', ''],
    ]);
    expect(marks).toEqual([{ kind: 'k', key: 'past', until: 1 }]);
    const nothing = { expungeDays: null, deleteDays: null };
    await t.store.admin.expire({ ...nothing, duplicateDays: null });
    expect(t.store.admin.remembered('anna').marks).toHaveLength(1);
    await t.store.admin.expire({ ...nothing, duplicateDays: 3 });
    expect(t.store.admin.remembered('anna').delivered).toHaveLength(2);
    expect(t.store.admin.remembered('anna').marks).toEqual([]);
    await t.store.admin.expire({ ...nothing, duplicateDays: 0, userid: 'anna' });
    expect(t.store.admin.remembered('anna').delivered).toEqual([]);
    expect(t.store.admin.remembered('bert').delivered).toHaveLength(1);
    expect((await deliver('anna', dated('a', monday), [home])).placed?.[0]?.uid).toBe(3);
    expect(() => t.store.admin.remembered('nobody')).toThrow('no user');
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('marks', () => {
  const now = () => Math.floor(Date.now() / 1000);

  test('are set with the delivery or without one, moved, and end', async () => {
    const marks = [
      { kind: 'vacation', key: 'a', until: now() + 100 },
      { kind: 'vacation', key: 'b', until: now() - 1 },
    ];
    await deliver('anna', message(1), [], { marks });
    await t.store.mark('anna', [{ kind: 'redirect', key: 'a', until: now() + 100 }]);
    const set = (kind: string, key: string) => t.store.marked('anna', kind, key);
    expect([set('vacation', 'a'), set('vacation', 'b'), set('redirect', 'a'), set('redirect', 'b')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    await t.store.mark('anna', [{ kind: 'redirect', key: 'a', until: now() - 1 }]);
    expect(set('redirect', 'a')).toBe(false);
    expect(t.store.marked('nobody', 'x', 'y')).toBe(false);
    await expect(t.store.mark('nobody', marks)).rejects.toMatchObject({ code: 'nouser' });
    expect(damage(folders.settings)).toEqual([]);
  });

  test('one that must be fresh lets only one of two deliveries at once through', async () => {
    const marks = [{ kind: 'vacation', key: 'sender', until: now() + 100, fresh: true }];
    const results = await Promise.all([1, 2, 3].map((n) => deliver('anna', message(n), [home], { marks })));
    expect(results.map(({ error }) => error?.code ?? 'done').sort()).toEqual([
      'alreadyexists',
      'alreadyexists',
      'done',
    ]);
    expect(exists('anna', '')).toBe(2);
    await expect(t.store.mark('anna', marks)).rejects.toMatchObject({ code: 'alreadyexists' });
    await t.store.mark('anna', [{ kind: 'vacation', key: 'old', until: now() - 5 }]);
    await t.store.mark('anna', [{ kind: 'vacation', key: 'old', until: now() + 5, fresh: true }]);
    expect(t.store.marked('anna', 'vacation', 'old')).toBe(true);
  });

  test('survive the death of the process', async () => {
    await deliver('anna', message(1), [home], { marks: [{ kind: 'k', key: 'x', until: now() + 100 }] });
    const before = dump(folders.settings);
    const copy = folders.copy();
    t.abandon();
    folders.remove();
    folders = copy;
    t = new TestStore(folders);
    expect(dump(folders.settings)).toBe(before);
    expect(t.store.marked('anna', 'k', 'x')).toBe(true);
  });

  test('are bounded: those that end first are forgotten', async () => {
    const most = limits.store_marks.value;
    for (let from = 0; from < most; from += 1000) {
      await t.store.mark(
        'anna',
        Array.from({ length: 1000 }, (_, n) => ({ kind: 'k', key: `${from + n}`, until: 4e9 + from + n })),
      );
    }
    await t.store.mark('anna', [{ kind: 'k', key: 'new', until: 5e9 }]);
    const set = (key: string) => t.store.marked('anna', 'k', key);
    expect([set('0'), set(`${most / 10 - 1}`), set(`${most / 10}`), set('new')]).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(t.store.admin.remembered('anna').marks.length).toBeLessThanOrEqual(most);
    const long = [{ kind: 'k', key: 'x'.repeat(limits.store_mark_key.value), until: 4e9 }];
    await expect(t.store.mark('anna', long)).rejects.toMatchObject({ code: 'limit' });
    expect((await deliver('anna', message(1), [home], { marks: long })).error?.code).toBe('limit');
    expect(exists('anna', '')).toBe(1);
    expect(damage(folders.settings)).toEqual([]);
  });
});

test('a new user has a mailbox by the first delivery, whatever the script of nobody says', async () => {
  const made = await deliver('cora', message(1), [{ mailbox: inbox('cora'), byAddress: true }]);
  expect(made.placed?.[0]).toMatchObject({ mailbox: inbox('cora'), uid: 1 });
});
