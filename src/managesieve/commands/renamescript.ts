import { expectArguments, nameAt } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { ok } from '../write.ts';

/** RENAMESCRIPT old new (RFC 5804 §2.11): an active script stays the active one. */
export async function renamescript(session: ManageSieveSession, args: readonly Argument[]): Promise<void> {
  expectArguments(args, ['string', 'string'], 'RENAMESCRIPT "old name" "new name"');
  const [from, to] = [nameAt(args, 0), nameAt(args, 1)];
  await session.scripts.rename(from, to);
  session.logChange('script renamed', { script: from, to });
  session.write(ok());
}
