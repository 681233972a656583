/** `mailstore mailbox list`. */

import { userError } from '../../errors.ts';
import { compilePattern } from '../../imap/glob.ts';
import type { Settings } from '../../config/settings.ts';
import type { ListedMailbox, MailboxName } from '../../store/border.ts';
import { isBelow, sameName } from '../../store/names.ts';
import { splitUserid } from '../../store/userid.ts';
import { type Administration, mailboxFrom } from '../administration.ts';
import { EX_OK } from '../sysexits.ts';
import { formatTable } from '../table.ts';
import { type Action, take } from './arguments.ts';

export const listMailboxes: Action = (operands, options) => {
  const [pattern] = take('list', operands, ['PATTERN'], 0);
  return (administration) => {
    const { settings, io } = administration;
    const found = matching(pattern, administration).map((mailbox) => ({
      mailbox,
      order: sortKey(mailbox.name, settings),
    }));
    found.sort((a, b) => a.order < b.order ? -1 : 1);
    const rows = found.map(({ mailbox }) => row(mailbox, options.long, administration));
    if (options.json) io.stdout(`${JSON.stringify(rows)}\n`);
    else if (!options.long) {
      const cells = rows.map((each) => [each.name, each.specialUse.join(' ')]);
      io.stdout(formatTable([{ title: 'MAILBOX' }, { title: '' }], cells));
    } else {
      const columns = [
        { title: 'MAILBOX' },
        { title: 'MESSAGES', right: true },
        { title: 'UNSEEN', right: true },
        { title: 'BYTES', right: true },
        { title: '' },
      ];
      const cells = rows.map((each) => [
        each.name,
        String(each.messages ?? '-'),
        String(each.unseen ?? '-'),
        String(each.size ?? '-'),
        each.specialUse.join(' '),
      ]);
      io.stdout(formatTable(columns, cells));
    }
    return Promise.resolve(EX_OK);
  };
};

/** One mailbox as --json prints it. Sizes in bytes; counters only with --long and where there are messages at all. */
interface Row {
  readonly name: string;
  readonly mailboxid: string;
  readonly specialUse: readonly string[];
  readonly selectable: boolean;
  readonly messages?: number;
  readonly unseen?: number;
  readonly deleted?: number;
  readonly size?: number;
}

function row(mailbox: ListedMailbox, long: boolean, { session, names }: Administration): Row {
  const { mailboxid, specialUse, selectable } = mailbox;
  const listed: Row = { name: names.toExternal(mailbox.name), mailboxid, specialUse, selectable };
  if (!long || !selectable) return listed;
  const { exists, unseen, deleted, size } = session.info(mailbox.name);
  return { ...listed, messages: exists, unseen, deleted, size };
}

/** By domain, user and level; a mailbox right before what is below it. NUL cannot be part of a name. */
function sortKey({ owner, path }: MailboxName, settings: Settings): string {
  const { local, domain } = splitUserid(owner, settings);
  return [domain, local, ...path.split('/')].join('\0');
}

/** All mailboxes, those whose names match a pattern, or one and what is below it. */
function matching(pattern: string | undefined, administration: Administration): ListedMailbox[] {
  const { session, names } = administration;
  const all = session.list();
  if (pattern === undefined) return all;
  if (/[*%]/.test(pattern)) {
    const matches = compilePattern(pattern.normalize('NFC'), names.separator);
    return all.filter(({ name }) => matches(names.toExternal(name)));
  }
  const top = mailboxFrom(pattern, administration);
  const found = all.filter(({ name }) => sameName(name, top) || isBelow(name, top));
  if (found.length === 0) throw userError('nonexistent', `there is no mailbox ${pattern}`);
  return found;
}
