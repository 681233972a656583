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
