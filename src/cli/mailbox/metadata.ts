/** `mailstore mailbox metadata`: annotations of mailboxes and of the server (RFC 5464). */

import { mailboxFrom } from '../administration.ts';
import { EX_OK } from '../sysexits.ts';
import { formatTable } from '../table.ts';
import { type Action, take } from './arguments.ts';

/** Stands for the server in the place of a mailbox. */
const SERVER = '/';

export const metadata: Action = (operands, options) => {
  const [text, entry, value] = take('metadata', operands, ['MAILBOX', 'ENTRY', 'VALUE'], 1);
  return async (administration) => {
    const { session, io } = administration;
    const mailbox = text === SERVER ? null : mailboxFrom(text as string, administration);
    if (entry !== undefined && value !== undefined) {
      const bytes = value === '' ? null : Buffer.from(value, 'utf8');
      await session.metadata.set(mailbox, new Map([[entry, bytes]]));
    }
    const entries = session.metadata.list(mailbox)
      .filter(({ name }) => entry === undefined || name === entry.toLowerCase())
      .map((each) => ({ entry: each.name, value: Buffer.from(each.value).toString('utf8') }));
    if (options.json) io.stdout(`${JSON.stringify(entries)}\n`);
    else {
      const rows = entries.map((each) => [each.entry, each.value]);
      io.stdout(formatTable([{ title: 'ENTRY' }, { title: 'VALUE' }], rows));
    }
    return EX_OK;
  };
};
