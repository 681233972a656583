import { noArgument } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** UTF8 (RFC 6856 §2.1): headers come as they are stored from now on. */
export function utf8(session: Pop3Session, argument: string): void {
  noArgument(argument);
  session.utf8 = true;
  session.write(ok('UTF8 enabled'));
}
