/** The power goes in the very first start: nothing was taken in yet, so whatever is left is no damage and no loss. */
import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../../../src/store/layout.ts';
import { listSegments, SEGMENT_HEADER } from '../../../src/store/log/segment.ts';
import { damage, inbox, message, messageFiles, TestFolders, TestStore } from '../teststore.ts';

/** What became of a file; null for one that is not there. */
const FATES: Readonly<Record<string, (whole: Buffer) => Buffer | null>> = {
  missing: () => null,
  empty: () => Buffer.alloc(0),
  'zeros of its size': (whole) => Buffer.alloc(whole.length),
  'cut in the middle': (whole) => whole.subarray(0, whole.length >> 1),
  whole: (whole) => whole,
};

let folders: TestFolders;
afterEach(() => folders.remove());

function put(path: string, bytes: Buffer | null): void {
  rmSync(path, { force: true });
  if (bytes !== null) writeFileSync(path, bytes, { mode: 0o600 });
}

/** Files of a first start that was killed before anything was checkpointed. */
function firstStart(): { segment: string; directory: string } {
  folders = new TestFolders();
  new TestStore(folders).abandon();
  const { directory } = layoutOf(folders.settings);
  // Closing folded the journal into it.
  expect(existsSync(directory)).toBe(true);
  return { segment: listSegments(folders.log)[0] as string, directory };
}

async function takesMail(): Promise<void> {
  const t = new TestStore(folders, true);
  try {
    expect(t.lines.lines).toEqual([]);
    const [result] = await t.deliver(message('first'), 'anna');
    expect(result?.uid).toBe(1);
    expect(t.as('anna').info(inbox('anna')).exists).toBe(1);
  } finally {
    t.abandon();
  }
  expect(damage(folders.settings)).toEqual([]);
  const again = new TestStore(folders, true);
  expect(again.lines.lines).toEqual([]);
  expect(again.as('anna').info(inbox('anna')).exists).toBe(1);
  again.abandon();
}

describe('after a loss of power in the first start', () => {
  for (const [ofSegment, segmentFate] of Object.entries(FATES)) {
    for (const [ofDirectory, directoryFate] of Object.entries(FATES)) {
      test(`segment ${ofSegment}, directory.db ${ofDirectory}: a new store, silently`, async () => {
        const { segment, directory } = firstStart();
        const header = readFileSync(segment);
        expect(header.length).toBe(SEGMENT_HEADER);
        put(segment, segmentFate(header));
        put(directory, directoryFate(readFileSync(directory)));
        if (ofDirectory !== 'whole') put(`${directory}-wal`, null);
        put(`${directory}-shm`, null);
        await takesMail();
      });
    }
  }

  test('and again in the second one', async () => {
    const { segment, directory } = firstStart();
    put(segment, Buffer.alloc(10));
    for (const suffix of ['', '-wal', '-shm']) put(directory + suffix, null);
    new TestStore(folders).abandon();
    put(listSegments(folders.log).at(-1) as string, Buffer.alloc(0));
    for (const suffix of ['', '-wal', '-shm']) put(directory + suffix, null);
    await takesMail();
  });
});

test('where there are owners, a directory that is gone with the log is said to be lost', async () => {
  folders = new TestFolders();
  const first = new TestStore(folders);
  await first.deliver(message('one'), 'anna');
  first.abandon();
  const [segment = ''] = listSegments(folders.log);
  const { directory } = layoutOf(folders.settings);
  put(segment, Buffer.alloc(0));
  for (const suffix of ['', '-wal', '-shm']) put(directory + suffix, null);
  const marked = folders.copy();
  expect(() => new TestStore(marked, true)).toThrow(/damaged header.*--accept-log-loss/);
  marked.remove();
  // Without the mark nobody knows that the log held anything.
  put(join(folders.log, 'synced'), null);
  const t = new TestStore(folders, true);
  expect(t.lines.lines.join('\n')).toMatch(/error directory.db is damaged and made anew/);
  expect(messageFiles(folders.spool)).toHaveLength(1);
  t.abandon();
});
