/** A process that opens images of one recording: one job a line of standard input, one answer a line of standard output. */
import { Random } from '../../harness/random.ts';
import { leaveOut, type Omission } from './omission.ts';
import { WAY_NAMES } from './fates.ts';
import { recordRecovery } from './again.ts';
import { type Failure, Machine, newTally, someMoments, type Tally, waysAt } from './states.ts';
import { loadSubject } from './subject.ts';

export type Job =
  | {
    readonly kind: 'states';
    readonly seed: number;
    /** Distinct states to open, and the time after which no further one is begun. */
    readonly states: number;
    readonly milliseconds: number;
    readonly waysPerMoment: number;
  }
  | {
    readonly kind: 'again';
    readonly seed: number;
    /** Recoveries to record, distinct states of each to open, and the time after which nothing is begun. */
    readonly recoveries: number;
    readonly states: number;
    readonly milliseconds: number;
  }
  | { readonly kind: 'leave out'; readonly site: string; readonly seed: number; readonly most: number };

export interface StatesDone {
  readonly hashes: readonly string[];
  readonly ways: readonly (readonly [string, number])[];
  readonly moments: number;
  readonly owed: number;
  readonly failures: readonly Failure[];
}

export type Done = StatesDone | Omission;

/** More failures than this tell nothing new. */
const ENOUGH_FAILURES = 5;

const [, , subjectFile = '', folder = ''] = process.argv;
const subject = loadSubject(subjectFile);

async function openStates(job: Extract<Job, { kind: 'states' }>): Promise<StatesDone> {
  const random = new Random(job.seed);
  const machine = new Machine(subject, folder);
  try {
    const moments = await openSome(machine, random, job.states, job.milliseconds, job.waysPerMoment);
    return doneOf([machine.tally], moments);
  } finally {
    machine.remove();
  }
}

/** Opens states at moments all over the recording; returns at how many. */
async function openSome(
  machine: Machine,
  random: Random,
  states: number,
  milliseconds: number,
  waysPerMoment: number,
): Promise<number> {
  const begun = performance.now();
  const { tally } = machine;
  let moments = 0;
  const goesOn = (): boolean =>
    tally.hashes.size < states && performance.now() - begun < milliseconds &&
    tally.failures.length < ENOUGH_FAILURES;
  // Few moments at a time, so that all of the recording is looked at however early it ends.
  while (goesOn()) {
    for (const moment of someMoments(machine.subject.recording, 60, random)) {
      if (!goesOn()) break;
      machine.goTo(moment);
      moments++;
      await machine.open(waysAt(random, waysPerMoment), random);
    }
  }
  return moments;
}

/** Recoveries on some of the disks, each recorded, and the power lost in it. */
async function loseAgain(job: Extract<Job, { kind: 'again' }>): Promise<StatesDone> {
  const random = new Random(job.seed);
  const first = new Machine(subject, folder);
  const begun = performance.now();
  const tallies: Tally[] = [];
  let moments = 0;
  try {
    for (const moment of someMoments(subject.recording, job.recoveries, random)) {
      const left = job.milliseconds - (performance.now() - begun);
      if (left <= 0) break;
      first.goTo(moment);
      const way = random.pick(WAY_NAMES);
      const image = first.image(way, random);
      const name = `the recovery from ${moment}, ${way}`;
      const recorded = recordRecovery(first, image, `${folder}-recorded`, `second.${job.seed}.${moment}`);
      if ('wrong' in recorded) {
        tallies.push({ ...newTally(), failures: [{ at: 0, way: name, wrong: [recorded.wrong] }] });
        continue;
      }
      const machine = new Machine(recorded.subject, `${folder}-again`);
      try {
        moments += await openSome(machine, random, job.states, left, 2);
      } finally {
        machine.remove();
      }
      const failures = machine.tally.failures.map((one) => ({ ...one, way: `${one.way} in ${name}` }));
      tallies.push({ ...machine.tally, failures });
    }
  } finally {
    first.remove();
  }
  return doneOf(tallies, moments);
}

function doneOf(tallies: readonly Tally[], moments: number): StatesDone {
  return {
    hashes: tallies.flatMap(({ hashes }) => [...hashes].map((hash) => hash.toString(36))),
    ways: tallies.flatMap(({ ways }) => [...ways]),
    moments,
    owed: tallies.reduce((sum, { owed }) => sum + owed, 0),
    failures: tallies.flatMap(({ failures }) => failures),
  };
}

function run(job: Job): Promise<Done> {
  switch (job.kind) {
    case 'states':
      return openStates(job);
    case 'again':
      return loseAgain(job);
    case 'leave out':
      return leaveOut(subject, job.site, `${folder}-omitted`, job.seed, job.most);
  }
}

let rest = '';
for await (const chunk of Bun.stdin.stream()) {
  const lines = (rest + new TextDecoder().decode(chunk)).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    const job = JSON.parse(line) as Job;
    process.stdout.write(`${JSON.stringify(await run(job))}\n`);
  }
}
process.exit(0);
