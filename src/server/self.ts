/** How this program starts itself again in another role. */

import { existsSync } from 'node:fs';
import type { SelfCommand } from './child.ts';

const SELF = '/proc/self/exe';

/** Whether this is the single executable rather than a run from source. */
export function compiled(): boolean {
  return Bun.main.startsWith('/$bunfs/');
}

/**
 * The command of a role: the executable itself, or the runtime with our entry file when run from source. The link in
 * /proc is the file this process was started from even if an update has put another in its place, so that roles and
 * supervisor are always of one version.
 */
export function selfCommand(): SelfCommand {
  if (!compiled()) return [process.execPath, Bun.main, 'serve'];
  return [existsSync(SELF) ? SELF : process.execPath, 'serve'];
}
