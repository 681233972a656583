import { userError } from '../../errors.ts';
import { noArgument } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** STLS (RFC 2595 §4): everything said before the handshake is forgotten. */
export async function stls(session: Pop3Session, argument: string): Promise<void> {
  noArgument(argument);
  const { connection } = session;
  if (connection.secure) throw userError('cannot', 'TLS is on already');
  // RFC 6856 §2.1
  if (session.utf8) throw userError('cannot', 'STLS comes before UTF8');
  if (!connection.canStartTls) throw userError('cannot', 'There is no TLS here');
  session.discard();
  session.write(ok('Begin TLS negotiation now'));
  try {
    await connection.startTls();
  } catch (thrown) {
    session.log.info('TLS handshake failed', { error: thrown instanceof Error ? thrown : String(thrown) });
    return;
  }
  session.user = null;
}
