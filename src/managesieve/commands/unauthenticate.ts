import { expectArguments } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { ok } from '../write.ts';

/** UNAUTHENTICATE (RFC 5804 §2.14.1): as before the login, below the same TLS and the same layer. */
export function unauthenticate(session: ManageSieveSession, args: readonly Argument[]): void {
  expectArguments(args, [], 'UNAUTHENTICATE');
  session.forget();
  session.write(ok());
}
