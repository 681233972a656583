/** The role that makes one scheduled backup in a process of its own: it may take hours and must hold up nobody. */

import { runOf } from '../../store/backup/manifest.ts';
import { openTarget } from '../../store/backup/open.ts';
import { runBackup } from '../../store/backup/run.ts';
import type { RoleBody } from './role.ts';

export const backupBody: RoleBody = ({ settings }, log) =>
  Promise.resolve({
    // What was sent counts for the next run: ending at once loses nothing.
    stop: () => Promise.resolve(),
    job: async () => {
      const manifest = await runBackup(settings, openTarget(settings, undefined, process.env), log);
      const { objects, objectBytes, indexBytes, logBytes } = manifest.figures;
      log.info('backup made', {
        run: runOf(manifest.name),
        users: manifest.owners.length,
        messages: objects,
        bytes: objectBytes + indexBytes + logBytes,
      });
      for (const { userid, place, text } of manifest.unsaved) log.error('not saved', { userid, place, text });
    },
  });
