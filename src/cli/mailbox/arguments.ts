/** The options of `mailstore mailbox`, and what an action is. */

import type { Administration } from '../administration.ts';
import { type Arguments, configArguments, usageError } from '../options.ts';

export const mailboxArguments = {
  ...configArguments,
  recursive: { short: 'r' },
  long: { short: 'l' },
  specialUse: { value: 'USE', many: true },
  messages: { value: 'NUMBER' },
  list: {},
  id: { value: 'ID' },
} as const;

/** Options of the command, parsed. */
export type MailboxOptions = Arguments<typeof mailboxArguments>;

/** Checks its operands, before any store is opened, and answers what to do. */
export type Action = (
  operands: readonly string[],
  options: MailboxOptions,
) => (administration: Administration) => Promise<number>;

/**
 * The operands of an action, `least` to `names.length` of them.
 * @throws MailError 'badsyntax'
 */
export function take(
  action: string,
  operands: readonly string[],
  names: readonly string[],
  least: number = names.length,
): readonly string[] {
  if (operands.length < least) throw usageError(`mailbox ${action} needs ${names[operands.length]}`);
  const more = operands[names.length];
  if (more !== undefined) throw usageError(`mailbox ${action} takes no "${more}"`);
  return operands;
}
