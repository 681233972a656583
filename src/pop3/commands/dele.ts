import { messageNumber } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** DELE msg (RFC 1939 §5): a mark that RSET takes back and QUIT carries out. */
export function dele(session: Pop3Session, argument: string): void {
  const { drop } = session;
  drop.delete(messageNumber(argument, drop));
  session.write(ok('Marked'));
}
