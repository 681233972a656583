/** Killing the store at named steps of its write path (src/store/step.ts): which are armed together, and what brings about each. */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '../../src/store/step.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import type { Random } from '../harness/random.ts';
import type { TestStore } from '../harness/server.ts';
import type { Round, Work } from './actors.ts';
import { messageOf } from './message.ts';

/** A step that the work of so many rounds did not reach is not reached. */
const ROUNDS_PER_STEP = 25;
/** A round waits for its steps while the janitor ends so many scheduled jobs: checkpoints and expiry, every second and every two. */
const JOBS = 5;
/** So many changes come before: then every index is open. */
const UNDER_WAY = 40;
/** Steps that are passed so often that any of the first passes may be the one. */
const OFTEN = /^(batch|file|files|log|commit)\./;

/** Changes without which nobody passes these steps. */
const CHANGES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^rebuild\./, ['mailstore reconstruct']],
  [/^(remove|owner)\./, ['mailstore user remove', 'mailstore user add']],
  [/^(expire|unlink)\./, ['EXPUNGE', 'UID EXPUNGE', 'CLOSE']],
  [/^commit\.directorynext/, ['CREATE', 'SETACL', 'DELETEACL', 'DELETE']],
];

/** Steps that need those changes, or a disturbance: they are waited for while everybody still works. */
const FIRST = /^(rebuild|remove|owner|expire\.slice|unlink|rollback|segment\.closed)/;
/** A writer that takes over passes them. */
const TAKING_OVER = /^(recovery\.|directory\.|segment\.(created|written|synced|named))/;
const WORKER = /^stage\.(?!unlinked)/;
const JANITOR = /^(checkpoint|journal|snapshot|sweep|expire\.done)/;

/** A user whose mail cannot be stored. */
export const OBSTRUCTED = 'rolf';
/** A user who gets mail that nobody looks at. */
export const BYSTANDER = 'rita';
/** Fills segments of the log soon. */
export const BULK = Buffer.alloc(60_000, 'x\r\n');

/** The steps of one round. */
export interface Choice {
  /** Armed while everybody works. */
  readonly first: Step;
  /** Armed when that one has killed: deliveries, the janitor and new processes reach them. */
  readonly then: readonly Step[];
}

/** Which steps are still to be killed at, and which of them one round takes: a writer can die several times in it. */
export class StepPlan {
  readonly #left = new Map<Step, number>();
  readonly #tried = new Map<Step, number>();

  /** @param times how often each step has to kill */
  constructor(steps: readonly Step[], times: number) {
    for (const step of steps) this.#left.set(step, times);
  }

  /** Steps that have not killed often enough. */
  get left(): readonly Step[] {
    return [...this.#left.keys()];
  }

  choose(random: Random): Choice {
    const take = (steps: Step[], most: number): Step[] =>
      Array.from({ length: Math.min(most, steps.length) }, () => steps.splice(random.below(steps.length), 1))
        .flat();
    const left = this.left;
    const taking = left.filter((step) => TAKING_OVER.test(step));
    const simple = left.filter((step) =>
      ![FIRST, TAKING_OVER, WORKER, JANITOR].some((kind) => kind.test(step))
    );
    // What only a writer passes whose predecessor died at a certain step.
    const after = (step: Step, before: Step): Step[] => left.includes(step) ? [before] : [];
    const firsts = [
      ...left.filter((step) => FIRST.test(step)),
      ...after('recovery.gone', 'remove.index'),
      ...after('recovery.directory', 'commit.directorynext'),
    ];
    let [first] = take(firsts, 1);
    if (first === undefined && taking.length > 0) first = 'batch.durable';
    first ??= take(simple, 1)[0] ??
      take(left.filter((step) => WORKER.test(step) || JANITOR.test(step)), 1)[0];
    if (first === undefined) throw new Error('all steps have killed');
    // Without directory.db there is no checkpoint: its removal goes with nothing that waits for the janitor.
    const remade = first === 'batch.durable'
      ? take(taking.filter((step) => step.startsWith('directory.')), 2)
      : [];
    const then = [
      ...remade,
      ...take(simple.filter((step) => step !== first), 2),
      ...take(taking.filter((step) => step === 'recovery.gone' && first?.startsWith('remove.')), 1),
      ...take(taking.filter((step) => step === 'recovery.directory' && first === 'commit.directorynext'), 1),
      ...take(
        taking.filter((step) => !/^(recovery\.(gone|directory)$|directory\.)/.test(step)),
        2 - remade.length,
      ),
      ...take(left.filter((step) => WORKER.test(step) && step !== first), 1),
      ...take(left.filter((step) => JANITOR.test(step) && step !== first && remade.length === 0), 1),
    ];
    return { first, then };
  }

  /** Takes note of what a round did; returns what is wrong. */
  note({ first, then }: Choice, killed: readonly Step[]): string[] {
    for (const step of killed) {
      const left = (this.#left.get(step) ?? 0) - 1;
      if (left > 0) this.#left.set(step, left);
      else this.#left.delete(step);
      this.#tried.delete(step);
    }
    const wrong: string[] = [];
    for (const step of [first, ...then]) {
      if (killed.includes(step) || !this.#left.has(step)) continue;
      const tried = (this.#tried.get(step) ?? 0) + 1;
      this.#tried.set(step, tried);
      if (tried >= ROUNDS_PER_STEP) wrong.push(`the step ${step} was not reached in ${tried} rounds`);
    }
    return wrong;
  }
}

/** Changes that somebody has to make so that a step is passed. */
export function changesFor(step: Step): readonly string[] {
  return CHANGES.find(([steps]) => steps.test(step))?.[1] ?? [];
}

/** The folder by which a test and the processes of its store speak of steps. */
export class Steps {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mailstore-steps-'));
  #marks = 0;

  /** What the store's processes have to be started with. */
  get environment(): Record<string, string> {
    return { MAILSTORE_STEPS: this.#folder };
  }

  /** All steps that were passed. */
  reached(): Set<string> {
    return new Set(
      readdirSync(this.#folder).filter((name) => name.startsWith('reached.')).map((name) => name.slice(8)),
    );
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Kills at the steps of a round, now and then the whole store at one of them; resolves to those at which something died. */
  async killAt(round: Round, { first, then }: Choice, work: Work): Promise<Step[]> {
    const { random, store } = round;
    const killed: Step[] = [];
    const all = [first, ...then];
    const whole = random.oneIn(3) ? random.pick(all) : undefined;
    while (round.acknowledged < UNDER_WAY && !work.ended) await sleep(5);
    round.killed = true;
    // The next writer replays everything, as after a loss of power, or the last batch.
    if (random.oneIn(2)) rmSync(join(store.dir, 'state/log/committed'), { force: true });
    const undo = all.map((step) => provoke(store, step));
    try {
      for (const group of [[first], then]) {
        for (const step of group) {
          const passes = OFTEN.test(step) ? 1 + random.below(10) : 1;
          this.#arm(step, passes, step === whole ? store.pid : 0);
        }
        await this.#fired(store, group, whole);
        killed.push(...group.filter((step) => !existsSync(this.#armed(step))));
        if (whole !== undefined && killed.includes(whole)) {
          await store.killSupervisor();
          break;
        }
        // Without the first death the others would come too early: the work for it would end.
        if (!killed.includes(first)) break;
      }
    } finally {
      for (const step of all) rmSync(this.#armed(step), { force: true });
      for (const end of undo) await end();
    }
    return killed;
  }

  #armed(step: Step): string {
    return join(this.#folder, `armed.${step}`);
  }

  #arm(step: Step, passes: number, other: number): void {
    const fresh = join(this.#folder, 'arming');
    writeFileSync(fresh, `${passes} ${other} ${++this.#marks}`);
    renameSync(fresh, this.#armed(step));
  }

  /** Waits until every step has killed, or the one that kills the whole store, or the janitor has done its work so often. */
  async #fired(store: TestStore, group: readonly Step[], whole: Step | undefined): Promise<void> {
    const before = jobsOf(store);
    for (let looks = 1;; looks++) {
      const armed = group.filter((step) => existsSync(this.#armed(step)));
      if (armed.length === 0 || whole !== undefined && group.includes(whole) && !armed.includes(whole)) {
        return;
      }
      if (looks % 30 === 0 && jobsOf(store) - before >= JOBS) return;
      await sleep(3);
    }
  }
}

/** How many scheduled jobs ended so far, well or not. */
function jobsOf(store: TestStore): number {
  return store.log.match(/event (done|failed)/g)?.length ?? 0;
}

/** What only a disturbance brings about; returns how to end it. */
function provoke(store: TestStore, step: Step): () => Promise<void> {
  if (step.startsWith('rollback.')) {
    // Where the folder of somebody's message files should be lies a file: this mail cannot be stored.
    const folder = join(store.dir, `spool/${OBSTRUCTED.slice(0, 1)}/user/${OBSTRUCTED}`);
    mkdirSync(dirname(folder), { recursive: true });
    if (!existsSync(folder)) writeFileSync(folder, '');
    return keepSending(store, OBSTRUCTED, messageOf('lost'));
  }
  // The next writer makes it anew, from its snapshot and the log.
  if (step.startsWith('directory.')) rmSync(join(store.dir, 'state/directory.db'), { force: true });
  // Mail that fills a segment soon.
  if (step === 'segment.closed') return keepSending(store, BYSTANDER, BULK);
  if (step === 'sweep.stage') {
    const stage = join(store.dir, 'spool/stage.');
    mkdirSync(stage, { recursive: true });
    const old = Date.now() / 1000 - 3 * 3600;
    // No process has so high a number.
    for (const name of ['4194305.left', '4194306.left', '4194307.left']) {
      const path = join(stage, name);
      writeFileSync(path, 'of a process that died');
      utimesSync(path, old, old);
    }
  }
  return async () => {};
}

/** Sends a message again and again to somebody whom nobody looks at; returns how to end it. */
export function keepSending(store: TestStore, to: string, message: Buffer): () => Promise<void> {
  let going = true;
  const sending = (async () => {
    for (; going; await sleep(5)) {
      const client = await LmtpClient.connect(store.lmtpSocket).catch(() => undefined);
      const send = () => client?.deliver('sender@example.org', [to], message).catch(() => undefined);
      while (going && await send() !== undefined);
      client?.destroy();
    }
  })();
  return async () => {
    going = false;
    await sending;
  };
}
