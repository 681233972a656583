/** The moment a restore goes back to: a run, and what of the log is applied on top of it. */
import { MailError, userError } from '../../../errors.ts';
import {
  findRun,
  type Manifest,
  nameOf,
  newestRun,
  readManifest,
  runNames,
  runOf,
  type SavedPiece,
} from '../manifest.ts';
import type { Target } from '../target.ts';

export interface RestorePoint {
  readonly base: Manifest;
  /** Pieces of the log behind the copies of the run, in order. */
  readonly pieces: readonly SavedPiece[];
  /** Records above this LSN are not applied, */
  readonly lsn: number;
  /** nor what comes behind the first record of a later second than this. */
  readonly through: number;
  /** Unix seconds of the state that comes out. */
  readonly time: number;
}

/** A time as people read it in messages. */
function shown(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** The state of a run: its copies brought to its cut. */
function stateOf(base: Manifest): RestorePoint {
  const { cut, time } = base.head;
  const pieces = base.head.log.filter(({ last }) => last > base.head.base);
  return { base, pieces, lsn: cut, through: Number.MAX_SAFE_INTEGER, time };
}

/**
 * The point an administrator asks for: the newest run, a named one, or the end of a second.
 * @throws MailError 'nonexistent' where there is no backup, 'cannot' where the log does not reach that moment
 */
export async function restorePoint(
  target: Target,
  wanted: { readonly run?: string | undefined; readonly asOf?: number | undefined },
): Promise<RestorePoint> {
  if (wanted.run !== undefined) return stateOf(await findRun(target, wanted.run));
  const damaged: MailError[] = [];
  if (wanted.asOf === undefined) {
    const newest = await newestRun(target, (error) => damaged.push(error));
    if (newest !== null) return stateOf(newest);
    throw damaged[0] ?? userError('nonexistent', `there is no complete backup in ${target.text}`);
  }
  return await pointAt(target, wanted.asOf);
}

/** The run whose cut this one's log continues; null where there was none or it was pruned. */
async function runBefore(target: Target, run: Manifest): Promise<Manifest | null> {
  if (run.head.previous === null) return null;
  try {
    return await readManifest(target, nameOf(run.head.previous));
  } catch (error) {
    if (error instanceof MailError && error.code === 'nonexistent') return null;
    throw error;
  }
}

/** The newest run not later than the second, and the log of the runs behind it that continue it. */
async function pointAt(target: Target, second: number): Promise<RestorePoint> {
  const names = await runNames(target);
  if (names.length === 0) throw userError('nonexistent', `there is no complete backup in ${target.text}`);
  let follower: Manifest | null = null;
  let newest: Manifest | null = null;
  // Runs sort by time: from the newest back to the first one that has the whole second.
  for (const name of names.toReversed()) {
    let manifest: Manifest;
    try {
      manifest = await readManifest(target, name);
    } catch (error) {
      if (error instanceof MailError && error.code === 'corruption') continue;
      throw error;
    }
    newest ??= manifest;
    if (manifest.head.through < second) break;
    follower = manifest;
  }
  if (follower === null) {
    const upTo = newest === null ? 'nothing' : shown(newest.head.through);
    throw userError(
      'cannot',
      `the backups in ${target.text} reach to ${upTo}; make another one first, or go back to a run without --as-of`,
    );
  }
  const pieces: SavedPiece[] = [];
  for (let run = follower;;) {
    pieces.unshift(...run.head.log);
    const earlier = await runBefore(target, run);
    if (earlier === null) {
      throw userError(
        'cannot',
        `no backup in ${target.text} from before ${shown(second)} has a log that reaches to it; ` +
          `the first moment is ${shown(run.head.time)} (run ${runOf(run.name)})`,
      );
    }
    run = earlier;
    if (run.head.time > second) continue;
    const { base, cut } = run.head;
    const own = run.head.log.filter(({ last }) => last > base);
    return {
      base: run,
      pieces: [...own, ...pieces.filter(({ last }) => last > cut)],
      lsn: Number.MAX_SAFE_INTEGER,
      through: second,
      time: second,
    };
  }
}
