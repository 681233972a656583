/** `mailstore mailbox undelete`: brings back what was deleted and not yet removed by the expiry run. */

import { userError } from '../../errors.ts';
import type { DeletedMailbox, MailboxName } from '../../store/border.ts';
import { isBelow, sameName } from '../../store/names.ts';
import { type Administration, mailboxFrom } from '../administration.ts';
import { usageError } from '../options.ts';
import { EX_OK } from '../sysexits.ts';
import { formatTable, formatTime, printable } from '../table.ts';
import { type Action, type MailboxOptions, take } from './arguments.ts';

export const undelete: Action = (operands, options) => {
  const [text, as] = take('undelete', operands, ['MAILBOX', 'AS'], 1) as [string, string | undefined];
  if (options.list && (as !== undefined || options.id !== undefined || options.recursive)) {
    throw usageError('mailbox undelete --list takes the MAILBOX alone');
  }
  if (options.json && !options.list) throw usageError('--json is for mailbox undelete --list');
  if (options.recursive && (as !== undefined || options.id !== undefined)) {
    throw usageError('mailbox undelete -r brings everything back under its own name');
  }
  return async (administration) => {
    const name = mailboxFrom(text, administration);
    if (options.list) list(name, options.json, administration);
    else {await restore(
        name,
        as === undefined ? name : mailboxFrom(as, administration),
        options,
        administration,
      );}
    return EX_OK;
  };
};

/** What was deleted at or below a name, the newest first. */
function deletedAt(name: MailboxName, { store }: Administration): DeletedMailbox[] {
  return store.admin.deletedMailboxes(name.owner)
    .filter((each) => sameName(each.name, name) || isBelow(each.name, name))
    .sort((a, b) => b.deletedAt - a.deletedAt);
}

function list(name: MailboxName, json: boolean, administration: Administration): void {
  const { names, io } = administration;
  const rows = deletedAt(name, administration).map((each) => ({
    mailbox: names.toExternal(each.name),
    mailboxid: each.mailboxid,
    deleted: formatTime(each.deletedAt),
    messages: each.exists,
  }));
  if (json) io.stdout(`${JSON.stringify(rows)}\n`);
  else if (rows.length === 0) io.stdout('There is nothing to undelete.\n');
  else {
    const columns = [
      { title: 'MAILBOX' },
      { title: 'DELETED' },
      { title: 'MESSAGES', right: true },
      { title: 'ID' },
    ];
    const cells = rows.map((row) => [row.mailbox, row.deleted, String(row.messages), row.mailboxid]);
    io.stdout(formatTable(columns, cells));
  }
}

async function restore(
  name: MailboxName,
  as: MailboxName,
  options: MailboxOptions,
  administration: Administration,
): Promise<void> {
  const { store, names, io } = administration;
  const candidates = deletedAt(name, administration);
  const chosen = candidates.find((each) =>
    options.id === undefined ? sameName(each.name, name) : each.mailboxid === options.id
  );
  if (chosen === undefined) {
    const what = options.id === undefined ? 'of that name' : 'with that id';
    throw userError(
      'nonexistent',
      `there is no deleted mailbox ${what}; 'mailbox undelete --list' shows what is`,
    );
  }
  if (as.owner !== chosen.name.owner) {
    throw userError('cannot', 'a mailbox comes back to its owner; AS has to name one of the same user');
  }
  const target = options.id !== undefined && sameName(as, name) ? chosen.name : as;
  await bringBack(chosen, target);
  if (!options.recursive) return;
  // Of every name below the one deleted last; what has that name now stays.
  const done = new Set(administration.session.list().map((each) => names.toExternal(each.name)));
  for (const each of candidates) {
    const external = names.toExternal(each.name);
    if (!isBelow(each.name, name) || done.has(external)) continue;
    done.add(external);
    await bringBack(each, each.name);
  }

  async function bringBack(deleted: DeletedMailbox, to: MailboxName): Promise<void> {
    await store.admin.undelete(deleted.mailboxid, to);
    const count = deleted.exists === 1 ? '1 message' : `${deleted.exists} messages`;
    io.stdout(`Mailbox ${printable(names.toExternal(to))} is back with ${count}.\n`);
  }
}
