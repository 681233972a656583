/** `mailstore mailbox create`, `delete` and `rename`. */

import { isAdmin } from '../../auth/canonical.ts';
import { InterfaceDomains } from '../../auth/interface.ts';
import type { MailboxName } from '../../store/border.ts';
import { isBelow, isSharedOwner } from '../../store/names.ts';
import { joinUserid, splitUserid } from '../../store/userid.ts';
import { type Administration, mailboxFrom } from '../administration.ts';
import { usageError } from '../options.ts';
import { EX_OK } from '../sysexits.ts';
import { printable } from '../table.ts';
import { type Action, take } from './arguments.ts';

/** Roles a mailbox can be made with (RFC 6154 §2); `\All` is a view over others and nothing to create. */
const ROLES = ['\\Archive', '\\Drafts', '\\Flagged', '\\Junk', '\\Sent', '\\Snoozed', '\\Trash'];

export const createMailbox: Action = (operands, options) => {
  const [text] = take('create', operands, ['MAILBOX']) as [string];
  const roles = options.specialUse.map((given) => {
    const role = ROLES.find((each) => each.slice(1).toLowerCase() === given.replace(/^\\/, '').toLowerCase());
    if (role === undefined) {
      const there = ROLES.map((each) => each.slice(1)).join(', ');
      throw usageError(`--special-use is one of ${there}; not "${given}"`);
    }
    return role;
  });
  return async (administration) => {
    const { session, names, io } = administration;
    const name = mailboxFrom(text, administration);
    const info = await session.create(name, roles);
    io.stdout(`Mailbox ${printable(names.toExternal(info.name))} created.\n`);
    warnUnreachable(name, administration);
    return EX_OK;
  };
};

/** Where every login gets a domain, nobody reads the mail of a user without one; most likely it was forgotten. */
function warnUnreachable({ owner }: MailboxName, { settings, names, io }: Administration): void {
  if (settings.virtdomains !== 'on' || isSharedOwner(owner) || isAdmin(owner, settings)) return;
  const { local, domain } = splitUserid(owner, settings);
  const here = new InterfaceDomains(settings).fallback();
  if (domain !== '' || here === '') return;
  const other = names.toExternal({ owner: joinUserid(local, here), path: '' });
  io.stderr(
    `mailstore mailbox: with virtdomains on, the login '${printable(local)}' reads ${printable(other)}, not ${
      printable(names.toExternal({ owner, path: '' }))
    }\n`,
  );
}

export const deleteMailbox: Action = (operands, options) => {
  const [text] = take('delete', operands, ['MAILBOX']) as [string];
  return async (administration) => {
    const { session, names, io } = administration;
    const name = mailboxFrom(text, administration);
    // The INBOX of a user takes all below it along by itself.
    if (options.recursive && name.path !== '') {
      const below = session.list().map((each) => each.name).filter((each) => isBelow(each, name));
      // The lowest first, so that nothing is left without its parent should this end in the middle.
      below.sort((a, b) => b.path.split('/').length - a.path.split('/').length);
      for (const each of below) await session.delete(each);
    }
    await session.delete(name);
    io.stdout(`Mailbox ${printable(names.toExternal(name))} deleted.\n`);
    return EX_OK;
  };
};

export const renameMailbox: Action = (operands) => {
  const [from, to] = take('rename', operands, ['OLD', 'NEW']) as [string, string];
  return async (administration) => {
    const { session, names, io } = administration;
    const target = mailboxFrom(to, administration);
    await session.rename(mailboxFrom(from, administration), target);
    io.stdout(`Mailbox renamed to ${printable(names.toExternal(target))}.\n`);
    return EX_OK;
  };
};
