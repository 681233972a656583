import { checkScript, refuseTooLong } from '../check.ts';
import { expectArguments, nameAt } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';

/** PUTSCRIPT name script (RFC 5804 §2.6): checked, then stored; what was there under the name stays if either fails. */
export async function putscript(session: ManageSieveSession, args: readonly Argument[]): Promise<void> {
  expectArguments(args, ['string', 'string'], 'PUTSCRIPT "name" "script"');
  const { scripts, settings } = session;
  const name = nameAt(args, 0);
  const script = Buffer.from(args[1]?.text ?? '', 'latin1');
  refuseTooLong(script.length, settings.sieve_maxscriptsize);
  const checked = checkScript(session.services.language, script);
  if (checked.startsWith('OK')) {
    await scripts.put(name, script, { maxScripts: settings.sieve_maxscripts });
    session.logChange('script stored', { script: name, size: script.length });
  }
  session.write(checked);
}
