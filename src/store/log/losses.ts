/**
 * The note `losses` in the log folder: which LSNs are gone with the administrator's consent and whose changes may be among them, so
 * that recovery bridges these gaps and no others (DESIGN rules 3 and 5).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MailError } from '../../errors.ts';
import { writeDurably } from './segment.ts';

/** Records from one LSN to another, both included, that cannot be read any more. */
export interface Loss {
  readonly from: number;
  readonly through: number;
  /** The damaged file under the name it is kept by; null where nothing more is in it, or the file itself is missing. */
  readonly kept: string | null;
}

/** One acceptance: the losses it found, and what came of it. */
export interface AcceptedLosses {
  losses: Loss[];
  /** Ids of owners who may have changes among them; null while that is not known. */
  owners: number[] | null;
  /** Everything was done: the store may be opened again. */
  done: boolean;
}

const NOTE = 'losses';

/** All acceptances, oldest first. */
export function readLosses(folder: string): AcceptedLosses[] {
  const path = join(folder, NOTE);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) as AcceptedLosses[] : [];
}

export function writeLosses(folder: string, all: readonly AcceptedLosses[]): void {
  writeDurably(join(folder, NOTE), `${JSON.stringify(all)}\n`);
}

/** Whether an owner's record of this LSN was lost, and the loss accepted. */
export function isAcceptedLoss(all: readonly AcceptedLosses[], owner: number | null, lsn: number): boolean {
  return all.some(({ losses, owners }) =>
    (owner === null || owners?.includes(owner) === true) &&
    losses.some(({ from, through }) => from <= lsn && lsn <= through)
  );
}

/** Throws 'config' while an acceptance has not been completed: numbers may have to be raised before anybody writes. */
export function refuseHalfAccepted(folder: string): void {
  if (readLosses(folder).every(({ done }) => done)) return;
  throw new MailError(
    'server',
    'config',
    'accepting a loss of the log was not completed: run "mailstore reconstruct --accept-log-loss" again, it goes on',
  );
}
