/** `mailstore export`: a user's mail as files that every other mail store reads. */

import { userError } from '../errors.ts';
import type { Identity, MailboxName } from '../store/border.ts';
import { Namespace } from '../store/names.ts';
import {
  administer,
  type Administration,
  mailboxFrom,
  processSurroundings,
  type Surroundings,
  useridFrom,
} from './administration.ts';
import { type Command, processIo } from './command.ts';
import { exportMaildir } from './export/maildir.ts';
import { exportMbox } from './export/mbox.ts';
import { configArguments, configUsage, parseArgs, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore export (--maildir DIR | --mbox DIR) [OPTION]... USER [MAILBOX]...

Writes the mailboxes of a user, or those named, to files: every message byte for byte, with its flags and its date. The
server may run. What is in DIR already stays, and a mailbox that is there already is refused. DIR has to be writable for
the user of the server.

      --maildir DIR       Maildir++ as Dovecot, Courier and Exim know it: INBOX in DIR itself, the others in DIR/.Name, with
                          dovecot-uidlist and dovecot-keywords, so that Dovecot goes on with the same UIDs
      --mbox DIR          one file per mailbox (mboxrd: From_ lines in messages are quoted with >), line ends as on Unix
${configUsage}  -h, --help              this text

MAILBOX is named as an administrator sees it: user/django/Work.
`;

const exportArguments = { ...configArguments, maildir: { value: 'DIR' }, mbox: { value: 'DIR' } } as const;

/** The command with its surroundings, which a test replaces. */
export function exportCommand(surroundings: Surroundings = processSurroundings): Command {
  return {
    name: 'export',
    summary: "write a user's mail to Maildir or mbox files",
    usage,
    async run(args, io) {
      const { options, operands } = parseArgs(args, exportArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      const [user, ...mailboxes] = operands;
      if (user === undefined) throw usageError('USER is missing');
      if ((options.maildir === undefined) === (options.mbox === undefined)) {
        throw usageError('say where to: --maildir DIR or --mbox DIR');
      }
      return await administer(options, io, surroundings, async (administration) => {
        const { settings, store } = administration;
        const userid = useridFrom(user, settings);
        const identity: Identity = { userid, admin: false, groups: [] };
        const session = store.session(identity);
        const names = wanted(administration, userid, mailboxes) ??
          session.list().filter(({ name, selectable }) => selectable && name.owner === userid).map((
            { name },
          ) => name);
        if (names.length === 0) throw userError('nouser', `${userid} has no mailbox`);
        const write = options.maildir === undefined ? exportMbox : exportMaildir;
        const folder = (options.maildir ?? options.mbox) as string;
        let messages = 0;
        for (const name of names) messages += await write(session, name, folder);
        const shown = new Namespace(settings, identity);
        io.stdout(`${messages} messages of ${names.map((name) => shown.toExternal(name)).join(', ')}\n`);
        return EX_OK;
      });
    },
  };
}

/** The mailboxes named; all have to be the user's. Null where none is named. */
function wanted(
  administration: Administration,
  userid: string,
  named: readonly string[],
): MailboxName[] | null {
  if (named.length === 0) return null;
  return named.map((text) => {
    const name = mailboxFrom(text, administration);
    if (name.owner !== userid) throw userError('nonexistent', `${text} is not a mailbox of ${userid}`);
    return name;
  });
}

export function run(args: readonly string[]): Promise<number> {
  return exportCommand().run(args, processIo());
}
