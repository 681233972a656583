/** A process that opens images of one recording: one job a line of standard input, one answer a line of standard output. */
import { Random } from '../../harness/random.ts';
import { leaveOut, type Omission } from './omission.ts';
import { type Failure, Machine, someMoments, waysAt } from './states.ts';
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
  const begun = performance.now();
  let moments = 0;
  const { tally } = machine;
  const goesOn = (): boolean =>
    tally.hashes.size < job.states && performance.now() - begun < job.milliseconds &&
    tally.failures.length < ENOUGH_FAILURES;
  try {
    // Few moments at a time, so that all of the recording is looked at however early it ends.
    while (goesOn()) {
      for (const moment of someMoments(subject.recording, 60, random)) {
        if (!goesOn()) break;
        machine.goTo(moment);
        moments++;
        await machine.open(waysAt(random, job.waysPerMoment), random);
      }
    }
  } finally {
    machine.remove();
  }
  return {
    hashes: [...tally.hashes].map((hash) => hash.toString(36)),
    ways: [...tally.ways],
    moments,
    owed: tally.owed,
    failures: tally.failures,
  };
}

let rest = '';
for await (const chunk of Bun.stdin.stream()) {
  const lines = (rest + new TextDecoder().decode(chunk)).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    const job = JSON.parse(line) as Job;
    const done: Done = job.kind === 'states'
      ? await openStates(job)
      : await leaveOut(subject, job.site, `${folder}-omitted`, job.seed, job.most);
    process.stdout.write(`${JSON.stringify(done)}\n`);
  }
}
process.exit(0);
