/** `mailstore mailbox acl`: shows and sets who may do what (RFC 4314). */

import { canonicalIdentifier } from '../../auth/canonical.ts';
import { changeRights, RIGHTS, showRights } from '../../store/rights.ts';
import { splitUserid } from '../../store/userid.ts';
import { mailboxFrom } from '../administration.ts';
import { usageError } from '../options.ts';
import { EX_OK } from '../sysexits.ts';
import { formatTable } from '../table.ts';
import { type Action, take } from './arguments.ts';

/** cyradm's words for sets of rights. */
const WORDS: Readonly<Record<string, string>> = {
  none: '',
  read: 'lrs',
  post: 'lrsp',
  append: 'lrsip',
  write: 'lrswipkxte',
  delete: 'lrxte',
  all: RIGHTS,
};

export const acl: Action = (operands, options) => {
  const [text, identifier, rights] = take('acl', operands, ['MAILBOX', 'IDENTIFIER', 'RIGHTS'], 1);
  if (identifier !== undefined && rights === undefined) throw usageError('mailbox acl needs RIGHTS');
  const change = rights === undefined ? undefined : readChange(rights);
  return async (administration) => {
    const { session, settings, names, io } = administration;
    const name = mailboxFrom(text as string, administration);
    if (identifier !== undefined && change !== undefined) {
      const { domain } = splitUserid(name.owner, settings);
      await session.setAcl(
        name,
        canonicalIdentifier(identifier, domain, settings),
        change === '' ? null : change,
      );
    }
    const entries = session.acl(name).map((entry) => ({
      identifier: entry.identifier,
      rights: showRights(entry.rights),
    }));
    if (options.json) {
      io.stdout(`${JSON.stringify({ mailbox: names.toExternal(name), acl: entries })}\n`);
    } else if (entries.length === 0) io.stdout(`${text} has an empty access control list.\n`);
    else {
      const rows = entries.map((entry) => [entry.identifier, entry.rights]);
      io.stdout(formatTable([{ title: 'IDENTIFIER' }, { title: 'RIGHTS' }], rows));
    }
    return EX_OK;
  };
};

/** The change as the store takes it: letters, or letters behind + or -; '' removes the entry. */
function readChange(text: string): string {
  if (Object.hasOwn(WORDS, text)) return WORDS[text] as string;
  // Says now, before a store is opened, what is wrong with the letters.
  changeRights('', text);
  return text;
}
