import { syntaxError, userError } from '../../errors.ts';
import type { Maildrop } from '../maildrop.ts';

/** An argument that must not be there. */
export function noArgument(argument: string): void {
  if (argument.trim() !== '') throw syntaxError('This command has no argument');
}

/** A whole number of at least 0, without a sign. */
export function count(text: string): number {
  if (!/^[0-9]{1,10}$/.test(text)) throw syntaxError('Expected a number');
  return Number(text);
}

/** The number of a message that is there and not deleted (RFC 1939 §5). */
export function messageNumber(text: string, drop: Maildrop): number {
  const number = count(text);
  if (number < 1 || number > drop.length) throw userError('nonexistent', 'No such message');
  if (drop.isDeleted(number)) throw userError('nonexistent', 'The message is deleted');
  return number;
}
