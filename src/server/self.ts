/** How this program starts itself again in another role. */

import { existsSync } from 'node:fs';
import type { SelfCommand } from './child.ts';

const SELF = '/proc/self/exe';

/** Whether this is the single executable rather than a run from source. */
export function compiled(): boolean {
  return Bun.main.startsWith('/$bunfs/');
}

/**
 * This program: the executable itself, or the runtime with our entry file when run from source. The link in /proc is the
 * file this process was started from even if an update has put another in its place.
 */
export function selfProgram(): readonly [string, ...string[]] {
  return compiled() ? [existsSync(SELF) ? SELF : process.execPath] : [process.execPath, Bun.main];
}

/** The command of a role; roles and supervisor are always of one version. */
export function selfCommand(): SelfCommand {
  return [...selfProgram(), 'serve'];
}
