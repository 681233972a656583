/**
 * Joining the segments of the log again around what cannot be read of them, when the administrator accepts its loss: what is damaged
 * is kept under another name. What was lost stands in the note `losses` (losses.ts).
 */
import { existsSync, linkSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomBytes } from '../../crypto.ts';
import { decodeBatch, findBatchBehind } from './batch.ts';
import { isAcceptedLoss, type Loss, readLosses } from './losses.ts';
import { checkpointFiles, readCheckpoint } from './redo.ts';
import {
  encodeHeader,
  firstLsnOf,
  isUnmade,
  listSegments,
  readHeader,
  SEGMENT_HEADER,
  segmentFile,
  type SegmentHeader,
  syncFolder,
  writeDurably,
} from './segment.ts';
import { readSynced } from './synced.ts';

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
  const marked = readSynced(folder);
  const synced = isAcceptedLoss(readLosses(folder), null, marked) ? 0 : marked;
  /** LSN of the last record that can be read; null before the first segment. */
  let last: number | null = null;
  let missing: string | null = null;
  for (const [at, path] of paths.entries()) {
    const bytes = readFileSync(path);
    const next = paths[at + 1];
    const stands = readHeader(bytes);
    if (next === undefined && stands === null && isUnmade(path, marked)) break;
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
        synced: next === undefined ? synced : 0,
      },
    );
  }
  if (paths.length === 0 && synced > checkpoint) {
    plan.losses.push({ from: checkpoint + 1, through: synced, kept: null });
  }
  return plan;
}

/**
 * Of the newest segment nothing can be read: nobody knows how far it went, but not beyond its start counter. An empty one stays in
 * its place, so that its LSNs are never given again.
 */
function giveUpNewest(plan: Joining, path: string, last: number): void {
  const firstLsn = firstLsnOf(path);
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
  const firstLsn = firstLsnOf(path);
  const said = Number(bytes.readBigUInt64LE(24));
  // What its predecessor holds behind this was never acknowledged.
  const believable = said <= predecessorLast && said > predecessorLast - 2 ** 16;
  return { id, firstLsn, predecessorLast: believable ? said : predecessorLast, created: Date.now() };
}

/**
 * Goes through the batches of one segment. Returns the LSN of the last record that can be read.
 * @param synced the newest one's records went up to here, 0 where nobody knows
 */
function joinInside(
  plan: Joining,
  path: string,
  bytes: Buffer,
  header: SegmentHeader,
  rewritten: boolean,
  { checkpoint, limit, synced }: { checkpoint: number; limit: number; synced: number },
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
    const behind = findBatchBehind(bytes, at, header.id, Math.max(last + 1, header.firstLsn));
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
  // Zeros are space that was not used yet (ahead.ts).
  const torn = bytes.subarray(at).some((byte) => byte !== 0);
  const known = Math.max(last, checkpoint);
  if (synced > known) {
    plan.losses.push({ from: known + 1, through: synced, kept: torn ? keptAs(path) : null });
  }
  changed ||= synced > known && torn;
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
