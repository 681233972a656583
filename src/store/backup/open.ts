/** The target an administrator names: a folder. */
import { isAbsolute } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import { userError } from '../../errors.ts';
import { DirectoryTarget } from './directory.ts';
import type { Target } from './target.ts';

/**
 * Opens a target by its text, that of the configuration unless given.
 * @throws MailError 'cannot' where neither names one or it cannot be one
 */
export function openTarget(settings: Settings, text: string | undefined): Target {
  const wanted = text ?? settings.backup_target;
  if (wanted === '') {
    throw userError('cannot', 'no target: name a folder, or set backup.target in the configuration');
  }
  if (!isAbsolute(wanted)) throw userError('cannot', `${wanted} is not a target: an absolute path is needed`);
  const path = wanted.replace(/\/+$/, '') || '/';
  for (const folder of [settings.configdirectory, ...Object.values(settings.partition)]) {
    if (path === folder || path.startsWith(`${folder}/`)) {
      throw userError(
        'cannot',
        `${path} lies inside the store (${folder}); a backup belongs on another disk`,
      );
    }
  }
  return new DirectoryTarget(path);
}
