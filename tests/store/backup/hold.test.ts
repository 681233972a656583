/** What the log is kept for, and how much of it at most. */

import { afterEach, beforeEach, expect, test } from 'bun:test';
import { holdLog, releasedByBackup, rememberBackup } from '../../../src/store/backup/hold.ts';
import { Lines, TestFolders } from '../teststore.ts';

let folders: TestFolders;
let lines: Lines;

/** Ten segments of 100 bytes with ten records each. */
const SEGMENTS = Array.from({ length: 10 }, (_, n) => ({
  path: `${n}.log`,
  firstLsn: n * 10 + 1,
  lastLsn: n * 10 + 10,
  bytes: 100,
}));

beforeEach(() => {
  folders = new TestFolders();
  lines = new Lines();
});
afterEach(() => folders.remove());

function released(target: string, hold: number): number {
  return releasedByBackup(
    { ...folders.settings, backup_target: target, backup_hold_log: hold },
    lines,
    SEGMENTS,
  );
}

test('without a target and with nothing to hold everything may go', () => {
  expect(released('', 10_000)).toBe(10);
  expect(released('/backup', 0)).toBe(10);
  expect(lines.lines).toEqual([]);
});

test('what the last backup has may go, what it does not have stays', () => {
  expect(released('/backup', 10_000)).toBe(0);
  rememberBackup(folders.log, { target: '/backup', run: 'r', lsn: 45, time: 1_800_000_000 });
  expect(released('/backup', 10_000)).toBe(4);
  // That another target has it helps nobody who restores from this one.
  expect(released('/other', 10_000)).toBe(0);
  expect(lines.lines).toEqual([]);
});

test('never more than the bound, and what is given up is said with the remedy', () => {
  rememberBackup(folders.log, { target: '/backup', run: 'r', lsn: 20, time: 1_800_000_000 });
  expect(released('/backup', 350)).toBe(7);
  expect(lines.lines.length).toBe(1);
  expect(lines.lines[0]).toMatch(
    /^warn log given up that no backup has .*"segments":5.*2027-01-15.*mailstore backup/,
  );
});

test('a run holds what is behind its beginning while it lives, with or without a target', () => {
  const letGo = holdLog(folders.log, 30);
  expect(released('', 10_000)).toBe(3);
  letGo();
  expect(released('', 10_000)).toBe(10);
});
