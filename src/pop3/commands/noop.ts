import { noArgument } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** NOOP (RFC 1939 §5). */
export function noop(session: Pop3Session, argument: string): void {
  noArgument(argument);
  session.write(ok());
}
