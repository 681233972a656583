import { expectArguments, nameAt } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { ok } from '../write.ts';

/** DELETESCRIPT name (RFC 5804 §2.10): never the active one. */
export async function deletescript(session: ManageSieveSession, args: readonly Argument[]): Promise<void> {
  expectArguments(args, ['string'], 'DELETESCRIPT "name"');
  const name = nameAt(args, 0);
  await session.scripts.delete(name);
  session.logChange('script deleted', { script: name });
  session.write(ok());
}
