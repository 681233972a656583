/**
 * A backup of the recorded store, and a restore from it into folders beside it: what of them must be there when the power goes. A backup
 * that was told of is in its target; whatever runs the target names are whole. A restored store is complete, or refuses to be opened; with
 * `--force` it is the one before until it refuses.
 */
import { existsSync } from 'node:fs';
import type { Settings } from '../../../src/config/settings.ts';
import { MailError } from '../../../src/errors.ts';
import { DirectoryTarget } from '../../../src/store/backup/directory.ts';
import { verifyTarget } from '../../../src/store/backup/verify.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { type TestFolders, TestStore } from '../../store/teststore.ts';
import { readContents } from './contents.ts';
import type { Recording } from './operation.ts';

/** Below the root. */
export const TARGET = 'backup';

/** The settings of the store that a restore makes. */
export function restoredSettings(settings: Settings, here: string): Settings {
  const partition = Object.fromEntries(
    Object.keys(settings.partition).map((name) => [name, `${here}/restored-${name}`]),
  );
  return { ...settings, configdirectory: `${here}/restored-state`, partition };
}

/** What was told of backups and a restore up to a moment. */
export interface Told {
  readonly backups: number;
  /** Contents by their hash that the restored store may have: those of the last whole restore, and of the one that has begun. */
  readonly restored: readonly string[];
  /** It was told that a restore is complete, and none has begun since. */
  readonly complete: boolean;
}

export function toldUntil({ sent }: Recording, moment: number): Told {
  const words = sent.filter(({ caller, at }) => caller === 0 && at < moment).map(({ text }) => text);
  const hashes = sent.flatMap(({ caller, text }) =>
    caller === 0 && text.startsWith('restored ') ? [text.slice('restored '.length)] : []
  );
  const begun = words.filter((text) => text === 'doing restore').length;
  const whole = words.filter((text) => text.startsWith('restore-')).length;
  return {
    backups: words.filter((text) => text.startsWith('backup-')).length,
    restored: hashes.slice(Math.max(0, whole - 1), begun),
    complete: whole > 0 && whole === begun,
  };
}

/** What is wrong with target and restored store. */
export async function verifySaved(settings: Settings, here: string, told: Told): Promise<string[]> {
  const wrong: string[] = [];
  const target = new DirectoryTarget(`${here}/${TARGET}`);
  const report = await verifyTarget(target, layoutOf(settings), { quick: false });
  wrong.push(...report.findings.map(({ place, text }) => `backup: ${place}: ${text}`));
  if (report.runs < told.backups) wrong.push(`backup: ${report.runs} runs instead of ${told.backups}`);
  const restored = restoredSettings(settings, here);
  const layout = layoutOf(restored);
  if (!existsSync(layout.log) || !existsSync(layout.directory)) {
    if (told.complete) wrong.push('the restored store is not there');
    return wrong;
  }
  try {
    const store = new TestStore({ settings: restored } as TestFolders, true);
    try {
      wrong.push(...store.lines.lines.map((line) => `restored: ${line}`));
      const { hash } = readContents(restored, true);
      if (!told.restored.includes(hash)) wrong.push('the restored store opens and is not complete');
    } finally {
      store.abandon();
    }
  } catch (error) {
    const refused = error instanceof MailError && error.code === 'config';
    if (!refused || told.complete) {
      wrong.push(`restored: ${error instanceof Error ? error.stack ?? error.message : error}`);
    }
  }
  return wrong;
}
