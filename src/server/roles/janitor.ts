/** The janitor's role: what can wait, at low priority. */

import { serverError } from '../../errors.ts';
import { runJanitor } from '../../store/janitor/run.ts';
import type { RoleBody } from './role.ts';

export const janitorBody: RoleBody = async ({ settings }, log) => {
  const janitor = await runJanitor(settings, log);
  return {
    stop: () => janitor.close(),
    job: async (job) => {
      switch (job) {
        case 'checkpoint':
          await janitor.checkpoint();
          break;
        case 'expire':
          await janitor.expire();
          break;
        case 'backup':
          throw serverError('backups are made by a role of their own', undefined, 'serverbug');
      }
    },
  };
};
