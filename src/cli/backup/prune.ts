/** `mailstore backup prune`: removes old runs and what only they needed. */

import { type KeepPolicy, pruneTarget } from '../../store/backup/prune.ts';
import { layoutOf } from '../../store/layout.ts';
import { usageError } from '../options.ts';
import { EX_OK } from '../sysexits.ts';
import type { BackupAction, BackupOptions } from './action.ts';
import { bytesText } from './text.ts';

export const prune: BackupAction = async ({ settings, target, options, io }) => {
  const report = await pruneTarget(target, layoutOf(settings), policyOf(options));
  if (options.json) io.stdout(`${JSON.stringify(report)}\n`);
  else {
    io.stdout(
      `${report.removed.length} runs removed with ${report.files} files (${bytesText(report.bytes)}), ` +
        `${report.kept.length} kept.\n`,
    );
  }
  return EX_OK;
};

/** @throws MailError 'badsyntax' where nothing says what to keep */
export function policyOf({ keep, keepDaily, keepWeekly, keepMonthly }: BackupOptions): KeepPolicy {
  if ([keep, keepDaily, keepWeekly, keepMonthly].every((text) => text === undefined)) {
    throw usageError('backup prune needs one of --keep, --keep-daily, --keep-weekly, --keep-monthly');
  }
  const count = (text: string | undefined) => {
    if (text === undefined) return 0;
    if (!/^\d{1,6}$/.test(text)) throw usageError(`"${text}" is not a number of runs to keep`);
    return Number(text);
  };
  return {
    newest: count(keep),
    daily: count(keepDaily),
    weekly: count(keepWeekly),
    monthly: count(keepMonthly),
  };
}
