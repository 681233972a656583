/**
 * The claim that every batch of the log but the last one is committed in its databases, kept as a file in the log folder.
 *
 * Batches are strictly sequential: the next one is appended only when the databases of the one before are committed. What is
 * committed survives the death of the process, so as long as the machine stays up a restart has to look at the last batch alone.
 * The claim is made after a complete recovery, and broken before anything is appended that it would be wrong for: when a commit
 * fails, when an owner is closed.
 *
 * It is not synced, and holds for one boot of the machine, one log folder and one directory.db: after a loss of power, in a copy
 * of the store, and with databases that were put back from elsewhere, everything is replayed.
 */
import { readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../layout.ts';
import { errno } from '../spool/spool.ts';
import { bootId } from './boot.ts';

function pathIn(layout: Layout): string {
  return join(layout.log, 'committed');
}

/** What a claim for this store says now; null where the machine does not tell its boots apart. */
function claimOf(layout: Layout): string | null {
  const boot = bootId();
  if (boot === '') return null;
  const files = [layout.log, layout.directory].map((path) => statSync(path));
  return `${boot.trim()} ${files.map(({ dev, ino }) => `${dev}:${ino}`).join(' ')}\n`;
}

/** Whether the claim stands. */
export function isCommitted(layout: Layout): boolean {
  try {
    return readFileSync(pathIn(layout), 'latin1') === claimOf(layout);
  } catch {
    return false;
  }
}

/** Makes the claim. Without it the next start takes longer, so it may fail. */
export function claimCommitted(layout: Layout): void {
  const claim = claimOf(layout);
  if (claim === null || isCommitted(layout)) return;
  try {
    writeFileSync(pathIn(layout), claim, { mode: 0o600 });
  } catch {
    rmSync(pathIn(layout), { force: true });
  }
}

/** Breaks the claim. Throws when it cannot: nothing may be appended then. */
export function breakClaim(layout: Layout): void {
  try {
    unlinkSync(pathIn(layout));
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error;
  }
}
