import { expectArguments, nameAt } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { ok } from '../write.ts';

/** SETACTIVE name (RFC 5804 §2.8); the empty name ends filtering, also where there was none. */
export async function setactive(session: ManageSieveSession, args: readonly Argument[]): Promise<void> {
  expectArguments(args, ['string'], 'SETACTIVE "name"');
  const name = args[0]?.text === '' ? null : nameAt(args, 0);
  await session.scripts.setActive(name);
  session.logChange(name === null ? 'no script is active' : 'script activated', { script: name ?? '' });
  session.write(ok());
}
