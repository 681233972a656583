/** The mark of a store that is being restored: as long as it stands the store is not whole, and nobody may open it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MailError } from '../../errors.ts';
import { refuseHalfAccepted } from '../log/losses.ts';

/** Its name in the log folder. */
export const MARK = 'restoring';

export function restoreMark(logFolder: string): string {
  return join(logFolder, MARK);
}

/** Throws 'config' while something has not been completed that only who is at it may open the store for. */
export function refuseUnfinished(
  logFolder: string,
  { restoring = false, acceptingLoss = false }: { restoring?: boolean; acceptingLoss?: boolean },
): void {
  if (!restoring) refuseHalfRestored(logFolder);
  if (!acceptingLoss) refuseHalfAccepted(logFolder);
}

/** Throws 'config' while a restore has not been completed. */
export function refuseHalfRestored(logFolder: string): void {
  if (!existsSync(restoreMark(logFolder))) return;
  throw new MailError(
    'server',
    'config',
    'a restore of this store was not completed: run "mailstore restore" again, it goes on where it was',
  );
}
