/** The first start of a store on a new machine is nothing to worry about, and the log says so by saying nothing. */

import { expect, test } from 'bun:test';
import { TestStore } from '../harness/server.ts';

test('a new store starts without a word of damage', async () => {
  const store = await TestStore.start();
  try {
    await store.stop();
    expect(
      store.log.split('\n').filter((line) => /level=(error|warn)/.test(line) && !/stays root/.test(line)),
    )
      .toEqual([]);
  } finally {
    await store.dispose();
  }
}, 30_000);
