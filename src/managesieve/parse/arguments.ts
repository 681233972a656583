/** The arguments of a command as it wants them. */

import { syntaxError } from '../../errors.ts';
import { scriptName } from './name.ts';
import type { Argument } from './received.ts';

/** What an argument is, in the order of the grammar (RFC 5804 §4). */
type Kind = Argument['kind'];

/**
 * Checks how many arguments there are and what they are.
 * @param usage what is told to a client that did otherwise
 * @param optional how many of the last may be missing
 */
export function expectArguments(
  args: readonly Argument[],
  kinds: readonly Kind[],
  usage: string,
  optional = 0,
): void {
  const fits = args.length <= kinds.length && args.length >= kinds.length - optional &&
    args.every(({ kind }, at) => kind === kinds[at]);
  if (!fits) throw syntaxError(`Expected ${usage}`);
}

/** A name of a script, where there is one at this place. */
export function nameAt(args: readonly Argument[], at: number): string {
  return scriptName(args[at]?.text ?? '');
}
