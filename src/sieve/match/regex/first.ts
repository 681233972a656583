/** What a match of a program can begin with, so that text before it costs one look per character. */

import { foldCode, op, type RegexProgram } from './program.ts';

/**
 * For each ASCII character 1 if a match can begin with it, else 0; null if a match can be empty. Characters beyond ASCII
 * are not in it and can always begin one.
 */
export function firstCharacters(program: RegexProgram): Uint8Array | null {
  const { code, sets, letters } = program;
  const first = new Uint8Array(128);
  const seen = new Uint8Array(code.length / 3);
  const waiting = [0];
  for (let pc = waiting.pop(); pc !== undefined; pc = waiting.pop()) {
    if (seen[pc] === 1) continue;
    seen[pc] = 1;
    const x = code[3 * pc + 1] as number;
    switch (code[3 * pc]) {
      case op.match:
        return null;
      case op.any:
        return first.fill(1);
      case op.character:
        for (let c = 0; c < 128; c++) if (foldCode(c, letters) === x) first[c] = 1;
        break;
      case op.set:
        for (let c = 0; c < 128; c++) if (sets[x]?.has(c, letters)) first[c] = 1;
        break;
      case op.fork:
        waiting.push(x, code[3 * pc + 2] as number);
        break;
      case op.jump:
        waiting.push(x);
        break;
      default:
        waiting.push(pc + 1);
    }
  }
  return first;
}
