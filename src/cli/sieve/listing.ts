/** A program as text, an instruction a line. */

import { DO, END, type Instruction, JUMP, type Program, TEST } from '../../sieve/run.ts';

/** The first line of every listing. */
const HEAD = '# a Sieve program of mailstore\n';

/** True for text that `listing` made. */
export function isListing(text: string): boolean {
  return text.startsWith(HEAD);
}

/** `  12  8:5   header        yes 13  no 20` */
export function listing(program: Program): string {
  const required = [...program.required].filter((name) => name !== '');
  const head = required.length === 0 ? '' : `require ${required.map((name) => `"${name}"`).join(', ')}\n`;
  return HEAD + head + program.code.map(line).join('');
}

function line(instruction: Instruction, index: number): string {
  const { op, name, yes, no, position } = instruction;
  const place = op === JUMP ? '' : `${position.line}:${position.column}`;
  const begin = `${String(index).padStart(4)}  ${place.padEnd(8)}`;
  switch (op) {
    case TEST:
      return `${begin}${name.padEnd(20)} yes ${yes}, no ${no}\n`;
    case DO:
      return `${begin}${name}${yes === index + 1 ? '' : ` then ${yes}`}\n`;
    case JUMP:
      return `${begin}go to ${yes}\n`;
    case END:
      return `${begin}end\n`;
  }
}
