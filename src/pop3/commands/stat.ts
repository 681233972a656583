import { noArgument } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** STAT (RFC 1939 §5). */
export function stat(session: Pop3Session, argument: string): void {
  noArgument(argument);
  const { messages, size } = session.drop.total;
  session.write(ok(`${messages} ${size}`));
}
