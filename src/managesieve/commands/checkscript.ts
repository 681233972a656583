import { checkScript, refuseTooLong } from '../check.ts';
import { expectArguments } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';

/** CHECKSCRIPT script (RFC 5804 §2.12): the same check as PUTSCRIPT's, whatever the quota says; nothing is stored. */
export function checkscript(session: ManageSieveSession, args: readonly Argument[]): void {
  expectArguments(args, ['string'], 'CHECKSCRIPT "script"');
  const { settings, services } = session;
  const script = Buffer.from(args[0]?.text ?? '', 'latin1');
  refuseTooLong(script.length, settings.sieve_maxscriptsize);
  session.write(checkScript(services.language, script));
}
