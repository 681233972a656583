import type { Settings } from '../../config/settings.ts';
import { messageNumber } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';
import { writeListing } from './listing.ts';

/** UIDL [msg] (RFC 1939 §7): never the same for two messages of a maildrop, and the same in all sessions. */
export async function uidl(session: Pop3Session, argument: string): Promise<void> {
  const { drop } = session;
  const { uidvalidity } = drop.mailbox.snapshot;
  const id = (number: number) => uniqueId(session.settings.uidl_format, uidvalidity, drop.uid(number));
  if (argument !== '') {
    const number = messageNumber(argument, drop);
    session.write(ok(`${number} ${id(number)}`));
    return;
  }
  session.write(ok('Unique ids follow'));
  await writeListing(session, drop, (number) => `${number} ${id(number)}\r\n`);
}

/** The forms Cyrus knows, so that clients of an older server do not fetch everything again. */
export function uniqueId(format: Settings['uidl_format'], uidvalidity: number, uid: number): string {
  switch (format) {
    case 'uidonly':
      return String(uid);
    case 'cyrus':
      return `${uidvalidity}.${uid}`;
    case 'courier':
      return `${uidvalidity}-${uid}`;
    case 'dovecot':
      return uid.toString(16).padStart(8, '0') + uidvalidity.toString(16).padStart(8, '0');
  }
}
