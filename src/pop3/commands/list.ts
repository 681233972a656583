import { messageNumber } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';
import { writeListing } from './listing.ts';

/** LIST [msg] (RFC 1939 §5): sizes are those of the messages as they are stored, with CRLF. */
export async function list(session: Pop3Session, argument: string): Promise<void> {
  const { drop } = session;
  if (argument !== '') {
    const number = messageNumber(argument, drop);
    session.write(ok(`${number} ${drop.size(number)}`));
    return;
  }
  const { messages, size } = drop.total;
  session.write(ok(`${messages} messages (${size} octets)`));
  await writeListing(session, drop, (number) => `${number} ${drop.size(number)}\r\n`);
}
