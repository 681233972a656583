/** The whole machine: record, make the rightful states, open disk states in several processes, leave out each sync. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Omission } from './omission.ts';
import { makeReference } from './reference.ts';
import { UNNOTICED } from './sites.ts';
import type { Failure } from './states.ts';
import { saveSubject } from './subject.ts';
import type { Done, Job, StatesDone } from './worker.ts';
import { record } from './workload.ts';

export interface PowerOptions {
  readonly seed: number;
  /** Rounds of the recorded workload. */
  readonly rounds: number;
  /** Distinct disk states to open, and how long at most. */
  readonly states: number;
  readonly milliseconds: number;
  /** Recoveries to record and lose the power in, distinct states of each, and how long at most. */
  readonly again: { readonly recoveries: number; readonly states: number; readonly milliseconds: number };
  /** States to try for each sync that is left out; 0 leaves none out. */
  readonly omissionStates: number;
  /** Which syncs are left out in turn. */
  readonly sites: readonly string[];
  /** Where the recording is left when a disk was wrong. */
  readonly keep?: string | undefined;
  report(text: string): void;
}

export interface PowerOutcome {
  readonly operations: number;
  readonly syncs: number;
  /** Changes that the recorded store acknowledged. */
  readonly acknowledged: number;
  /** Moments at which the power went, and distinct disks. */
  readonly moments: number;
  readonly states: number;
  /** Names of the disks, to count those of several runs together. */
  readonly hashes: ReadonlySet<string>;
  /** How many of them by a loss of power in the recovery from another. */
  readonly second: number;
  /** Acknowledged changes that had to be there, summed over the states. */
  readonly owed: number;
  readonly ways: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
  /** Promises that the recorded store itself broke, without any loss of power. */
  readonly wrong: readonly string[];
  readonly omissions: readonly Omission[];
  /** Syncs of a kind that has no name yet. */
  readonly unknownSyncs: number;
}

/** A process that does jobs. */
class Worker {
  private readonly child: Bun.Subprocess<'pipe', 'pipe', 'inherit'>;
  private readonly lines: AsyncIterator<string>;

  constructor(subject: string, folder: string) {
    const program = join(import.meta.dir, 'worker.ts');
    this.child = Bun.spawn([process.execPath, program, subject, folder], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    });
    this.lines = linesOf(this.child.stdout);
  }

  async do(job: Job): Promise<Done> {
    void this.child.stdin.write(`${JSON.stringify(job)}\n`);
    void this.child.stdin.flush();
    const answer = await this.lines.next();
    if (answer.done === true) {
      throw new Error(`a process ended (${await this.child.exited}) in ${JSON.stringify(job)}`);
    }
    return JSON.parse(answer.value) as Done;
  }

  async end(): Promise<void> {
    await this.child.stdin.end();
    await this.child.exited;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** Runs it; everything it made is gone afterwards. */
export async function losePower(options: PowerOptions): Promise<PowerOutcome> {
  const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = mkdtempSync(join(memory, 'mailstore-power-'));
  const home = process.cwd();
  const workers: Worker[] = [];
  try {
    const recorded = await record(options);
    const { recording, settings } = recorded;
    options.report(
      `${recording.operations.length} operations recorded, ${recorded.acknowledged.length} acknowledged`,
    );
    const reference = makeReference(recorded, join(folder, 'reference'));
    process.chdir(home);
    options.report(`${reference.states.length} rightful states`);
    const file = join(folder, 'subject');
    saveSubject({ settings, recording, states: reference.states, owed: reference.owed, highestLsn: 0 }, file);
    const count = availableParallelism();
    for (let n = 0; n < count; n++) workers.push(new Worker(file, join(folder, `images${n}`)));
    const done = reference.wrong.length > 0 ? [] : await Promise.all(workers.map((worker, n) =>
      worker.do({
        kind: 'states',
        seed: options.seed * count + n,
        states: Math.ceil(options.states / count),
        milliseconds: options.milliseconds,
        waysPerMoment: 4,
      })
    )) as StatesDone[];
    const again = reference.wrong.length > 0 ? [] : await Promise.all(workers.map((worker, n) =>
      worker.do({
        kind: 'again',
        seed: options.seed * count + n,
        recoveries: Math.ceil(options.again.recoveries / count),
        states: options.again.states,
        milliseconds: options.again.milliseconds,
      })
    )) as StatesDone[];
    const second = new Set(again.flatMap((one) => one.hashes));
    const hashes = new Set([...done.flatMap((one) => one.hashes), ...second]);
    const failed = [...done, ...again].flatMap((one) => one.failures);
    options.report(
      `${hashes.size} distinct disks opened, ${second.size} of them after a loss of power in the recovery, ` +
        `${failed.length} wrong`,
    );
    for (const { at, way, wrong } of failed) {
      options.report(`wrong at ${at}, ${way}: ${wrong.slice(0, 3).join('; ')}`);
    }
    if (failed.length > 0 && options.keep !== undefined) {
      copyFileSync(file, options.keep);
      options.report(`the recording is kept in ${options.keep}`);
    }
    const omissions = options.omissionStates === 0 || reference.wrong.length > 0
      ? []
      : await leaveOutEach(workers, options);
    for (const worker of workers) await worker.end();
    return {
      operations: recording.operations.length,
      syncs: recording.operations.filter(({ change }) =>
        change.kind === 'sync' || change.kind === 'syncall'
      ).length,
      acknowledged: reference.changes,
      moments: sum([...done, ...again].map((one) => one.moments)),
      states: hashes.size,
      hashes,
      second: second.size,
      owed: sum([...done, ...again].map((one) => one.owed)),
      ways: waysOf(done),
      failures: failed,
      wrong: reference.wrong,
      omissions,
      unknownSyncs: recording.operations.filter(({ change }) =>
        'site' in change && change.site === 'other'
      ).length,
    };
  } finally {
    process.chdir(home);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function leaveOutEach(workers: readonly Worker[], options: PowerOptions): Promise<Omission[]> {
  const { sites } = options;
  const waiting = [...sites];
  const found = new Map<string, Omission>();
  await Promise.all(workers.map(async (worker) => {
    for (let site = waiting.shift(); site !== undefined; site = waiting.shift()) {
      // What cannot be noticed is looked for less long.
      const most = Math.ceil(options.omissionStates / (site in UNNOTICED ? 8 : 1));
      const job: Job = { kind: 'leave out', site, seed: options.seed, most };
      const omission = await worker.do(job) as Omission;
      const { syncs, states, noticed } = omission;
      found.set(site, omission);
      options.report(
        `without "${site}" (${syncs} syncs, ${states} disks): ${
          noticed === '' ? 'not noticed' : noticed.slice(0, 200)
        }`,
      );
    }
  }));
  return sites.flatMap((site) => found.get(site) ?? []);
}

function waysOf(done: readonly StatesDone[]): Map<string, number> {
  const ways = new Map<string, number>();
  for (const one of done) for (const [way, count] of one.ways) ways.set(way, (ways.get(way) ?? 0) + count);
  return ways;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
