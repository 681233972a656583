/** DESIGN rule 15: COPY and MOVE of very many messages do not hold the writer, and are all of it or nothing. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { COPY_STEP } from '../../../src/store/writer/decide/copy.ts';
import { box, damage, dump, inbox, message, messageFiles, TestFolders, TestStore } from '../teststore.ts';

setDefaultTimeout(60_000);

let folders: TestFolders;
let t: TestStore;

/** Anna's INBOX with more messages than four steps take; bert and carl have one each. */
beforeEach(async () => {
  folders = new TestFolders();
  t = new TestStore(folders);
  await t.deliver(message(1), 'anna', 'bert', 'carl');
  const anna = t.as('anna');
  await anna.create(box('anna', 'Work'));
  for (let size = 1; size < 4 * COPY_STEP; size *= 2) await copyAll('');
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

async function copyAll(path: string, owner = 'anna'): Promise<number> {
  const from = await t.as('anna').select(inbox('anna'), false, () => {});
  const { source } = await from.copy(from.uids(), box(owner, path));
  from.close();
  return source.size;
}

const exists = (path: string, owner = 'anna'): number => t.as(owner).info(box(owner, path)).exists;

test('others are served between its steps and see nothing of it', async () => {
  const total = exists('');
  const order: string[] = [];
  const from = await t.as('anna').select(inbox('anna'), false, () => {});
  const copy = from.copy(from.uids(), box('anna', 'Work')).then(({ source }) =>
    order.push(`copied ${source.size}`)
  );
  const others = ['bert', 'carl'].map((user) =>
    t.deliver(message(2), user).then(([result]) =>
      order.push(`${user} ${result?.uid} beside ${exists('Work')}`)
    )
  );
  const store = from.store(from.uids().slice(1, 1), 'add', ['\\Answered']).then(() =>
    order.push(`stored beside ${exists('Work')}`)
  );
  await Promise.all([copy, store, ...others]);
  // The same owner's changes keep their order.
  expect(order).toEqual([
    'bert 2 beside 0',
    'carl 2 beside 0',
    `copied ${total}`,
    `stored beside ${total}`,
  ]);
  expect(damage(folders.settings)).toEqual([]);
});

test('a MOVE is at no moment in both mailboxes or in neither', async () => {
  const total = exists('');
  const seen = new Set<string>();
  const from = await t.as('anna').select(inbox('anna'), false, () => {});
  const move = from.move(from.uids(), box('anna', 'Work'));
  let moving = true;
  void move.then(() => moving = false);
  for (let n = 10; moving; n++) {
    await t.deliver(message(n), 'bert');
    seen.add(`${exists('')} ${exists('Work')}`);
  }
  await move;
  seen.add(`${exists('')} ${exists('Work')}`);
  expect([...seen]).toEqual([`${total} 0`, `0 ${total}`]);
  expect(damage(folders.settings)).toEqual([]);
});

test('killed between two steps nothing of it is there, and everything else is', async () => {
  const before = exists('');
  const copy = copyAll('Work');
  await t.deliver(message(2), 'bert');
  expect(exists('Work')).toBe(0);
  const killed = folders.copy();
  try {
    const successor = new TestStore(killed);
    const anna = successor.as('anna');
    expect(anna.info(inbox('anna')).exists).toBe(before);
    expect(anna.info(box('anna', 'Work')).exists).toBe(0);
    expect(successor.as('bert').info(inbox('bert')).exists).toBe(2);
    const [result] = await successor.deliver(message(3), 'anna');
    expect(result?.uid).toBe(before + 1);
    expect(damage(killed.settings)).toEqual([]);
    await successor.close();
  } finally {
    killed.remove();
  }
  await copy;
});

test('to another user: what cannot be completed leaves nothing, and nobody waits for it any more', async () => {
  await t.as('bert').setAcl(inbox('bert'), 'anna', 'lrswipkxte');
  const bert = dirname(
    dirname(messageFiles(folders.spool).find((path) => path.includes('bert')) as string),
  );
  rmSync(bert, { recursive: true });
  writeFileSync(bert, '');
  const from = await t.as('anna').select(inbox('anna'), false, () => {});
  // It remembers what was told as recent.
  await t.writer.idle();
  const before = dump(folders.settings);
  const copy = from.copy(from.uids(), inbox('bert'));
  const waiting = t.deliver(message(7), 'bert');
  await expect(copy).rejects.toThrow(/nothing was changed/);
  expect((await waiting)[0]?.error?.code).toBe('unavailable');
  expect(dump(folders.settings)).toBe(before);
  rmSync(bert);
  const total = exists('');
  expect(await copyAll('', 'bert')).toBe(total);
  expect(exists('', 'bert')).toBe(total + 1);
});

test('several at once take their turns', async () => {
  const total = exists('');
  await t.as('anna').create(box('anna', 'Second'));
  await Promise.all([copyAll('Work'), copyAll('Second'), t.deliver(message(5), 'anna'), copyAll('Work')]);
  expect([exists(''), exists('Work'), exists('Second')]).toEqual([total + 1, 2 * total, total]);
  expect(damage(folders.settings)).toEqual([]);
});

test('one that is refused is refused before its first step', async () => {
  await t.admin.setQuota(inbox('anna'), { storage: 1, messages: null });
  await expect(copyAll('Work')).rejects.toThrow('Over quota');
  expect((await t.deliver(message(9), 'bert'))[0]?.uid).toBe(2);
});

test('a deleted mailbox is purged in steps, and what others still have stays', async () => {
  await copyAll('Work');
  const total = exists('');
  await t.as('anna').append(box('anna', 'Work'), [{
    message: await staged('only there'),
    flags: [],
    internaldate: null,
  }]);
  await t.as('anna').delete(box('anna', 'Work'));
  const files = messageFiles(folders.spool).length;
  const order: string[] = [];
  await Promise.all([
    t.store.admin.expire({ expungeDays: 0, deleteDays: 0 }).then((done) =>
      order.push(`${done.messages} of ${done.mailboxes}`)
    ),
    t.deliver(message(2), 'bert').then(() => order.push('bert')),
  ]);
  expect(order).toEqual(['bert', `${total + 1} of 1`]);
  expect(t.store.admin.deletedMailboxes('anna')).toEqual([]);
  expect(exists('')).toBe(total);
  await t.checkpoint();
  // Bert's came, the one that only the deleted mailbox had went.
  expect(messageFiles(folders.spool).length).toBe(files);
  expect(damage(folders.settings)).toEqual([]);
});

async function staged(text: string) {
  const stage = t.as('anna').stage(0);
  stage.write(Buffer.from(message(text)));
  return await stage.finish();
}
