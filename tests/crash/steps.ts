/** Killing the store at a named step of its write path (src/store/step.ts): arming a step, and bringing the store to pass it. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '../../src/store/step.ts';
import type { TestStore } from '../harness/server.ts';
import type { Round } from './actors.ts';

/** A step that everybody's work does not reach in this time is not reached. */
const REACH_WITHIN_MS = 90_000;
/** How long a store that is to recover works before it is killed. */
const WORK_MS = 400;
/** Steps that are passed so often that any of the first passes may be the one. */
const OFTEN = /^(batch|file|files|log|commit)\./;

/** The folder by which a test and the processes of its store speak of steps. */
export class Steps {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mailstore-steps-'));

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

  /** Kills at a step, now and then the whole store; resolves when it is done. */
  async killAt(round: Round, step: Step): Promise<void> {
    const { random, store } = round;
    round.killed = true;
    const undo = provoke(store, step);
    const count = OFTEN.test(step) ? 1 + random.below(20) : 1 + random.below(2);
    const other = random.oneIn(3) ? store.pid : 0;
    const line = `${step} ${count} ${other}`;
    const begun = performance.now();
    try {
      // A new writer makes a new segment, too, and far sooner than one is full.
      if (/^(recovery|segment)\./.test(step) && step !== 'segment.closed' && step !== 'segment.unlinked') {
        await this.#killRecovering(round, `${step} 1 ${other}`, begun);
      } else {
        this.#arm(line);
        // Where the second pass does not come, the first one must do.
        while (!await this.#fired(REACH_WITHIN_MS / 36)) {
          if (performance.now() - begun > REACH_WITHIN_MS) break;
          this.#arm(`${step} 1 ${other}`);
        }
      }
      if (existsSync(this.#armed)) {
        rmSync(this.#armed, { force: true });
        round.wrong.push(`the step ${step} was not reached within ${REACH_WITHIN_MS} ms`);
      }
      if (other !== 0) await store.killSupervisor();
      else await sleep(random.below(100));
    } finally {
      undo();
    }
  }

  /** The writer dies with a record that is durable and in no database; its successor dies at the step. */
  async #killRecovering(round: Round, line: string, begun: number): Promise<void> {
    while (performance.now() - begun < REACH_WITHIN_MS) {
      await sleep(round.random.below(WORK_MS));
      this.#arm(`batch.durable ${1 + round.random.below(10)} 0\n${line}`);
      if (await this.#fired(2500)) return;
    }
  }

  get #armed(): string {
    return join(this.#folder, 'armed');
  }

  #arm(lines: string): void {
    writeFileSync(this.#armed, lines);
  }

  /** Whether everything armed has killed by then. */
  async #fired(within: number): Promise<boolean> {
    for (const begun = performance.now(); performance.now() - begun < within; await sleep(3)) {
      if (existsSync(this.#armed)) continue;
      // Between two lines it is away for a moment.
      await sleep(5);
      if (!existsSync(this.#armed)) return true;
    }
    return false;
  }
}

/** What only a disturbance brings about; returns how to end it. */
function provoke(store: TestStore, step: Step): () => void {
  const spool = join(store.dir, 'spool');
  if (step.startsWith('rollback.')) {
    // Where folders of message files should be lie files: these messages cannot be stored.
    const folder = join(spool, 'c/user/cora');
    mkdirSync(folder, { recursive: true });
    const obstacles: string[] = [];
    for (let byte = 0; byte < 256; byte++) {
      const path = join(folder, byte.toString(16).padStart(2, '0'));
      if (existsSync(path)) continue;
      writeFileSync(path, '');
      obstacles.push(path);
    }
    return () => obstacles.forEach((path) => rmSync(path, { force: true }));
  }
  if (step === 'sweep.stage') {
    mkdirSync(join(spool, 'stage.'), { recursive: true });
    const old = Date.now() / 1000 - 3 * 3600;
    // No process has so high a number.
    for (const name of ['4194305.left', '4194306.left', '4194307.left']) {
      const path = join(spool, 'stage.', name);
      writeFileSync(path, 'of a process that died');
      utimesSync(path, old, old);
    }
  }
  return () => {};
}
