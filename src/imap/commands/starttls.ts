import { syntaxError } from '../../errors.ts';
import type { Completion, Session } from '../session.ts';

/**
 * STARTTLS (RFC 9051 §6.2.1). The OK leaves in plain text, everything the client sent behind the command is
 * dropped, and what it said before counts no more: nothing injected in front of the handshake can have an effect.
 */
export async function startTls(session: Session, _command: unknown, tag: string): Promise<Completion | null> {
  const { connection } = session;
  if (connection.secure) throw syntaxError('TLS is active already');
  if (!connection.canStartTls) throw syntaxError('STARTTLS is not available');
  session.input.discard();
  session.write(`${tag} OK Begin TLS negotiation now\r\n`);
  connection.flush();
  try {
    await connection.startTls();
  } catch (thrown) {
    session.log.info('TLS handshake failed', { error: thrown instanceof Error ? thrown : String(thrown) });
    connection.destroy();
    return null;
  }
  session.input.discard();
  session.forget();
  return null;
}
