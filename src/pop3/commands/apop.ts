import { createHash, timingSafeEqual } from '../../crypto.ts';
import { decodeText } from '../../auth/text.ts';
import { syntaxError, userError } from '../../errors.ts';
import { mailboxOf, openMaildrop } from '../login.ts';
import type { Pop3Session } from '../session.ts';

/** APOP name digest (RFC 1939 §7): the MD5 of the greeting's timestamp and the password. */
export async function apop(session: Pop3Session, argument: string): Promise<void> {
  if (session.timestamp === '') throw userError('cannot', 'APOP is not there');
  const match = /^(.+) ([0-9a-f]{32})$/.exec(argument);
  if (match === null) throw syntaxError('Expected APOP name digest');
  const { authenticator } = session.services;
  const { name, folder } = mailboxOf(decodeText(Buffer.from(match[1] as string, 'latin1')), session.settings);
  const claim = await authenticator.claim(name, 'APOP', session.origin);
  const { plain } = claim;
  const expected = createHash('md5').update(session.timestamp).update(plain).digest();
  const proved = timingSafeEqual(expected, Buffer.from(match[2] as string, 'hex')) && plain !== '';
  const identity = await authenticator.settle(claim, { mechanism: 'APOP', authzid: '', proved });
  await openMaildrop(session, identity, folder);
}
