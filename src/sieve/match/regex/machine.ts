/**
 * Runs a program over a text once, all ways at the same time (Pike): at most one thread per instruction, so that the time is at
 * most the text's length times the program's, whatever the expression.
 *
 * What it finds is the leftmost match and of these the longest, as POSIX asks; where that leaves several ways to fill the
 * groups, the one that a search from left to right with greedy repetition finds first.
 */

import type { Asker } from '../matcher.ts';
import { isWord } from './set.ts';
import { ASSERTIONS, foldCode, op, type RegexProgram } from './program.ts';
import { firstCharacters } from './first.ts';

/** Steps of threads that are about a microsecond, and so many of them are paid for at once. */
const STEPS_PER_UNIT = 16;
const ACCOUNT = 4096;

export class RegexMachine {
  readonly #program: RegexProgram;
  readonly #slots: number;
  /** Instructions that wait for a character, best first, and what each thread keeps. */
  #now: Int32Array;
  #nowKept: Int32Array;
  #nowCount = 0;
  #next: Int32Array;
  #nextKept: Int32Array;
  #nextCount = 0;
  /** The step in which an instruction was last reached. */
  readonly #reached: Int32Array;
  #step = 0;
  readonly #kept: Int32Array;
  readonly #waiting: number[] = [];
  /** ASCII characters that a match can begin with; null where it can begin with nothing. */
  readonly #first: Uint8Array | null;

  /** Without `groups` only the match itself is kept. */
  constructor(program: RegexProgram, groups: boolean) {
    const size = program.code.length / 3;
    this.#program = program;
    this.#first = firstCharacters(program);
    this.#slots = groups ? 2 * (program.groups + 1) : 2;
    this.#now = new Int32Array(size);
    this.#next = new Int32Array(size);
    this.#nowKept = new Int32Array(size * this.#slots);
    this.#nextKept = new Int32Array(size * this.#slots);
    this.#reached = new Int32Array(size);
    this.#kept = new Int32Array(this.#slots);
  }

  /** Offsets of the match and of each group, start and end in turn, -1 where a group took no part; null for no match. */
  find(text: string, asker?: Asker): Int32Array | null {
    return this.#run(text, true, asker);
  }

  /** Whether there is a match; ends with the first one. */
  test(text: string, asker?: Asker): boolean {
    return this.#run(text, false, asker) !== null;
  }

  #run(text: string, whole: boolean, asker: Asker | undefined): Int32Array | null {
    const { code, sets, letters, anchored } = this.#program;
    const slots = this.#slots;
    const first = this.#first;
    let best: Int32Array | null = null;
    let before = -1;
    let steps = 0;
    this.#nowCount = 0;
    this.#begin();
    for (let at = 0;;) {
      if (first !== null && this.#nowCount === 0 && best === null) {
        const from = at;
        while (first[text.charCodeAt(at)] === 0) at++;
        if (at > from) {
          before = text.charCodeAt(at - 1);
          this.#begin();
        }
      }
      const here = at < text.length ? text.codePointAt(at) as number : -1;
      if (best === null && (at === 0 || !anchored)) {
        this.#kept.fill(-1);
        this.#follow(0, at, before, here);
        this.#swapIn();
      }
      if (this.#nowCount === 0) {
        if (best !== null || anchored || here < 0) return best;
      }
      steps += this.#nowCount + 1;
      if (steps >= ACCOUNT) {
        asker?.spend(Math.floor(steps / STEPS_PER_UNIT));
        steps = 0;
      }
      const after = at + (here > 0xffff ? 2 : 1);
      const ahead = here >= 0 && after < text.length ? text.codePointAt(after) as number : -1;
      const folded = here < 0 ? -1 : foldCode(here, letters);
      this.#begin();
      for (let i = 0; i < this.#nowCount; i++) {
        const pc = this.#now[i] as number;
        const kept = pc * slots;
        const what = code[3 * pc];
        if (what === op.match) {
          const start = this.#nowKept[kept] as number;
          if (best === null || start < (best[0] as number) || start === best[0]) {
            best = this.#nowKept.slice(kept, kept + slots);
            if (!whole) return best;
          }
          continue;
        }
        if (here < 0) continue;
        if (best !== null && (this.#nowKept[kept] as number) > (best[0] as number)) continue;
        const x = code[3 * pc + 1] as number;
        const passes = what === op.any ||
          (what === op.character ? x === folded : sets[x]?.has(here, letters));
        if (!passes) continue;
        for (let slot = 0; slot < slots; slot++) this.#kept[slot] = this.#nowKept[kept + slot] as number;
        this.#follow(pc + 1, after, here, ahead);
      }
      if (here < 0) return best;
      this.#swap();
      before = here;
      at = after;
    }
  }

  #begin(): void {
    this.#step++;
    this.#nextCount = 0;
  }

  /** What was followed becomes what waits. */
  #swap(): void {
    [this.#now, this.#next] = [this.#next, this.#now];
    [this.#nowKept, this.#nextKept] = [this.#nextKept, this.#nowKept];
    this.#nowCount = this.#nextCount;
    this.#nextCount = 0;
  }

  /** New threads join those that wait, behind them. */
  #swapIn(): void {
    for (let i = 0; i < this.#nextCount; i++) {
      const pc = this.#next[i] as number;
      this.#now[this.#nowCount++] = pc;
      const kept = pc * this.#slots;
      this.#nowKept.set(this.#nextKept.subarray(kept, kept + this.#slots), kept);
    }
    this.#nextCount = 0;
  }

  /** Goes on from an instruction, with what `#kept` holds, to all that wait for a character. */
  #follow(first: number, at: number, before: number, here: number): void {
    const { code } = this.#program;
    const waiting = this.#waiting;
    const kept = this.#kept;
    waiting.push(first);
    while (waiting.length > 0) {
      let pc = waiting.pop() as number;
      if (pc < 0) {
        // Behind a way that ended: what a slot held before it.
        kept[-pc - 1] = waiting.pop() as number;
        continue;
      }
      while (this.#reached[pc] !== this.#step) {
        this.#reached[pc] = this.#step;
        const x = code[3 * pc + 1] as number;
        const what = code[3 * pc];
        if (what === op.jump) {
          pc = x;
        } else if (what === op.fork) {
          waiting.push(code[3 * pc + 2] as number);
          pc = x;
        } else if (what === op.save) {
          if (x >= this.#slots) {
            pc++;
            continue;
          }
          waiting.push(kept[x] as number, -x - 1);
          kept[x] = at;
          pc++;
        } else if (what === op.assertion) {
          if (!holds(x, before, here)) break;
          pc++;
        } else {
          this.#next[this.#nextCount++] = pc;
          this.#nextKept.set(kept, pc * this.#slots);
          break;
        }
      }
    }
  }
}

/** Whether an assertion holds between two characters; -1 stands for the ends of the text. */
function holds(assertion: number, before: number, here: number): boolean {
  switch (ASSERTIONS[assertion]) {
    case 'start':
      return before < 0;
    case 'end':
      return here < 0;
    case 'wordedge':
      return isWord(before) !== isWord(here);
    case 'notwordedge':
      return isWord(before) === isWord(here);
    case 'wordstart':
      return !isWord(before) && isWord(here);
    default:
      return isWord(before) && !isWord(here);
  }
}
