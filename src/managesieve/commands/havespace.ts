import { limitError } from '../../errors.ts';
import { refuseTooLong } from '../check.ts';
import { expectArguments, nameAt } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { ok } from '../write.ts';

/** HAVESPACE name size (RFC 5804 §2.5): whether PUTSCRIPT would find place. */
export function havespace(session: ManageSieveSession, args: readonly Argument[]): void {
  expectArguments(args, ['string', 'number'], 'HAVESPACE "name" size');
  const { scripts, settings } = session;
  const name = nameAt(args, 0);
  refuseTooLong(Number(args[1]?.text), settings.sieve_maxscriptsize);
  const there = scripts.list();
  if (there.length >= settings.sieve_maxscripts && !there.some((script) => script.name === name)) {
    throw limitError(`There are at most ${settings.sieve_maxscripts} scripts`);
  }
  session.write(ok());
}
