import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { MailError } from '../../../src/errors.ts';
import { encodeFrame } from '../../../src/store/log/frame.ts';
import type { LogRecord } from '../../../src/store/log/record.ts';
import { readCheckpoint, readLog, RedoLog } from '../../../src/store/log/redo.ts';
import { listSegments, SEGMENT_HEADER } from '../../../src/store/log/segment.ts';
import { Random } from '../../harness/random.ts';
import { unsyncable } from '../faults.ts';

// Other work may share the machine.
setDefaultTimeout(60_000);

const BIG = 1 << 30;
let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mailstore-log-'));
  folder = join(root, 'log');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function recover(in_ = folder, size = BIG): { log: RedoLog; lsns: number[]; records: LogRecord[] } {
  const records: LogRecord[] = [];
  const { log } = RedoLog.recover(in_, size, 0, (record) => records.push(record));
  return { log, lsns: records.map((record) => record.l), records };
}

/** Appends batches of so many records; returns their LSNs and the sizes of the file before each. */
async function fill(log: RedoLog, ...counts: number[]): Promise<{ lsns: number[]; ends: number[] }> {
  const lsns: number[] = [];
  const ends: number[] = [];
  for (const count of counts) {
    const frames: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const l = log.next + i;
      lsns.push(l);
      frames.push(
        encodeFrame({ l, t: 0, c: `c${l}`, s: [], r: { l } }, [Buffer.from(`blob of ${l} BATH BATH`)]),
      );
    }
    await log.append(frames);
    ends.push(statSync(listSegments(folder).at(-1) as string).size);
  }
  return { lsns, ends };
}

function corruption(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(MailError);
    expect((error as MailError).code).toBe('corruption');
    return (error as MailError).message;
  }
  throw new Error('nothing was noticed');
}

describe('redo log', () => {
  test('gives back in order what was appended, with its blobs', async () => {
    const { log } = recover();
    const { lsns } = await fill(log, 1, 3, 2);
    log.close();
    const again = recover();
    expect(again.lsns).toEqual(lsns);
    expect(Buffer.from(again.records[3]?.blobs[0] ?? []).toString()).toBe(`blob of ${lsns[3]} BATH BATH`);
    again.log.close();
  });

  test('rule 5: cut at every byte of the last batch, exactly that batch is missing', async () => {
    const { log } = recover();
    const { lsns, ends } = await fill(log, 2, 1, 2);
    log.close();
    const path = listSegments(folder)[0] as string;
    const whole = readFileSync(path);
    for (let cut = ends[1] as number; cut <= whole.length; cut++) {
      const target = join(root, `cut${cut}`);
      const first = RedoLog.recover(target, BIG, 0, () => {});
      first.log.close();
      for (const segment of listSegments(target)) rmSync(segment);
      writeFileSync(join(target, basename(path)), whole.subarray(0, cut));
      const after = recover(target);
      expect(after.lsns).toEqual(cut === whole.length ? lsns : lsns.slice(0, 3));
      after.log.close();
      rmSync(target, { recursive: true });
    }
  });

  test('rule 5: any flipped bit before the last batch stops the start, naming file and offset', async () => {
    const { log } = recover();
    const { ends } = await fill(log, 2, 1, 2, 1);
    log.close();
    const path = listSegments(folder)[0] as string;
    const whole = readFileSync(path);
    const starts = [SEGMENT_HEADER, ...ends];
    const random = new Random(5);
    for (let at = 0; at < (ends[2] as number); at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      writeFileSync(path, bytes);
      const text = corruption(() => recover());
      expect(text).toContain(path);
      const batch = starts.findLastIndex((start) => start <= at);
      if (at >= SEGMENT_HEADER) expect(text).toContain(`offset ${starts[batch]}:`);
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect(listSegments(folder)).toEqual([path]);
    }
  });

  test('rule 5: a flipped bit in the last batch ends the log before it', async () => {
    const { log } = recover();
    const { lsns, ends } = await fill(log, 2, 2);
    log.close();
    const path = listSegments(folder)[0] as string;
    const whole = readFileSync(path);
    for (let at = ends[0] as number; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ 1;
      const found: number[] = [];
      writeFileSync(path, bytes);
      readLog(folder, 0, (record) => found.push(record.l));
      expect(found).toEqual(lsns.slice(0, 2));
    }
  });

  test('a batch of another segment in a reused block is nothing', async () => {
    const { log } = recover();
    const { lsns, ends } = await fill(log, 1, 1);
    log.close();
    const path = listSegments(folder)[0] as string;
    const stale = readFileSync(path).subarray(ends[0]);
    const second = recover();
    const more = await fill(second.log, 1);
    second.log.close();
    const newest = listSegments(folder)[1] as string;
    writeFileSync(newest, Buffer.concat([readFileSync(newest), stale]));
    const after = recover();
    expect(after.lsns).toEqual([...lsns, ...more.lsns]);
    after.log.close();
  });

  test('rule 1: after a failed sync nothing is written any more, and what lies behind the last LSN is dead for ever', async () => {
    const { log } = recover();
    const { lsns } = await fill(log, 2);
    const path = listSegments(folder)[0] as string;
    const good = readFileSync(path);
    const pipe = unsyncable(root);
    const { current } = log as unknown as { current: { fd: number } };
    const real = current.fd;
    current.fd = pipe;
    const failing = fill(log, 1);
    expect(failing).rejects.toThrow(/writing the redo log .* failed/);
    await failing.catch(() => {});
    const lost = Buffer.alloc(4096);
    const taken = lost.subarray(0, readSync(pipe, lost, 0, lost.length, null));
    // Whatever becomes of the device: this object never writes again.
    current.fd = real;
    const refused = fill(log, 1);
    expect(refused).rejects.toThrow(/failed before and is closed/);
    await refused.catch(() => {});
    expect(statSync(path).size).toBe(good.length);
    writeFileSync(path, Buffer.concat([good, taken]));
    // The successor finds that batch torn and goes on; then the old batch's blocks appear after all.
    truncateSync(path, good.length + taken.length - 1);
    const successor = recover();
    expect(successor.lsns).toEqual(lsns);
    const more = await fill(successor.log, 1);
    successor.log.close();
    writeFileSync(path, Buffer.concat([good, taken]));
    const third = recover();
    expect(third.lsns).toEqual([...lsns, ...more.lsns]);
    third.log.close();
    const seen: number[] = [];
    readLog(folder, 0, (record) => seen.push(record.l));
    expect(seen).toEqual([...lsns, ...more.lsns]);
  });

  test('rule 3: an LSN is never given twice, whatever is torn off, removed or lost', async () => {
    const used = new Set<number>();
    let minimum = 0;
    for (let round = 0; round < 12; round++) {
      const { log } = RedoLog.recover(folder, BIG, minimum, () => {});
      const { lsns } = await fill(log, 2, 1);
      for (const lsn of lsns) {
        expect(used.has(lsn)).toBe(false);
        used.add(lsn);
      }
      minimum = log.start;
      log.close();
      const newest = listSegments(folder).at(-1) as string;
      if (round % 4 === 1) truncateSync(newest, statSync(newest).size - 5);
      if (round % 4 === 2) truncateSync(newest, SEGMENT_HEADER);
      // A loss of power leaves the mark behind what it tears off.
      if (round % 4 > 0) rmSync(join(folder, 'synced'));
      if (round % 4 === 3) rmSync(folder, { recursive: true });
    }
  });

  test('rotates before the batch that would not fit, and the chain of segments holds', async () => {
    const { log } = recover(folder, 300);
    const { lsns } = await fill(log, 1, 1, 1, 4, 1, 1, 2);
    log.close();
    expect(listSegments(folder).length).toBeGreaterThan(2);
    const again = recover(folder, 300);
    expect(again.lsns).toEqual(lsns);
    again.log.close();
  });

  test('rule 4: a rotation that fails fails its own batch, not the durable one before it', async () => {
    const { log } = recover(folder, 10);
    const first = await fill(log, 1);
    // The next segment's name is taken: it cannot be created.
    writeFileSync(join(folder, `${log.next.toString(16).padStart(14, '0')}.log`), '');
    expect(fill(log, 1)).rejects.toThrow(/EEXIST/);
    await Bun.sleep(0);
    const again = recover();
    expect(again.lsns).toEqual(first.lsns);
    again.log.close();
  });

  test('a segment whose creation was torn is removed, and the log goes on before it', async () => {
    for (const size of [0, 7, SEGMENT_HEADER - 1]) {
      const { log } = recover();
      await fill(log, 1);
      const next = join(folder, `${log.next.toString(16).padStart(14, '0')}.log`);
      log.close();
      writeFileSync(next, Buffer.alloc(size, 'MSLOG1\r\n'));
      const again = recover();
      expect(again.lsns.length).toBeGreaterThan(0);
      again.log.close();
      expect(listSegments(folder)).not.toContain(next);
    }
  });

  test('a missing or shortened segment in the middle is damage', async () => {
    const { log } = recover(folder, 10);
    await fill(log, 1, 1, 1, 1);
    log.close();
    const paths = listSegments(folder);
    const middle = paths[1] as string;
    copyFileSync(middle, join(root, 'kept'));
    truncateSync(middle, statSync(middle).size - 3);
    expect(corruption(() => recover())).toContain(middle);
    rmSync(middle);
    expect(corruption(() => recover())).toContain('acknowledged changes are missing');
    copyFileSync(join(root, 'kept'), middle);
    rmSync(paths[0] as string);
    expect(corruption(() => recover())).toContain('are missing before');
  });

  test('rule 7: segments go only below the checkpoint, which never goes back', async () => {
    const { log } = recover(folder, 10);
    const { lsns } = await fill(log, 1, 1, 1, 1);
    expect(log.removeThrough(lsns[2] as number)).toEqual([]);
    log.checkpoint(lsns[1] as number, 0);
    expect(log.removeThrough(lsns[2] as number).map((segment) => segment.lastLsn)).toEqual(lsns.slice(0, 2));
    log.checkpoint(lsns[0] as number, 0);
    expect(readCheckpoint(folder)?.lsn).toBe(lsns[1] as number);
    log.close();
    const again = recover();
    expect(again.lsns).toEqual(lsns.slice(2));
    again.log.close();
  });

  test('without its checkpoint the log is replayed as a whole', async () => {
    for (let round = 0; round < 3; round++) {
      const { log } = recover();
      if (round !== 1) await fill(log, 2);
      log.checkpoint(log.next - 1, 0);
      log.close();
    }
    rmSync(join(folder, 'checkpoint'));
    expect(recover().lsns).toEqual([]);
    rmSync(join(folder, 'checkpoint.copy'));
    const again = recover();
    expect(again.lsns.length).toBe(4);
    again.log.close();
  });

  test('files of the log are private', async () => {
    const { log } = recover();
    await fill(log, 1);
    log.checkpoint(1, 0);
    log.close();
    for (const path of [...listSegments(folder), join(folder, 'checkpoint')]) {
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
  });
});
