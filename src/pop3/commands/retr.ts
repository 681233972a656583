import { messageNumber } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';
import { writeContent } from './content.ts';

/** RETR msg (RFC 1939 §5). */
export async function retr(session: Pop3Session, argument: string): Promise<void> {
  const { drop } = session;
  const number = messageNumber(argument, drop);
  const content = drop.mailbox.content(drop.row(number));
  try {
    session.write(ok(`${drop.size(number)} octets`));
    await writeContent(session, content, content.size);
    drop.retrieved(number);
  } finally {
    content.close();
  }
}
