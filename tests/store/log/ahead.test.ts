/** Space that the log is given before it is needed: never read as anything, never in the way. */

import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Ahead } from '../../../src/store/log/ahead.ts';
import { encodeFrame } from '../../../src/store/log/frame.ts';
import { logEnd, logPieces } from '../../../src/store/log/piece.ts';
import { joinLog, planJoining } from '../../../src/store/log/loss.ts';
import { smallDisk } from '../faults.ts';
import { RedoLog } from '../../../src/store/log/redo.ts';
import { listSegments } from '../../../src/store/log/segment.ts';

// Other work may share the machine.
setDefaultTimeout(60_000);

const BIG = 1 << 30;
let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mailstore-ahead-'));
  folder = join(root, 'log');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function recover(from = folder, size = BIG): { log: RedoLog; lsns: number[] } {
  const lsns: number[] = [];
  const { log } = RedoLog.recover(from, size, 0, (record) => lsns.push(record.l));
  return { log, lsns };
}

/** Appends changes that come one by one. Returns their LSNs. */
async function alone(log: RedoLog, count: number): Promise<number[]> {
  const lsns: number[] = [];
  for (let n = 0; n < count; n++) {
    lsns.push(log.next);
    await log.append(
      [encodeFrame({ l: log.next, t: 0, c: `c${n}`, s: [], r: null }, [Buffer.alloc(900, n)])],
      true,
    );
    log.prepare();
  }
  return lsns;
}

function newest(): string {
  return listSegments(folder).at(-1) as string;
}

/** The log as a death of the process leaves it now, with its newest segment changed. */
function left(name: string, change: (bytes: Buffer) => Buffer): string {
  const target = join(root, name);
  mkdirSync(target);
  for (const path of listSegments(folder)) copyFileSync(path, join(target, basename(path)));
  copyFileSync(join(folder, 'synced'), join(target, 'synced'));
  writeFileSync(join(target, basename(newest())), change(readFileSync(newest())));
  return target;
}

describe('space ahead of the end of the log', () => {
  test('changes that come one by one do not make the file longer', async () => {
    const { log } = recover();
    await alone(log, 1);
    const { size, blocks } = statSync(newest());
    await alone(log, 100);
    expect(statSync(newest())).toMatchObject({ size, blocks });
    log.close();
  });

  test('a start behind a kill finds every change, and the log goes on', async () => {
    const { log } = recover();
    const lsns = await alone(log, 30);
    const killed = left('killed', (bytes) => bytes);
    log.close();
    const again = recover(killed);
    expect(again.lsns).toEqual(lsns);
    again.log.close();
    const third = recover(killed);
    expect(third.lsns).toEqual(lsns);
    third.log.close();
  });

  test('cut anywhere in the zeros nothing is missing; torn anywhere in the last batch only that is', async () => {
    const { log } = recover();
    const lsns = await alone(log, 3);
    const end = readFileSync(newest()).findLastIndex((byte) => byte !== 0) + 1;
    const size = statSync(newest()).size;
    for (const cut of [end, end + 1, end + 31, end + 5000, size - 1, size]) {
      const { log, lsns: found } = recover(left(`cut${cut}`, (bytes) => bytes.subarray(0, cut)));
      expect(found).toEqual(lsns);
      log.close();
    }
    log.close();
    // Zeros from there on, as if these blocks of the batch had not reached the disk; the mark is behind then.
    for (let at = end - 900; at < end; at += 7) {
      const torn = left(`torn${at}`, (bytes) => Buffer.from(bytes).fill(0, at));
      rmSync(join(torn, 'synced'));
      const { log, lsns: found } = recover(torn);
      expect(found).toEqual(lsns.slice(0, 2));
      log.close();
      rmSync(torn, { recursive: true });
    }
  });

  test('a batch that is zeros before another one is damage, not the end', async () => {
    const { log } = recover();
    await alone(log, 3);
    const start = readFileSync(newest()).indexOf('BATH', 60);
    const hole = left('hole', (bytes) => Buffer.from(bytes).fill(0, start, start + 200));
    log.close();
    expect(() => recover(hole)).toThrow(/damaged at offset \d+: a valid batch follows/);
  });

  test('copies of batches in space that was never synced are nothing, whether they stand before or were being written', async () => {
    const { log } = recover();
    const lsns = await alone(log, 3);
    const bytes = readFileSync(newest());
    const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
    const starts = [bytes.indexOf('BATH', 48), bytes.indexOf('BATH', 60), bytes.lastIndexOf('BATH')];
    for (const [n, start] of starts.entries()) {
      const copy = bytes.subarray(start, starts[n + 1] ?? end);
      const { log, lsns: found } = recover(
        left(`copied${n}`, (all) => (copy.copy(all, 200_000), copy.copy(all, 300_007), all)),
      );
      expect(found).toEqual(lsns);
      log.close();
    }
    // The last one has not reached its own place.
    const last = bytes.subarray(starts[2], end);
    const lost = left('written', (all) => (all.fill(0, starts[2]), last.copy(all, 200_000), all));
    rmSync(join(lost, 'synced'));
    const { log: other, lsns: found } = recover(lost);
    expect(found).toEqual(lsns.slice(0, 2));
    other.close();
    // Nor has the first of a segment.
    const first = left(
      'first',
      (all) => (all.fill(0, starts[0]), bytes.subarray(starts[0], starts[1]).copy(all, 200_000), all),
    );
    rmSync(join(first, 'synced'));
    const { log: empty, lsns: none } = recover(first);
    expect(none).toEqual([]);
    empty.close();
    log.close();
  });

  test('batches that were synced and are zeros now are missed', async () => {
    const { log } = recover();
    await alone(log, 3);
    const start = readFileSync(newest()).lastIndexOf('BATH');
    const gone = left('gone', (bytes) => Buffer.from(bytes).fill(0, start));
    log.close();
    expect(() => recover(gone)).toThrow(/redo log/);
    const plan = planJoining(gone);
    expect(plan.losses).toHaveLength(1);
    // There is nothing to keep for whoever wants to look at it.
    expect(plan.losses[0]?.kept).toBeNull();
    joinLog(gone, plan);
  });

  test('what was not used is given back when a segment ends and when the store is closed', async () => {
    const { log } = recover(folder, 20_000);
    const lsns = await alone(log, 40);
    log.close();
    for (const path of listSegments(folder)) expect(statSync(path).size).toBeLessThan(25_000);
    const again = recover(folder, 20_000);
    expect(again.lsns).toEqual(lsns);
    again.log.close();
  });

  test('whoever reads the log meanwhile finds its end', async () => {
    const { log } = recover();
    const lsns = await alone(log, 10);
    const last = lsns.at(-1) as number;
    expect(logEnd(folder, last).lsn).toBe(last);
    expect([...logPieces(folder, 0, last)].map(({ last }) => last)).toEqual([last]);
    log.close();
  });

  test('let go of, it is given back; on a disk that is short there is none', async () => {
    const { log } = recover();
    await alone(log, 3);
    log.relinquish();
    const end = readFileSync(newest()).findLastIndex((byte) => byte !== 0) + 1;
    expect(statSync(newest()).size).toBe(end);
    const lsns = await alone(log, 3);
    expect(lsns).toHaveLength(3);
    log.close();
    const disk = smallDisk(8 << 20);
    try {
      folder = join(disk.path, 'log');
      const small = recover().log;
      await alone(small, 3);
      expect(statSync(newest()).size).toBeLessThan(10_000);
      small.close();
    } finally {
      disk.unmount();
    }
  });

  test('no space for it does no harm', () => {
    const path = join(root, 'file');
    writeFileSync(path, 'abc');
    // A descriptor that cannot be written: every call fails.
    const fd = openSync(path, 'r');
    const ahead = new Ahead(fd, root);
    ahead.extend(3);
    ahead.extend(3);
    ahead.giveBack(3);
    closeSync(fd);
    expect(readFileSync(path, 'utf8')).toBe('abc');
  });
});
