import { noArgument } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';

/** QUIT (RFC 1939 §4, §6): behind a login the messages that are marked go now. A failure removes none and says so. */
export async function quit(session: Pop3Session, argument: string): Promise<void> {
  noArgument(argument);
  try {
    await session.maildrop?.commit();
  } catch (thrown) {
    // §6: the maildrop is let go of all the same, and the session is over.
    await session.abandon(thrown);
    return;
  }
  await session.leave('Bye');
}
