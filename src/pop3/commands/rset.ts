import { noArgument } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** RSET (RFC 1939 §5). */
export function rset(session: Pop3Session, argument: string): void {
  noArgument(argument);
  session.drop.reset();
  session.write(ok());
}
