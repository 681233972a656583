import { loginAllowed, offered } from '../../auth/sasl.ts';
import { noArgument } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** CAPA (RFC 2449 §5): what can be done here now. */
export function capa(session: Pop3Session, argument: string): void {
  noArgument(argument);
  session.write(`${ok('Capability list follows')}${capabilities(session).join('\r\n')}\r\n.\r\n`);
}

function capabilities(session: Pop3Session): string[] {
  const { settings, connection, services } = session;
  const lines = ['TOP', 'UIDL', 'PIPELINING', 'RESP-CODES', 'AUTH-RESP-CODE', 'UTF8 USER', 'LANG'];
  if (session.maildrop === null) {
    const sasl = session.sasl;
    if (loginAllowed(sasl)) lines.push('USER');
    const mechanisms = offered(sasl);
    if (mechanisms.length > 0) lines.push(`SASL ${mechanisms.join(' ')}`);
    if (!connection.secure && connection.canStartTls) lines.push('STLS');
  }
  // RFC 2449 §6.5: seconds between two logins.
  if (settings.popminpoll > 0) lines.push(`LOGIN-DELAY ${settings.popminpoll}`);
  // RFC 2449 §6.7: days a message is kept.
  lines.push(
    settings.popexpiretime < 0 ? 'EXPIRE NEVER' : `EXPIRE ${settings.popexpiretime}`,
  );
  if (settings.serverinfo === 'on') lines.push(`IMPLEMENTATION mailstore-${services.version}`);
  return lines;
}
