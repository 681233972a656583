/** Verifying a target: whatever is changed in it or taken from it is found and named. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DirectoryTarget } from '../../../src/store/backup/directory.ts';
import { type VerifyReport, verifyTarget } from '../../../src/store/backup/verify.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { Random } from '../../harness/random.ts';
import { message, type TestFolders } from '../teststore.ts';
import { backup, cleanUp, folders, populate, restore, targetFolder, withStore } from './saved.ts';

afterAll(cleanUp);

const random = new Random(20261125);

async function made(): Promise<{ from: TestFolders; path: string }> {
  const from = folders();
  const path = targetFolder();
  await withStore(from, populate);
  await backup(from, path);
  await withStore(from, (store) => store.deliver(message('second', 4_000), 'anna'));
  await backup(from, path);
  return { from, path };
}

function verify(of: TestFolders, path: string, quick = false): Promise<VerifyReport> {
  return verifyTarget(new DirectoryTarget(path), layoutOf(of.settings), { quick });
}

function filesOf(path: string, kind: string): string[] {
  return readdirSync(join(path, kind), { recursive: true, encoding: 'utf8' }).map((name) => `${kind}/${name}`)
    .filter((name) => statSync(join(path, name)).isFile()).sort();
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
  writeFileSync(path, bytes);
}

describe('a target', () => {
  let from: TestFolders;
  let path: string;
  beforeAll(async () => {
    ({ from, path } = await made());
  });

  test('that is whole is in order', async () => {
    const report = await verify(from, path);
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ runs: 2, messages: filesOf(path, 'objects').length });
  });

  for (const kind of ['objects', 'index', 'log', 'runs']) {
    test(`with a flipped bit, a cut and a missing file in ${kind} is not`, async () => {
      for (const harm of [flip, (file: string) => truncateSync(file, statSync(file).size - 1), rmSync]) {
        const other = targetFolder();
        cpSync(path, other, { recursive: true });
        const victim = random.pick(filesOf(other, kind));
        harm(join(other, victim));
        const { findings, runs } = await verify(from, other);
        if (kind === 'runs' && harm === rmSync) expect(runs).toBe(1);
        else expect(findings.map(({ place }) => place)).toContain(victim);
      }
    });
  }

  test('with messages of another size is found quickly, too', async () => {
    const other = targetFolder();
    cpSync(path, other, { recursive: true });
    const victim = random.pick(filesOf(other, 'objects'));
    truncateSync(join(other, victim), 3);
    const { findings } = await verify(from, other, true);
    expect(findings).toEqual([{ place: victim, text: expect.stringContaining('has 3 bytes instead of') }]);
  });

  test('that lost a message gives back all others and says which is missing', async () => {
    const other = targetFolder();
    cpSync(path, other, { recursive: true });
    const [victim] = filesOf(other, 'objects');
    flip(join(other, victim as string));
    const to = folders();
    const report = await restore(to, other);
    expect(report.unsaved.length).toBeGreaterThan(0);
    for (const { place } of report.unsaved) expect(place).toContain((victim as string).slice(-64, -24));
    expect(report.messages).toBeGreaterThan(report.unsaved.length);
  });
});

test('damage in the store is reported by the run, and everything else is saved', async () => {
  const { from, path } = await made();
  await withStore(from, (store) => store.deliver(message('rots', 5_000), 'dora'));
  const [victim] = filesOf(from.spool, '.').filter((name) => /dora.*\/[0-9a-f]{40}\./.test(name)) as [string];
  flip(join(from.spool, victim));
  await withStore(from, (store) => store.deliver(message('and more'), 'dora', 'anna'));
  const last = await backup(from, path);
  expect(last.unsaved).toEqual([
    {
      userid: 'dora',
      place: join(from.spool, victim),
      text: expect.stringContaining('does not have the bytes'),
    },
  ]);
  // Repaired from wherever, it is saved by the next run.
  writeFileSync(join(from.spool, victim), message('rots', 5_000));
  expect(await backup(from, path)).toMatchObject({ unsaved: [], figures: { objects: 1 } });
  const to = folders();
  expect(await restore(to, path)).toMatchObject({ owners: 4, unsaved: [] });
});
