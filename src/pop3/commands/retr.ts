import { messageNumber } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';
import { writeContent } from './content.ts';

/** RETR msg (RFC 1939 §5). */
export function retr(session: Pop3Session, argument: string): Promise<void> | undefined {
  const { drop } = session;
  const number = messageNumber(argument, drop);
  const content = drop.content(number);
  drop.retrieved(number);
  let sent: Promise<void> | undefined;
  try {
    sent = writeContent(session, ok(`${drop.size(number)} octets`), content, content.size);
  } finally {
    if (sent === undefined) content.close();
  }
  return sent?.finally(() => content.close());
}
