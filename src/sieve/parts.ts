/** Loops over the parts of a message (RFC 5703 §3) while a script runs. */
import { limits } from '../limits.ts';
import type { MessagePart } from './message.ts';
import { type Frame, type Run, ScriptError, StateKey } from './run.ts';

/** One loop: the part it is at, and those to come. What is replaced on the way is not entered. */
class PartLoop {
  readonly frame: Frame;
  current: MessagePart | null = null;
  /** The next one last. */
  #waiting: MessagePart[];
  /** Parts in the current one as they were when it was entered. */
  #inside: readonly MessagePart[] = [];

  constructor(frame: Frame, first: readonly MessagePart[]) {
    this.frame = frame;
    this.#waiting = first.toReversed();
  }

  /** Goes on to the next part, depth first; false where there is none. */
  advance(): boolean {
    if (this.current?.children === this.#inside) {
      for (let i = this.#inside.length - 1; i >= 0; i--) this.#waiting.push(this.#inside[i] as MessagePart);
    }
    this.current = this.#waiting.pop() ?? null;
    this.#inside = this.current?.children ?? [];
    return this.current !== null;
  }

  /** The message is another one: this pass is the last. */
  finish(root: MessagePart): void {
    this.current = root;
    this.#waiting = [];
    this.#inside = [];
  }
}

const LOOPS = new StateKey<PartLoop[]>(() => []);

/** The loops that are running, the innermost last. A script that was left, by `return` or its end, has none. */
function loops(run: Run): PartLoop[] {
  const running = run.state(LOOPS);
  for (
    let last = running.at(-1);
    last !== undefined && !run.frames.includes(last.frame);
    last = running.at(-1)
  ) {
    running.pop();
  }
  return running;
}

/** Begins a loop over all parts, or over those inside the part that the loop around is at. */
export function beginLoop(run: Run): void {
  const running = loops(run);
  if (running.length >= limits.sieve_part_loops.value) {
    throw new ScriptError(`more than ${limits.sieve_part_loops.value} foreverypart loops inside each other`);
  }
  const around = running.at(-1);
  const first = around === undefined ? [run.message.root] : around.current?.children ?? [];
  running.push(new PartLoop(run.frame, first));
}

/** Goes on to the innermost loop's next part. Without one the loop ends. */
export function nextPart(run: Run): boolean {
  const running = loops(run);
  if (running.at(-1)?.advance() === true) return true;
  running.pop();
  return false;
}

/** Ends the innermost loops. */
export function endLoops(run: Run, count: number): void {
  const running = loops(run);
  running.length = Math.max(0, running.length - count);
}

/** How many loops are running, for `endLoops`. */
export function loopDepth(run: Run): number {
  return loops(run).length;
}

/** The part that the innermost loop is at, or null outside of loops. */
export function currentPart(run: Run): MessagePart | null {
  return loops(run).at(-1)?.current ?? null;
}

/** After the message became another one: no loop goes on over parts that are no more. */
export function finishLoops(run: Run): void {
  for (const loop of loops(run)) loop.finish(run.message.root);
}
