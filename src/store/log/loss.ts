/**
 * Loss of a part of the log, accepted by the administrator: what is damaged is kept under another name, and the segments are
 * joined again around it. The note `losses` in the log folder says which LSNs are gone and whose changes may be among them, so that
 * recovery bridges these gaps and no others (DESIGN rules 3 and 5).
 */
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { MailError } from '../../errors.ts';
import { decodeBatch, findBatchBehind } from './batch.ts';
import { checkpointFiles, readCheckpoint } from './redo.ts';
import {
  encodeHeader,
  listSegments,
  readHeader,
  SEGMENT_HEADER,
  segmentFile,
  type SegmentHeader,
  syncFolder,
  writeDurably,
} from './segment.ts';

/** Records from one LSN to another, both included, that cannot be read any more. */
export interface Loss {
  readonly from: number;
  readonly through: number;
  /** The damaged file under the name it is kept by; null where the file itself is missing. */
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

/** A file of the joined log, to be written in place of what is there. */
interface Writing {
  readonly path: string;
  readonly bytes: Buffer;
}

/** What joins the segments again: nothing is changed before `join`. */
export interface Joining {
  readonly losses: Loss[];
  readonly writings: Writing[];
  /** Segments of which nothing can be read. */
  readonly unreadable: string[];
}

/** Name under which a damaged segment stays for whoever wants to look at it. */
function keptAs(path: string): string {
  for (let n = 0;; n++) {
    const name = `${path}.damaged${n === 0 ? '' : `-${n}`}`;
    if (!existsSync(name)) return name;
  }
}

/** Looks for what keeps the log from being read as a whole above the checkpoint, and how to go around it. */
export function planJoining(folder: string): Joining {
  const plan: Joining = { losses: [], writings: [], unreadable: [] };
  const stated = readCheckpoint(folder);
  const checkpoint = stated?.lsn ?? 0;
  const unbelievable = stated === null && checkpointFiles(folder).some((path) => existsSync(path));
  const paths = listSegments(folder);
  /** LSN of the last record that can be read; null before the first segment. */
  let last: number | null = null;
  let missing: string | null = null;
  for (const [at, path] of paths.entries()) {
    const bytes = readFileSync(path);
    const next = paths[at + 1];
    const stands = readHeader(bytes);
    // One whose making a crash ended.
    if (stands === null && next === undefined && statSync(path).size <= SEGMENT_HEADER) break;
    const limit = limitOf(next);
    if (limit <= checkpoint) {
      // Recovery does not read it.
      last = limit;
      continue;
    }
    const header = stands ?? headerFrom(bytes, path, last ?? checkpoint);
    if (header === null && next !== undefined) {
      plan.unreadable.push(path);
      missing = path;
      continue;
    }
    if (header === null) {
      giveUpNewest(plan, path, last ?? checkpoint);
      break;
    }
    // Like recovery: with a checkpoint that cannot be believed everything there is counts.
    const before: number = last ?? (unbelievable ? header.predecessorLast : checkpoint);
    let predecessorLast = header.predecessorLast;
    if (predecessorLast > before && predecessorLast > checkpoint) {
      const kept = missing === null ? null : keptAs(missing);
      plan.losses.push({ from: Math.max(before, checkpoint) + 1, through: predecessorLast, kept });
      predecessorLast = before;
    }
    missing = null;
    last = joinInside(
      plan,
      path,
      bytes,
      { ...header, predecessorLast },
      stands === null || predecessorLast !== header.predecessorLast,
      {
        checkpoint,
        limit,
      },
    );
  }
  return plan;
}

/**
 * Of the newest segment nothing can be read: nobody knows how far it went, but not beyond its start counter. An empty one stays in
 * its place, so that its LSNs are never given again.
 */
function giveUpNewest(plan: Joining, path: string, last: number): void {
  const firstLsn = parseInt(basename(path), 16);
  const through = (Math.floor(firstLsn / 2 ** 32) + 1) * 2 ** 32 - 1;
  plan.losses.push({ from: last + 1, through, kept: keptAs(path) });
  const id = randomBytes(8).readBigUInt64LE(0);
  plan.writings.push({
    path,
    bytes: encodeHeader({ id, firstLsn, predecessorLast: last, created: Date.now() }),
  });
}

/** Records of a segment count up to here: its successor says so. */
function limitOf(next: string | undefined): number {
  const header = next === undefined ? null : readHeader(readFileSync(next).subarray(0, SEGMENT_HEADER));
  return header?.predecessorLast ?? Number.MAX_SAFE_INTEGER;
}

/** The header of a segment whose own is damaged, if its batches can be read with the id that stands there. */
function headerFrom(bytes: Buffer, path: string, predecessorLast: number): SegmentHeader | null {
  if (bytes.length <= SEGMENT_HEADER) return null;
  const id = bytes.readBigUInt64LE(8);
  if (decodeBatch(bytes, SEGMENT_HEADER, id) === null) return null;
  const firstLsn = parseInt(basename(path), 16);
  const said = Number(bytes.readBigUInt64LE(24));
  // What its predecessor holds behind this was never acknowledged.
  const believable = said <= predecessorLast && said > predecessorLast - 2 ** 16;
  return { id, firstLsn, predecessorLast: believable ? said : predecessorLast, created: Date.now() };
}

/** Goes through the batches of one segment. Returns the LSN of the last record that can be read. */
function joinInside(
  plan: Joining,
  path: string,
  bytes: Buffer,
  header: SegmentHeader,
  rewritten: boolean,
  { checkpoint, limit }: { checkpoint: number; limit: number },
): number {
  let last = header.predecessorLast;
  let [start, into, changed, from] = [SEGMENT_HEADER, path, rewritten, header];
  let at = SEGMENT_HEADER;
  const end = (): void => {
    if (changed) {
      plan.writings.push({
        path: into,
        bytes: Buffer.concat([encodeHeader(from), bytes.subarray(start, at)]),
      });
    }
  };
  while (at < bytes.length) {
    const batch = decodeBatch(bytes, at, header.id);
    if (batch !== null) {
      if (batch.firstLsn > limit) break;
      last = batch.firstLsn + batch.count - 1;
      at = batch.end;
      continue;
    }
    const behind = findBatchBehind(bytes, at, header.id);
    const first = behind === -1 ? Infinity : Number(bytes.readBigUInt64LE(behind + 8));
    if (first > limit) break;
    if (first - 1 <= checkpoint) {
      // Recovery does not want it.
      at = behind;
      continue;
    }
    plan.losses.push({ from: Math.max(last, checkpoint) + 1, through: first - 1, kept: keptAs(path) });
    // What follows becomes a segment of its own, with the same id: its batches are checked with it.
    changed = true;
    end();
    [start, into, from] = [behind, join(dirname(path), segmentFile(first)), {
      ...header,
      firstLsn: first,
      predecessorLast: last,
    }];
    at = behind;
  }
  end();
  return Math.min(last, limit);
}

/** Joins the segments. What is damaged stays beside them under another name; doing it twice does no harm. */
export function joinLog(folder: string, plan: Joining): void {
  for (const path of plan.unreadable) renameSync(path, keptAs(path));
  // The later ones first: a segment that ends early is only right when its successor says so.
  for (const { path, bytes } of [...plan.writings].reverse()) {
    if (existsSync(path)) linkSync(path, keptAs(path));
    writeDurably(path, bytes);
  }
  syncFolder(folder);
}
