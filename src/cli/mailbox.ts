/** `mailstore mailbox`: enough to administer mailboxes by (Cyrus: cyradm). */

import { administer, processSurroundings, type Surroundings } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { acl } from './mailbox/acl.ts';
import { type Action, mailboxArguments, type MailboxOptions } from './mailbox/arguments.ts';
import { createMailbox, deleteMailbox, renameMailbox } from './mailbox/change.ts';
import { listMailboxes } from './mailbox/list.ts';
import { metadata } from './mailbox/metadata.ts';
import { quota } from './mailbox/quota.ts';
import { undelete } from './mailbox/undelete.ts';
import { configUsage, parseArgs, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore mailbox create [--special-use USE]... MAILBOX
       mailstore mailbox delete [-r] MAILBOX
       mailstore mailbox rename OLD NEW
       mailstore mailbox list [--long] [--json] [PATTERN]
       mailstore mailbox quota [--json] [MAILBOX [SIZE | none]] [--messages NUMBER | none]
       mailstore mailbox acl [--json] MAILBOX [[--] IDENTIFIER RIGHTS]
       mailstore mailbox metadata [--json] MAILBOX [ENTRY [VALUE]]
       mailstore mailbox undelete [-r] [--id ID] MAILBOX [AS]
       mailstore mailbox undelete --list [--json] MAILBOX

MAILBOX is named as an administrator sees it, with the separator of the configuration:
  user/django                    the INBOX of django
  user/django/Sent@nausch.org    a folder, with virtual domains
  staff                          a shared mailbox

  create     makes a mailbox; the INBOX of a user by its name
  delete     deletes a mailbox; the INBOX of a user takes all folders along. What is deleted can be undeleted until
             the expiry run removes it
  rename     renames a mailbox and what is below it
  list       prints names; with a PATTERN (* any characters, % up to the next separator) or below a MAILBOX
  quota      shows quotas, or sets that of MAILBOX and all below it: "2G", "500M" or "none"
  acl        shows who has which rights, or sets the RIGHTS of IDENTIFIER (a user, "anyone", "group:NAME"; with "-" in
             front rights that are taken away): letters of lrswipkxtea, "+letters" to add, "-letters" to remove, or
             one of none, read, post, append, write, delete, all. Say -- before what begins with a dash
  metadata   shows the annotations of MAILBOX, / for the server, or sets ENTRY, /shared/comment for instance; an empty
             VALUE removes it
  undelete   brings back the last deleted mailbox of that name, or the one with that --id, under its name or AS

${configUsage}  -r, --recursive         delete, or bring back, also what is below the mailbox
  -l, --long              list counts messages and their size
      --special-use USE   the role of the new mailbox: Archive, Drafts, Flagged, Junk, Sent, Snoozed,
                          Trash
      --messages NUMBER   limit the number of messages, too
      --list              show what can be undeleted
      --id ID             the mailbox to undelete, from --list
      --json              tables for programs to read
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 no such mailbox or it cannot be done, 75 the store cannot be reached,
77 not permitted, 78 wrong configuration.
`;

/** Each action with the options that are its own. */
const actions: Readonly<
  Record<string, { readonly action: Action; readonly takes: readonly (keyof MailboxOptions)[] }>
> = {
  create: { action: createMailbox, takes: ['specialUse'] },
  delete: { action: deleteMailbox, takes: ['recursive'] },
  rename: { action: renameMailbox, takes: [] },
  list: { action: listMailboxes, takes: ['long', 'json'] },
  quota: { action: quota, takes: ['messages', 'json'] },
  acl: { action: acl, takes: ['json'] },
  metadata: { action: metadata, takes: ['json'] },
  undelete: { action: undelete, takes: ['recursive', 'list', 'id', 'json'] },
};

/** The options that belong to some actions only. */
const ownOptions: readonly (readonly [keyof MailboxOptions, string])[] = [
  ['recursive', '--recursive'],
  ['long', '--long'],
  ['specialUse', '--special-use'],
  ['messages', '--messages'],
  ['list', '--list'],
  ['id', '--id'],
  ['json', '--json'],
];

/** The command over this store. */
export function mailboxCommand(surroundings: Surroundings): Command {
  return {
    name: 'mailbox',
    summary: 'create, delete, rename and list mailboxes; quotas, rights, annotations, undelete',
    usage,
    async run(args, io) {
      const { options, operands: [name, ...operands] } = parseArgs(args, mailboxArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      const row = name !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined;
      if (row === undefined) {
        const given = name === undefined ? '' : `; not "${name}"`;
        throw usageError(`mailbox needs one of ${Object.keys(actions).join(', ')}${given}`);
      }
      for (const [option, flag] of ownOptions) {
        const value = options[option];
        const given = typeof value === 'object' ? value.length > 0 : value !== undefined && value !== false;
        if (given && !row.takes.includes(option)) throw usageError(`${flag} is not for mailbox ${name}`);
      }
      return await administer(options, io, surroundings, row.action(operands, options));
    },
  };
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return mailboxCommand(processSurroundings).run(args, processIo());
}
