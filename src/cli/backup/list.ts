/** `mailstore backup list`: the runs in a target. */

import { MailError } from '../../errors.ts';
import { lastFailure } from '../../store/backup/hold.ts';
import { type Manifest, readManifest, runNames, runOf } from '../../store/backup/manifest.ts';
import { layoutOf } from '../../store/layout.ts';
import { EX_DATAERR, EX_OK } from '../sysexits.ts';
import { formatTable, formatTime, printable } from '../table.ts';
import type { BackupAction } from './action.ts';
import { summaryOf } from './make.ts';
import { bytesText } from './text.ts';

export const list: BackupAction = async ({ settings, target, options, io }) => {
  const runs: { run: string; manifest: Manifest | null; error: string }[] = [];
  for (const name of await runNames(target)) {
    try {
      runs.push({ run: runOf(name), manifest: await readManifest(target, name), error: '' });
    } catch (error) {
      if (!(error instanceof MailError) || error.code !== 'corruption') throw error;
      runs.push({ run: runOf(name), manifest: null, error: error.message });
    }
  }
  const failure = lastFailure(layoutOf(settings).log);
  const failed = failure?.target === target.text ? failure : null;
  if (options.json) {
    const rows = runs.map(({ run, manifest, error }) =>
      manifest === null ? { run, error } : summaryOf(manifest)
    );
    io.stdout(`${JSON.stringify({ runs: rows, failed })}\n`);
  } else {
    if (runs.length === 0) io.stdout(`There is no complete backup in ${target.text}.\n`);
    io.stdout(formatTable(
      [
        { title: 'RUN' },
        { title: 'AS OF' },
        { title: 'USERS', right: true },
        { title: 'NEW MESSAGES', right: true },
        { title: 'SENT', right: true },
        { title: 'ANY SECOND SINCE' },
        { title: '' },
      ],
      runs.map(({ run, manifest, error }) =>
        manifest === null ? [run, '', '', '', '', '', error] : row(manifest)
      ),
    ));
    if (failed !== null) {
      io.stdout(`The last attempt failed at ${formatTime(failed.time)}: ${printable(failed.text)}\n`);
    }
  }
  return failed !== null || runs.some(({ manifest }) => manifest === null) ? EX_DATAERR : EX_OK;
};

function row({ name, head, owners, figures, unsaved }: Manifest): string[] {
  return [
    runOf(name),
    formatTime(head.time),
    String(owners.length),
    String(figures.objects),
    bytesText(figures.objectBytes + figures.indexBytes + figures.logBytes),
    head.previous?.split('-')[0] ?? '-',
    unsaved.length > 0 ? `${unsaved.length} things not saved` : '',
  ];
}
