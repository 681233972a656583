import { syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/** Longest line that could be DONE. */
const DONE_LINE = 64;

/**
 * IDLE (RFC 9051 §6.3.13, RFC 2177): what changes in the selected mailbox is told as it happens, all changes of one
 * turn of the event loop together, until the client says DONE.
 */
export async function idle(session: Session): Promise<Completion> {
  session.write('+ idling\r\n');
  let telling: Promise<void> | undefined;
  let again = false;
  const tell = async (): Promise<void> => {
    do {
      again = false;
      // Others' changes of the same turn come in before anything is said.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (!session.closed) await session.selected?.announce(session, true);
      // A client that reads slowly is told the sum of what happened meanwhile.
      if (session.due) await session.breathe();
    } while (again && !session.closed);
    telling = undefined;
  };
  const wake = (): void => {
    again = true;
    telling ??= tell().catch((thrown: unknown) => {
      session.log.error('IDLE failed', { error: thrown instanceof Error ? thrown : String(thrown) });
      session.bye('Internal server error', 'SERVERBUG');
    });
  };
  session.onChange = wake;
  wake();
  const stop = keepAlive(session);
  try {
    const line = await session.input.line(DONE_LINE);
    if (line !== null && line.toUpperCase() !== 'DONE') throw syntaxError('expected DONE');
    return COMPLETED;
  } finally {
    stop();
    session.onChange = undefined;
    await telling;
  }
}

/**
 * Says something now and then, so that what lies between does not forget the connection, at times that differ from
 * connection to connection; and logs out who has been silent longer than `timeout`, which our own lines must not hide.
 */
function keepAlive(session: Session): () => void {
  const { value } = limits.imap_idle_keepalive;
  const since = performance.now();
  let timer: ReturnType<typeof setTimeout>;
  const next = (): void => {
    timer = setTimeout(() => {
      if (performance.now() - since > session.settings.timeout * 1000) {
        session.bye('Autologout; idle for too long');
        return;
      }
      session.untagged('OK Still here');
      next();
    }, value * 1000 * (1 + Math.random() / 4));
    timer.unref();
  };
  next();
  return () => clearTimeout(timer);
}
