/** The roles of this program, each loaded only in the process that has it. */

import type { Role } from '../control.ts';
import type { RoleBody } from './role.ts';

/** What a role does. */
export async function roleBody(role: Role): Promise<RoleBody> {
  switch (role) {
    case 'writer':
      return (await import('./writer.ts')).writerBody;
    case 'janitor':
      return (await import('./janitor.ts')).janitorBody;
    case 'backup':
      return (await import('./backup.ts')).backupBody;
    case 'worker': {
      const [{ workerBody }, { makeProtocols }] = await Promise.all([
        import('./worker.ts'),
        import('./protocols.ts'),
      ]);
      return workerBody(makeProtocols);
    }
  }
}
