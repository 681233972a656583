/** `mailstore user`: who may log in with a password kept in the store (Cyrus: saslpasswd2, sasldblistusers2). */

import { isAdmin } from '../auth/canonical.ts';
import { makeSecret } from '../auth/secrets/embedded.ts';
import { retrievableSecrets } from '../config/retrievable.ts';
import { userError } from '../errors.ts';
import {
  administer,
  type Administration,
  processSurroundings,
  type Surroundings,
  useridFrom,
} from './administration.ts';
import { type Command, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, usageError } from './options.ts';
import { newPassword } from './password.ts';
import { EX_OK } from './sysexits.ts';
import { formatTable, formatTime, printable } from './table.ts';
import { formatFrom, importUsers, readListing } from './user/import.ts';

const usage = `Usage: mailstore user add [OPTION]... USER
       mailstore user passwd [OPTION]... USER
       mailstore user list [OPTION]... [--json]
       mailstore user remove [OPTION]... [--purge [--yes]] USER
       mailstore user import [OPTION]... [--format FORMAT] [--replace] FILE

  add        makes a user who can log in
  passwd     changes a user's password; sessions that are open go on
  list       prints the users and when their passwords were set
  remove     ends a user's logins; the mail stays
  import     takes users over from a file: lines name:hash of passwd, shadow and htpasswd, LDIF with uid and
             userPassword, or sasldb2 as db_dump -p writes it; passwords become what all mechanisms need, hashes
             stay as they are

The password is asked for, or taken from the first line of standard input. USER is "django", or "django@nausch.org"
with virtual domains; without a domain the one a login without it would get is added.

${configUsage}      --purge             remove also deletes all mail of the user, for good, after asking
  -y, --yes               do not ask
      --format FORMAT     what import reads: passwd, ldif or sasldb, where the file does not tell
      --replace           import also sets the passwords of users there are
      --json              list for programs to read
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 there is such a user already or the password cannot be one
(import: of some of the users, which are named),
67 no such user, 75 the store cannot be reached, 78 wrong configuration.
`;

const commandArguments = {
  ...configArguments,
  purge: {},
  yes: { short: 'y' },
  format: { value: 'FORMAT' },
  replace: {},
} as const;

type Options = ReturnType<typeof parseArgs<typeof commandArguments>>['options'];

/** The command over this store and this terminal. */
export function userCommand(surroundings: Surroundings): Command {
  return {
    name: 'user',
    summary: 'add, change, list and remove users with passwords in the store',
    usage,
    async run(args, io) {
      const { options, operands: [action, ...operands] } = parseArgs(args, commandArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      const work = actionOf(action, operands, options);
      return await administer(options, io, surroundings, work);
    },
  };
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return userCommand(processSurroundings).run(args, processIo());
}

/** What to do, with the command line checked before the store is opened. */
function actionOf(
  action: string | undefined,
  operands: readonly string[],
  options: Options,
): (administration: Administration) => Promise<number> {
  if (options.purge && action !== 'remove') throw usageError('--purge is for user remove');
  if (options.yes && !options.purge) throw usageError('--yes is for user remove --purge');
  if (options.json && action !== 'list') throw usageError('--json is for user list');
  if (options.replace && action !== 'import') throw usageError('--replace is for user import');
  if (options.format !== undefined && action !== 'import') throw usageError('--format is for user import');
  if (action === 'import') {
    const format = formatFrom(options.format);
    const [file, ...rest] = operands;
    if (file === undefined || rest.length > 0) throw usageError('user import needs one file');
    // Now, while this is still root: the files of other programs are not the server's to read.
    const text = readListing(file);
    return (administration) => importUsers(administration, { file, text, format }, options.replace);
  }
  if (action === 'list') {
    if (operands.length > 0) throw usageError(`user list takes no "${operands[0]}"`);
    return (administration) => list(administration, options.json);
  }
  const [user, ...rest] = operands;
  switch (action) {
    case 'add':
    case 'passwd':
    case 'remove':
      break;
    case undefined:
      throw usageError('user needs one of add, passwd, list, remove, import');
    default:
      throw usageError(`user needs one of add, passwd, list, remove, import; not "${action}"`);
  }
  if (user === undefined) throw usageError(`user ${action} needs the user`);
  if (rest.length > 0) {
    // Whoever types it here has it in the shell's history and shows it to everybody in ps.
    throw usageError(`user ${action} takes one user and nothing more; a password is never an argument`);
  }
  if (action === 'add') return (administration) => add(administration, user);
  if (action === 'passwd') return (administration) => passwd(administration, user);
  return (administration) => remove(administration, user, options);
}

async function add(administration: Administration, user: string): Promise<number> {
  const { store, settings, io } = administration;
  const userid = useridFrom(user, settings);
  const exists = () =>
    userError(
      'alreadyexists',
      `there is a user ${userid} already; 'mailstore user passwd' changes the password`,
    );
  if (store.secrets.get(userid) !== null) throw exists();
  // While the password is typed, somebody else may add the same user.
  if (!await store.secrets.replace(userid, null, await askSecret(administration, userid))) throw exists();
  io.stdout(`User ${printable(userid)} added.\n`);
  if (settings.autocreatequota === 0 && !isAdmin(userid, settings) && !hasInbox(administration, userid)) {
    const inbox = administration.names.toExternal({ owner: userid, path: '' });
    io.stdout(`There is no INBOX yet; 'mailstore mailbox create ${printable(inbox)}' makes it.\n`);
  }
  return EX_OK;
}

async function passwd(administration: Administration, user: string): Promise<number> {
  const { store, settings, io } = administration;
  const userid = useridFrom(user, settings);
  if (store.secrets.get(userid) === null) throw noUser(userid);
  await store.secrets.set(userid, await askSecret(administration, userid));
  io.stdout(`Password of ${printable(userid)} changed.\n`);
  return EX_OK;
}

/** The record of a new password that is asked for. */
async function askSecret({ settings, io, terminal }: Administration, userid: string): Promise<string> {
  const password = await newPassword(printable(userid), io, terminal);
  return await makeSecret(password, retrievableSecrets(settings));
}

function list({ store, settings, io }: Administration, json: boolean): Promise<number> {
  const users = store.secrets.list().map(({ userid, changed }) => ({
    userid,
    changed: formatTime(changed),
    admin: isAdmin(userid, settings),
  }));
  if (json) io.stdout(`${JSON.stringify(users)}\n`);
  else {
    const rows = users.map(({ userid, changed, admin }) => [userid, changed, admin ? 'admin' : '']);
    io.stdout(formatTable([{ title: 'USER' }, { title: 'PASSWORD SET' }, { title: '' }], rows));
  }
  return Promise.resolve(EX_OK);
}

async function remove(administration: Administration, user: string, options: Options): Promise<number> {
  const { store, settings, io } = administration;
  const userid = useridFrom(user, settings);
  const secret = store.secrets.get(userid);
  if (!options.purge) {
    if (secret === null) throw noUser(userid);
    await store.secrets.remove(userid);
    io.stdout(`User ${printable(userid)} removed. The mail is still there.\n`);
    return EX_OK;
  }
  const owner = store.admin.owners().some((other) => other.userid === userid);
  if (secret === null && !owner) throw noUser(userid);
  if (owner && !options.yes) await confirmPurge(userid, administration);
  // Logins end first: nobody shall come in while the mail goes.
  if (secret !== null) await store.secrets.remove(userid);
  if (owner) await store.admin.purgeUser(userid);
  io.stdout(`User ${printable(userid)} removed${owner ? ' with all mail' : ''}.\n`);
  return EX_OK;
}

/** Asks for the name again: a habit of saying yes deletes no mail. */
async function confirmPurge(userid: string, { terminal }: Administration): Promise<void> {
  if (terminal === null) throw usageError('--purge asks before it deletes; without a terminal say --yes');
  const question = `This deletes all mail of ${
    printable(userid)
  } for good.\nType the name of the user to go on: `;
  const answer = await terminal.ask(question, { echo: true });
  if (answer.trim() !== userid) throw userError('cannot', 'that is not the name; nothing was changed');
}

function noUser(userid: string): Error {
  return userError('nouser', `there is no user ${userid} with a password in the store`);
}

function hasInbox({ session }: Administration, userid: string): boolean {
  try {
    session.info({ owner: userid, path: '' });
    return true;
  } catch {
    return false;
  }
}
