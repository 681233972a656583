/** The extensions there are, by their names. */
import { type Compiled, type CompileOptions, compileWith } from './compile.ts';
import type { Extension } from './extension.ts';
import { base } from './extensions/base.ts';
import { body } from './extensions/body.ts';
import { copy } from './extensions/copy.ts';
import { cyrusLog } from './extensions/cyruslog.ts';
import { date } from './extensions/date.ts';
import { dovecotDebug } from './extensions/dovecotdebug.ts';
import { dovecotEnvironment } from './extensions/dovecotenvironment.ts';
import { dovecotReport } from './extensions/dovecotreport.ts';
import { duplicate } from './extensions/duplicate.ts';
import { editheader } from './extensions/editheader.ts';
import { enclose } from './extensions/enclose.ts';
import { encodedCharacter } from './extensions/encodedcharacter.ts';
import { enotify } from './extensions/enotify.ts';
import { envelope, envelopeDeliverby, envelopeDsn } from './extensions/envelope.ts';
import { environment } from './extensions/environment.ts';
import { extlists } from './extensions/extlists.ts';
import { extracttext } from './extensions/extracttext.ts';
import { fcc } from './extensions/fcc.ts';
import { fileinto } from './extensions/fileinto.ts';
import { foreverypart } from './extensions/foreverypart.ts';
import { ihaveExtension } from './extensions/ihave.ts';
import { imap4flags, imapflags } from './extensions/imap4flags.ts';
import { imapsieve } from './extensions/imapsieve.ts';
import { implicitKeepTarget } from './extensions/implicitkeeptarget.ts';
import { includeExtension } from './extensions/include.ts';
import { index } from './extensions/index.ts';
import { mailbox, mboxmetadata, servermetadata } from './extensions/mailbox.ts';
import { mailboxid } from './extensions/mailboxid.ts';
import { mime } from './extensions/mime.ts';
import { notify } from './extensions/notify.ts';
import { execute, filter, pipe } from './extensions/programs.ts';
import { redirectDeliverby, redirectDsn } from './extensions/redirectparameters.ts';
import { regex } from './extensions/regex.ts';
import { ereject, reject } from './extensions/reject.ts';
import { relational } from './extensions/relational.ts';
import { replace } from './extensions/replace.ts';
import { snooze } from './extensions/snooze.ts';
import { spamtest, spamtestplus, virustest } from './extensions/spamtest.ts';
import { specialUse } from './extensions/specialuse.ts';
import { subaddress } from './extensions/subaddress.ts';
import { vacation, vacationSeconds } from './extensions/vacation.ts';
import { variables } from './extensions/variables.ts';
import { COMPARATORS } from './match/comparators.ts';
import { Registry } from './registry.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';

export const EXTENSIONS: readonly Extension[] = [
  base,
  body,
  copy,
  cyrusLog,
  date,
  dovecotDebug,
  dovecotEnvironment,
  dovecotReport,
  duplicate,
  editheader,
  enclose,
  encodedCharacter,
  enotify,
  envelope,
  envelopeDeliverby,
  envelopeDsn,
  environment,
  ereject,
  execute,
  extlists,
  extracttext,
  fcc,
  fileinto,
  filter,
  foreverypart,
  ihaveExtension,
  imap4flags,
  imapflags,
  imapsieve,
  implicitKeepTarget,
  includeExtension,
  index,
  mailbox,
  mailboxid,
  mboxmetadata,
  mime,
  notify,
  pipe,
  redirectDeliverby,
  redirectDsn,
  regex,
  reject,
  relational,
  replace,
  servermetadata,
  snooze,
  spamtest,
  spamtestplus,
  specialUse,
  subaddress,
  vacation,
  vacationSeconds,
  variables,
  virustest,
  ...COMPARATORS.map(({ name }) => ({ capability: `comparator-${name}` })),
];

const registry = new Registry(EXTENSIONS);

/** Compiles a script, given as bytes or octets. */
export function compile(source: string | Uint8Array, options: CompileOptions = {}): Compiled {
  return compileWith(registry, source, options);
}

/** What `require` may name under the settings of an administrator. */
export function capabilities(settings: Settings): readonly string[] {
  return EXTENSIONS.filter(({ capability, offered }) => capability !== '' && offered?.(settings) !== false)
    .map(({ capability }) => capability);
}

/** The same where nothing is set. */
export const CAPABILITIES: readonly string[] = capabilities(DEFAULT_SETTINGS);
