/** A store whose writer has ended. */
import { expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { damage, inbox, message, TestFolders, TestStore } from '../teststore.ts';

test('keeps nothing twice: the journals of its indexes are empty', async () => {
  const folders = new TestFolders();
  let t = new TestStore(folders);
  try {
    for (let n = 0; n < 5; n++) await t.deliver(message(n), 'anna', 'bert');
    await t.close();
    for (const userid of ['anna', 'bert']) {
      expect(statSync(`${t.writer.layout.index(`${userid[0]}/user/${userid}`)}-wal`).size).toBe(0);
    }
    t = new TestStore(folders);
    expect(t.as('bert').info(inbox('bert')).exists).toBe(5);
    expect(damage(folders.settings)).toEqual([]);
  } finally {
    await t.close();
    folders.remove();
  }
});

test('closes indexes that nobody uses, and opens them when somebody does', async () => {
  const folders = new TestFolders();
  const t = new TestStore(folders);
  try {
    const { owners } = t.writer.state;
    const names = ['anna', 'bert', 'cora', 'dora', 'egon'];
    const open = () => [...owners.opened()].map(({ userid }) => userid).sort();
    const sweep = () => {
      // So many turns close all there can be; the last of them begins the next interval.
      for (let turn = 0; turn < names.length; turn++) owners.sweep();
    };
    await t.deliver(message(1), ...names);
    owners.sweep();
    expect(open()).toEqual(names);
    await t.deliver(message(2), 'cora');
    sweep();
    expect(open()).toEqual([]);
    for (const userid of names) {
      expect(statSync(`${t.writer.layout.index(`${userid[0]}/user/${userid}`)}-wal`).size).toBe(0);
    }
    await t.deliver(message(3), 'anna', 'cora');
    expect(open()).toEqual(['anna', 'cora']);
    expect(names.map((userid) => t.as(userid).info(inbox(userid)).exists)).toEqual([2, 1, 3, 1, 1]);
    expect(damage(folders.settings)).toEqual([]);
  } finally {
    await t.close();
    folders.remove();
  }
});

test('an index with an open transaction is not closed', async () => {
  const folders = new TestFolders();
  const t = new TestStore(folders);
  try {
    const { owners } = t.writer.state;
    await t.deliver(message(1), 'anna');
    const { redo } = t.writer;
    const append = redo.append.bind(redo);
    redo.append = async (records) => {
      for (let turn = 0; turn < 4; turn++) owners.sweep();
      expect([...owners.opened()].map(({ userid }) => userid)).toEqual(['anna']);
      await append(records);
    };
    expect((await t.deliver(message(2), 'anna'))[0]?.uid).toBe(2);
  } finally {
    await t.close();
    folders.remove();
  }
});
