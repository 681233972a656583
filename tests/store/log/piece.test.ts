/** What a backup saves of the log: all of it between two records, or an error. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFrame } from '../../../src/store/log/frame.ts';
import { logEnd, logPieces, readPiece } from '../../../src/store/log/piece.ts';
import { RedoLog } from '../../../src/store/log/redo.ts';
import { listSegments } from '../../../src/store/log/segment.ts';

let root: string;
let folder: string;
let log: RedoLog;
let lsns: number[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'mailstore-log-'));
  folder = join(root, 'log');
  log = RedoLog.recover(folder, 400, 0, () => {}).log;
  lsns = [];
  for (let n = 0; n < 12; n++) {
    const l = log.next;
    lsns.push(l);
    await log.append([encodeFrame({ l, t: 0, c: `c${l}`, s: [], r: null }, [Buffer.alloc(50, `${n}`)])]);
  }
});
afterEach(() => {
  log.close();
  rmSync(root, { recursive: true, force: true });
});

function saved(after: number, upTo: number): number[] {
  const found: number[] = [];
  for (const { bytes } of logPieces(folder, after, upTo)) {
    readPiece('piece', bytes, after, (record) => found.push(record.l));
  }
  return found;
}

test('between any two records', () => {
  expect(listSegments(folder).length).toBeGreaterThan(2);
  for (const [from, after] of [0, ...lsns].entries()) {
    for (const [at, upTo] of lsns.entries()) {
      if (at + 1 >= from) expect(saved(after, upTo)).toEqual(lsns.slice(from, at + 1));
    }
  }
  expect(logEnd(folder, log.next - 1).lsn).toBe(lsns.at(-1) as number);
});

test('of a log that goes on in another segment after a restart, and of one without news', () => {
  log.close();
  log = RedoLog.recover(folder, 400, 0, () => {}).log;
  const last = lsns.at(-1) as number;
  expect(saved(0, last)).toEqual(lsns);
  expect(saved(last, last)).toEqual([]);
  expect(saved(last, log.next - 1)).toEqual([]);
});

test('a segment that lacks something is an error, and nothing is left out', () => {
  const last = lsns.at(-1) as number;
  for (const path of [...listSegments(folder)].reverse()) {
    const whole = readFileSync(path);
    if (whole.length < 100) continue;
    const harms: (() => void)[] = [
      () => truncateSync(path, statSync(path).size - 3),
      () => truncateSync(path, 48),
      () => writeFileSync(path, Buffer.from(whole).fill(0, 60, 70)),
    ];
    for (const harm of harms) {
      harm();
      expect(() => saved(0, last)).toThrow(/redo log .* ends at/);
      writeFileSync(path, whole);
    }
  }
  expect(saved(0, last)).toEqual(lsns);
});
