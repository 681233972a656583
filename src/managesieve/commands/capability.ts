import { expectArguments } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';

/** CAPABILITY (RFC 5804 §2.4). */
export function capability(session: ManageSieveSession, args: readonly Argument[]): void {
  expectArguments(args, [], 'CAPABILITY');
  session.announce();
}
