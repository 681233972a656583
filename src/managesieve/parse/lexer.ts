/** The words of one line of a command (RFC 5804 §4). A literal splits a command into lines, each read by itself. */

import { syntaxError } from '../../errors.ts';
import type { Argument } from './received.ts';

/** What a line holds, and the octets of the literal it announces at its end, or -1. */
export interface Line {
  readonly args: readonly Argument[];
  readonly literal: number;
}

/** The first word of a command: an atom, in upper case; '' where there is none. */
export function commandName(line: string): string {
  return /^[!#-'*-[\]-z|-~]{1,64}(?=$| )/.exec(line)?.[0].toUpperCase() ?? '';
}

/**
 * `{n+}` or `{n}` at the end of a line. RFC 5804 §4 lets clients send the first form only; there is no continuation
 * that a client could wait for, so the octets of the second follow as well.
 */
const LITERAL = /\{([0-9]+)\+?\}$/;

const WORDS = /"((?:[^"\\]|\\["\\])*)"|(0|[1-9][0-9]*)(?=$| )|([!#-'*-[\]-z|-~]+)(?=$| )/gy;

/** 2^32 - 1: a number has 32 bits (§4). */
const LARGEST = 4_294_967_295;

/** Octets of the literal a line announces at its end, whatever stands before; -1 for none, Infinity for no number of §4. */
export function literalAt(line: string): number {
  const match = LITERAL.exec(line);
  if (match === null) return -1;
  const octets = Number(match[1]);
  return octets <= LARGEST ? octets : Infinity;
}

/**
 * Reads a line from `at` on, where a space stands before each word.
 * @throws MailError 'badsyntax'
 */
export function readLine(line: string, at: number): Line {
  const literal = literalAt(line);
  const end = literal < 0 ? line.length : line.lastIndexOf('{');
  if (literal >= 0 && (line[end - 1] !== ' ' || /^0[0-9]/.test(line.slice(end + 1)))) {
    throw syntaxError('Expected a space and the length of a string');
  }
  const args: Argument[] = [];
  let from = at;
  for (;;) {
    const start = from;
    while (from < end && line.charCodeAt(from) === 0x20) from++;
    if (from >= end) break;
    if (from === start) throw syntaxError('Expected a space between arguments');
    WORDS.lastIndex = from;
    const match = WORDS.exec(line);
    const [, quoted, number, atom] = match ?? [];
    if (quoted !== undefined) args.push({ kind: 'string', text: quoted.replace(/\\(.)/gs, '$1') });
    else if (number !== undefined) args.push({ kind: 'number', text: number });
    else if (atom !== undefined) args.push({ kind: 'atom', text: atom });
    else throw syntaxError('Expected a string or a number');
    from = WORDS.lastIndex;
  }
  return { args, literal };
}
