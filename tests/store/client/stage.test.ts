/** Messages on their way in: bytes in are bytes out, memory stays small, nothing is left behind. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../../../src/limits.ts';
import { sweepStage } from '../../../src/store/janitor/sweep.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { Random } from '../../harness/random.ts';
import { damage, inbox, Lines, message, messageFiles, TestFolders, TestStore } from '../teststore.ts';

let folders: TestFolders;
let t: TestStore;

beforeEach(() => {
  folders = new TestFolders();
  t = new TestStore(folders);
});
afterEach(async () => {
  await t.close();
  folders.remove();
});

function staged(): string[] {
  const folder = join(folders.spool, 'stage.');
  return existsSync(folder) ? readdirSync(folder) : [];
}

describe('a stage', () => {
  test('promise 3: bytes in are bytes out, at every size around the limit of what stays in memory', async () => {
    const random = new Random(3);
    const edge = limits.store_inline_body.value;
    const sizes = [0, 1, 2, edge - 1, edge, edge + 1, edge * 2 + 17, 5_000_000];
    for (const [at, size] of sizes.entries()) {
      const bytes = Buffer.alloc(size);
      for (let i = 0; i < size; i++) bytes[i] = random.below(256);
      const stage = t.store.stage(0);
      for (let from = 0; from < size;) {
        const to = from + 1 + random.below(Math.max(2, size >> 2));
        // What is written may be used again by whoever wrote it.
        const chunk = Buffer.from(bytes.subarray(from, to));
        stage.write(chunk);
        chunk.fill(0);
        from = to;
      }
      expect(stage.size).toBe(size);
      const target = await t.store.recipient({ userid: 'anna', detail: null, poster: null, size });
      const [result] = await t.store.deliver([{ target, message: await stage.finish() }], {
        ignoreQuota: false,
      });
      expect(result?.uid).toBe(at + 1);
      const handle = await t.as('anna').select(inbox('anna'), true, () => {});
      const [row] = handle.narrow(UidSet.of(at + 1), 0, 1);
      if (row === undefined) throw new Error('no row');
      const content = handle.content(row);
      expect(content.size).toBe(size);
      expect(Buffer.from(content.read(0, size + 10)).equals(bytes)).toBe(true);
      if (size > 100) {
        expect(Buffer.from(content.read(size - 50, size + 50)).equals(bytes.subarray(size - 50))).toBe(true);
        expect(content.read(size + 5, size + 50).length).toBe(0);
        expect(content.read(70, 30).length).toBe(0);
      }
      content.close();
      handle.close();
    }
    expect(damage(folders.settings)).toEqual([]);
  });

  test('promise 6: holds no more than the inline limit, however large the message', () => {
    const stage = t.store.stage(0);
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const held = () => {
      const { chunks } = stage as unknown as { chunks: Uint8Array[] };
      return chunks.reduce((sum, { length }) => sum + length, 0);
    };
    for (let n = 0; n < 800; n++) {
      stage.write(chunk);
      expect(held()).toBeLessThanOrEqual(limits.store_inline_body.value);
    }
    expect(statSync(join(folders.spool, 'stage.', staged()[0] as string)).size).toBe(800 * chunk.length);
    stage.abort();
    expect(staged()).toEqual([]);
  });

  test('holds nothing of a small message that is to be on disk', async () => {
    const stage = t.as('anna').stage(0, true);
    stage.write(Buffer.from(message(1)));
    expect(staged().length).toBe(1);
    const received = await stage.finish();
    await t.deliver(message(0), 'anna');
    expect(received.held).toBeLessThan(3 * received.header.length + 500);
    await t.as('anna').append(inbox('anna'), [{ message: received, flags: [], internaldate: null }]);
    const handle = await t.as('anna').select(inbox('anna'), true, () => {});
    const [row] = handle.narrow(UidSet.of(2), 0, 1);
    const content = handle.content(row as NonNullable<typeof row>);
    expect(Buffer.from(content.read(0, content.size)).toString()).toBe(message(1));
    content.close();
    handle.close();
    expect(damage(folders.settings)).toEqual([]);
  });

  test('messages whose descriptions do not fit into one record are refused together, and leave nothing', async () => {
    await t.deliver(message(0), 'anna');
    const anna = t.as('anna');
    const boundaries = Array.from(
      { length: 9_000 },
      (_, n) => `--b\r\nX-${n}: ${'y'.repeat(60)}\r\n\r\n.\r\n`,
    );
    const text = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${boundaries.join('')}--b--\r\n`;
    const messages = [];
    for (let bytes = 0; bytes <= limits.store_frame.value / 2;) {
      const stage = anna.stage(0);
      stage.write(Buffer.from(text));
      const received = await stage.finish();
      bytes += received.held - received.header.length;
      messages.push({ message: received, flags: [], internaldate: null });
    }
    await expect(anna.append(inbox('anna'), messages)).rejects.toMatchObject({ code: 'toobig' });
    for (const { message: received } of messages) received.abort();
    expect(staged()).toEqual([]);
    expect(anna.info(inbox('anna')).exists).toBe(1);
  });

  test('aborted at any time leaves nothing, twice and after the end as well', async () => {
    for (const size of [10, 200_000]) {
      const early = t.store.stage(0);
      early.write(Buffer.alloc(size));
      early.abort();
      early.abort();
      expect(() => early.write(Buffer.alloc(1))).toThrow();
      const late = t.store.stage(0);
      late.write(Buffer.alloc(size));
      const finished = await late.finish();
      late.abort();
      finished.abort();
      finished.abort();
    }
    expect(staged()).toEqual([]);
  });

  test('a message that nobody takes does not stay', async () => {
    await t.deliver(message(1), 'anna');
    await t.admin.setQuota(inbox('anna'), { storage: 1000, messages: null });
    const [refused] = await t.deliver(message('big', 200_000), 'anna');
    expect(refused?.error?.code).toBe('overquota');
    await t.append(t.as('anna'), inbox('anna'), message('big', 200_000)).catch(() => {});
    await t.append(t.as('bert'), inbox('anna'), message('big', 200_000)).catch(() => {});
    expect(staged()).toEqual([]);
    expect(messageFiles(folders.spool).length).toBe(1);
  });

  test('one that was used is not aborted any more', async () => {
    const stage = t.store.stage(0);
    stage.write(Buffer.from(message(1, 200_000)));
    const received = await stage.finish();
    const target = await t.store.recipient({ userid: 'anna', detail: null, poster: null, size: null });
    await t.store.deliver([{ target, message: received }], { ignoreQuota: false });
    received.abort();
    // The log may need it until the checkpoint.
    expect(staged().length).toBe(1);
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('the sweep', () => {
  test('takes what dead processes left, and nothing else', async () => {
    const folder = join(folders.spool, 'stage.');
    mkdirSync(folder, { recursive: true });
    const dead = Bun.spawnSync(['true']).pid;
    const names = { dead: `${dead}.aaaa`, young: `${dead}.bbbb`, ours: `${process.pid}.cccc` };
    for (const name of Object.values(names)) writeFileSync(join(folder, name), 'x');
    const old = new Date(Date.now() - 2 * 3600 * 1000);
    for (const name of [names.dead, names.ours]) utimesSync(join(folder, name), old, old);
    await t.deliver(message(1, 200_000), 'anna');
    for (const name of staged()) {
      if (!Object.values(names).includes(name)) utimesSync(join(folder, name), old, old);
    }
    // Without a checkpoint nobody knows what the log still needs.
    expect(sweepStage(folders.settings, new Lines())).toBe(0);
    await t.checkpoint();
    expect(sweepStage(folders.settings, new Lines())).toBe(1);
    expect(staged()).not.toContain(names.dead);
    expect(staged().length).toBe(3);
  });
});
