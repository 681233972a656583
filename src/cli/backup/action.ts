/** What the actions of `mailstore backup` work with. */

import type { Settings } from '../../config/settings.ts';
import type { Target } from '../../store/backup/target.ts';
import type { CommandIo } from '../command.ts';
import { type Arguments, configArguments } from '../options.ts';

export const backupArguments = {
  ...configArguments,
  run: { value: 'RUN' },
  quick: {},
  keep: { value: 'N' },
  keepDaily: { value: 'N' },
  keepWeekly: { value: 'N' },
  keepMonthly: { value: 'N' },
} as const;

export type BackupOptions = Arguments<typeof backupArguments>;

export interface BackupWork {
  readonly settings: Settings;
  readonly target: Target;
  readonly options: BackupOptions;
  readonly io: CommandIo;
}

/** Resolves to the exit code. */
export type BackupAction = (work: BackupWork) => Promise<number>;
