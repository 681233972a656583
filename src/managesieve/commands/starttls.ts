import { userError } from '../../errors.ts';
import { expectArguments } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { ok } from '../write.ts';

/** STARTTLS (RFC 5804 §2.2): nothing said before the handshake counts behind it; the capabilities are told anew. */
export async function starttls(session: ManageSieveSession, args: readonly Argument[]): Promise<void> {
  expectArguments(args, [], 'STARTTLS');
  const { connection } = session;
  if (connection.secure) throw userError('cannot', 'TLS is on already');
  if (!session.canStartTls) throw userError('cannot', 'There is no TLS here');
  session.discard();
  session.write(ok('Begin TLS negotiation now'));
  try {
    await connection.startTls();
  } catch (thrown) {
    session.log.info('TLS handshake failed', { error: thrown instanceof Error ? thrown : String(thrown) });
    connection.destroy();
    return;
  }
  session.announce();
}
