import { loginAllowed } from '../../auth/sasl.ts';
import { decodeText } from '../../auth/text.ts';
import { syntaxError, userError } from '../../errors.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** USER name (RFC 1939 §7), UTF-8 allowed (RFC 6856 §2.2). The answer is the same for everybody. */
export function user(session: Pop3Session, argument: string): void {
  if (!loginAllowed(session.sasl)) {
    throw userError('privacyrequired', 'Passwords are not accepted without TLS');
  }
  if (argument === '') throw syntaxError('Expected USER name');
  session.user = decodeText(Buffer.from(argument, 'latin1'));
  session.write(ok('Name is a valid mailbox'));
}
