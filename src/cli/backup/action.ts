/** What the actions of `mailstore backup` work with. */

import type { Settings } from '../../config/settings.ts';
import type { Target } from '../../store/backup/target.ts';
import type { CommandIo } from '../command.ts';

export interface BackupWork {
  readonly settings: Settings;
  readonly target: Target;
  readonly json: boolean;
  readonly io: CommandIo;
}

/** Resolves to the exit code. */
export type BackupAction = (work: BackupWork) => Promise<number>;
