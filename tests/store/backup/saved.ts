/** Backups and restores for tests, in one process. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryTarget } from '../../../src/store/backup/directory.ts';
import type { Manifest } from '../../../src/store/backup/manifest.ts';
import { restorePoint } from '../../../src/store/backup/restore/point.ts';
import { type RestoreReport, restoreStore } from '../../../src/store/backup/restore/whole.ts';
import { runBackup } from '../../../src/store/backup/run.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { box, dump, inbox, message, TestFolders, TestStore } from '../teststore.ts';

const cleanup: (() => void)[] = [];
/** Removes all folders made here. */
export function cleanUp(): void {
  for (const clean of cleanup.splice(0)) clean();
}

export function folders(given: ConstructorParameters<typeof TestFolders>[0] = {}): TestFolders {
  const made = new TestFolders(given);
  cleanup.push(() => made.remove());
  return made;
}

export function targetFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mailstore-backup-'));
  cleanup.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function backup(from: TestFolders, path: string): Promise<Manifest> {
  return runBackup(from.settings, new DirectoryTarget(path), silentLog);
}

export async function restore(
  to: TestFolders,
  path: string,
  wanted: { run?: string; asOf?: number } = {},
  options = { force: false, newUidvalidity: false },
): Promise<RestoreReport> {
  const target = new DirectoryTarget(path);
  return await restoreStore(to.settings, target, await restorePoint(target, wanted), options, silentLog);
}

/** A dump without what a restore raises, and what names the file. */
export function contents(of: TestFolders): string {
  return dump(of.settings).split('\n').filter((line) => !/^(\S+ )?state /.test(line)).map((line) => {
    const space = / (mailbox|msg|expunged|seen) \[/.exec(line);
    if (space === null) return line;
    const row = JSON.parse(line.slice(line.indexOf('['))) as unknown[];
    // With what is raised its checksum, the last column, changes.
    const raised: Record<string, number[]> = { mailbox: [4, 5], msg: [3], expunged: [3], seen: [4] };
    for (const column of raised[space[1] as string] ?? []) row[column] = '*';
    row.pop();
    return `${line.slice(0, line.indexOf('['))}${JSON.stringify(row)}`;
  }).join('\n');
}

export async function withStore<T>(of: TestFolders, work: (store: TestStore) => Promise<T>): Promise<T> {
  const store = new TestStore(of);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** A bit of everything: several users, folders, flags, keywords, copies between users, expunged messages, large ones. */
export async function populate(store: TestStore): Promise<void> {
  for (let n = 0; n < 20; n++) await store.deliver(message(n, 200 + 60 * n), 'anna', 'bert', 'cora');
  await store.deliver(message('large', 300_000), 'anna', 'bert');
  const anna = store.as('anna');
  await anna.create(box('anna', 'Work'), ['\\Sent']);
  await anna.setAcl(box('anna', 'Work'), 'bert', 'lrswipte');
  await store.append(anna, box('anna', 'Work'), message('appended'), ['\\Flagged', 'todo'], 1_700_000_000);
  const mailbox = await anna.select(inbox('anna'), false, () => {});
  await mailbox.store(UidSet.range(1, 5), 'add', ['\\Seen', 'important']);
  await mailbox.store(UidSet.range(6, 7), 'add', ['\\Deleted']);
  await mailbox.expunge(null);
  await mailbox.copy(UidSet.range(1, 3), box('anna', 'Work'));
  mailbox.close();
  const bert = store.as('bert');
  const shared = await bert.select(inbox('bert'), false, () => {});
  await shared.move(UidSet.range(2, 3), box('anna', 'Work'));
  shared.close();
  await store.store.secrets.set('anna', '{"secret":"anna"}');
  await anna.subscribe(box('anna', 'Work'), true);
  await anna.scripts.put('main', Buffer.from('keep;'), { maxScripts: 5 });
  await anna.scripts.setActive('main');
}
