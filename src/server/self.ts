/** How this program starts itself again in another role. */

import type { SelfCommand } from './child.ts';

/** Whether this is the single executable rather than a run from source. */
export function compiled(): boolean {
  return Bun.main.startsWith('/$bunfs/');
}

/** The command of a role: the executable itself, or the runtime with our entry file when run from source. */
export function selfCommand(): SelfCommand {
  return compiled() ? [process.execPath, 'serve'] : [process.execPath, Bun.main, 'serve'];
}
