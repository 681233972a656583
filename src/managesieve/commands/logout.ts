import { expectArguments } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { ok } from '../write.ts';

/** LOGOUT (RFC 5804 §2.3): what comes behind it is never read. */
export function logout(session: ManageSieveSession, args: readonly Argument[]): void {
  expectArguments(args, [], 'LOGOUT');
  session.leave(ok('Logout completed'));
}
