/** `mailstore backup verify`: reads everything again. */

import { findRun } from '../../store/backup/manifest.ts';
import { verifyTarget } from '../../store/backup/verify.ts';
import { layoutOf } from '../../store/layout.ts';
import { EX_DATAERR, EX_OK } from '../sysexits.ts';
import { formatTable } from '../table.ts';
import type { BackupAction } from './action.ts';
import { bytesText } from './text.ts';

export const verify: BackupAction = async ({ settings, target, options, io }) => {
  const run = options.run === undefined ? undefined : await findRun(target, options.run);
  const report = await verifyTarget(target, layoutOf(settings), { quick: options.quick, run });
  const { findings, runs, files, messages, bytes } = report;
  if (options.json) io.stdout(`${JSON.stringify(report)}\n`);
  else {
    io.stdout(formatTable(
      [{ title: 'file' }, { title: 'finding' }],
      findings.map(({ place, text }) => [place, text]),
    ));
    io.stdout(
      `${runs} runs, ${files} indexes and logs, ${messages} messages, ${bytesText(bytes)} read: ` +
        `${findings.length > 0 ? 'damage found' : 'in order'}\n`,
    );
  }
  return findings.length > 0 || runs === 0 ? EX_DATAERR : EX_OK;
};
