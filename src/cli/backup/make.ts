/** `mailstore backup [TARGET]`: one run. */

import { type Manifest, runOf } from '../../store/backup/manifest.ts';
import { runBackup } from '../../store/backup/run.ts';
import { createLog } from '../../telemetry/log.ts';
import type { CommandIo } from '../command.ts';
import { EX_DATAERR, EX_OK } from '../sysexits.ts';
import { formatTable, formatTime } from '../table.ts';
import { bytesText } from './text.ts';
import type { BackupAction } from './action.ts';

export const make: BackupAction = async ({ settings, target, options, io }) => {
  const log = createLog({ level: 'warn', journal: false });
  const manifest = await runBackup(settings, target, log);
  if (options.json) io.stdout(`${JSON.stringify(summaryOf(manifest))}\n`);
  else print(manifest, io);
  return manifest.unsaved.length > 0 ? EX_DATAERR : EX_OK;
};

/** A run as --json prints it. Times are unix seconds, sizes bytes. */
export function summaryOf({ name, head, owners, unsaved, figures }: Manifest): Record<string, unknown> {
  const { begun, time, through, previous } = head;
  return {
    run: runOf(name),
    begun,
    time,
    through,
    previous,
    users: owners.length,
    sent: figures,
    unsaved,
  };
}

function print(manifest: Manifest, io: CommandIo): void {
  const { head, owners, figures, unsaved } = manifest;
  io.stdout(
    `Backup ${runOf(manifest.name)}: ${owners.length} users as of ${formatTime(head.time)}; sent ` +
      `${figures.objects} messages (${bytesText(figures.objectBytes)}), ${figures.indexes} indexes ` +
      `(${bytesText(figures.indexBytes)}), ${bytesText(figures.logBytes)} of log.\n`,
  );
  if (unsaved.length === 0) return;
  io.stderr(`${unsaved.length} things could not be saved; "mailstore check" looks into them:\n`);
  const rows = unsaved.map(({ userid, place, text }) => [userid, place, text]);
  io.stderr(formatTable([{ title: 'user' }, { title: 'place' }, { title: 'what' }], rows));
}
