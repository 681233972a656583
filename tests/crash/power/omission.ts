/** The machine tested: one kind of sync is left out of the recording, and a state is looked for in which that is noticed. */
import { Random } from '../../harness/random.ts';
import { Disk, type Fates } from './disk.ts';
import { without } from './fates.ts';
import type { Operation, Recording } from './operation.ts';
import { sitesOf } from './sites.ts';
import { Machine, type Subject } from './states.ts';

export interface Omission {
  readonly site: string;
  /** How many syncs of this kind the recording has. */
  readonly syncs: number;
  /** How many states were opened. */
  readonly states: number;
  /** What was wrong in the first that was; '' where nothing ever was. */
  readonly noticed: string;
}

/** So long after a sync the loss may show: at once, at the next acknowledgement, after the next checkpoint. */
const LATER = [1, 4, 20, 80, 300, 1000, 3000, 10_000] as const;

/** Syncs that are looked at in one go through the recording. */
const MOST_SYNCS = 10;

/** Looks until something is wrong, for at most so many states. */
export async function leaveOut(
  subject: Subject,
  site: string,
  folder: string,
  seed: number,
  most: number,
): Promise<Omission> {
  const random = new Random(seed);
  const sites = sitesOf(site);
  const syncs = subject.recording.operations.filter(({ change }) =>
    (change.kind === 'sync' || change.kind === 'syncall') && sites.has(change.site)
  );
  const machine = new Machine(subject, folder, sites, site.startsWith('snapshot') ? 1 : undefined);
  try {
    // Round after round through the recording, at other moments each time.
    for (let round = 0; syncs.length > 0 && round < 12 && machine.tally.hashes.size < most; round++) {
      const whole = new Disk(subject.recording);
      // Some of many, so that all of the recording has its turn.
      const some = syncs.filter(() => syncs.length <= MOST_SYNCS || random.below(syncs.length) < MOST_SYNCS);
      for (const moment of momentsAfter(some, subject, random)) {
        whole.advance(moment);
        machine.goTo(moment);
        const lost = machine.pending.difference(whole.pending);
        if (lost.size === 0) continue;
        for (const fates of fatesFor(lost, random)) {
          await machine.openWith('left out', fates);
          const [failure] = machine.tally.failures;
          if (failure === undefined) continue;
          return {
            site,
            syncs: syncs.length,
            states: machine.tally.hashes.size,
            noticed: failure.wrong[0] ?? '',
          };
        }
        if (machine.tally.hashes.size >= most) break;
      }
    }
    return { site, syncs: syncs.length, states: machine.tally.hashes.size, noticed: '' };
  } finally {
    machine.remove();
  }
}

/** Moments behind each sync, in order: some while later, and the last one before another sync makes up for it. */
function momentsAfter(syncs: readonly Operation[], { recording }: Subject, random: Random): number[] {
  const each = Math.ceil(12 / syncs.length);
  const moments = syncs.flatMap((sync) => [
    ...Array.from({ length: each }, () => Math.min(recording.end, sync.ended + random.pick(LATER))),
    ...madeUpFor(sync, recording),
  ]);
  return moments.sort((a, b) => a - b);
}

function madeUpFor({ change, ended }: Operation, { operations }: Recording): number[] {
  if (change.kind !== 'sync' && change.kind !== 'syncall') return [];
  const later = operations.filter((one) => one.begun > ended && 'site' in one.change);
  const same = later.find((one) =>
    one.change.kind === 'syncall' || one.change.kind === 'sync' && one.change.node === change.node
  );
  return [later[0], same].flatMap((one) => one === undefined ? [] : [one.begun, one.ended]);
}

/** What the missing sync would have kept is lost; of the rest everything, nothing or anything survives. */
function fatesFor(lost: ReadonlySet<Operation>, random: Random): Fates[] {
  const kept = without(lost, true);
  const some = (often: number): Fates => {
    const survives = (operation: Operation): boolean => !lost.has(operation) && random.below(10) < often;
    return {
      names: survives,
      size: survives,
      data: (operation, file, bytes) =>
        survives(operation)
          ? kept.data(operation, file, bytes)
          : { size: false, sector: () => false, stale: null },
    };
  };
  // Of a file that was made anew the name may be there and the bytes not.
  const named: Fates = { ...kept, names: () => true };
  return [kept, named, without(lost, false), some(0), some(5)];
}
