import { decodeText } from '../../auth/text.ts';
import { syntaxError } from '../../errors.ts';
import { mailboxOf, openMaildrop } from '../login.ts';
import type { Pop3Session } from '../session.ts';

/** PASS string (RFC 1939 §7): everything behind the blank, other blanks included. */
export async function pass(session: Pop3Session, argument: string): Promise<void> {
  const { user } = session;
  if (user === null) throw syntaxError('Say USER first');
  session.user = null;
  const { name, folder } = mailboxOf(user, session.settings);
  const identity = await session.services.authenticator.authenticate({
    mechanism: 'USER/PASS',
    authcid: name,
    authzid: '',
    password: decodeText(Buffer.from(argument, 'latin1')),
    origin: session.origin,
  });
  await openMaildrop(session, identity, folder);
}
