import { limits } from '../../limits.ts';
import type { Idling, Session } from '../session.ts';

/** Longest line that could be DONE. */
const DONE_LINE = 64;

/**
 * IDLE (RFC 9051 §6.3.13, RFC 2177): what changes in the selected mailbox is told as it happens, all changes of one
 * turn of the event loop together, until the client says DONE. Nothing waits meanwhile but an object: the tag is
 * answered when the loop gets the next line.
 */
export function idle(session: Session, _command: unknown, tag: string): null {
  session.write('+ idling\r\n');
  const idling = new IdlingSession(session, tag);
  session.idling = idling;
  session.input.lineEndsIdling(DONE_LINE);
  idling.wake();
  return null;
}

/** All there is of ten thousand clients that wait. */
class IdlingSession implements Idling {
  readonly tag: string;
  readonly #session: Session;
  readonly #since = performance.now();
  /** What is being told just now. */
  #telling: Promise<void> | undefined;
  #again = false;

  constructor(session: Session, tag: string) {
    this.#session = session;
    this.tag = tag;
    this.#keepAlive();
  }

  wake(): void {
    this.#again = true;
    this.#telling ??= this.#tell();
  }

  async settled(): Promise<void> {
    await this.#telling;
  }

  async #tell(): Promise<void> {
    const session = this.#session;
    try {
      do {
        // Others' changes of the same turn come in before anything is said.
        await new Promise<void>((resolve) => setImmediate(resolve));
        this.#again = false;
        if (!session.closed) await session.selected?.announce(session, true);
        // A client that reads slowly is told the sum of what happened meanwhile.
        if (session.due) await session.breathe();
      } while (this.#again && !session.closed);
    } catch (thrown) {
      session.log.error('IDLE failed', { error: thrown instanceof Error ? thrown : String(thrown) });
      session.bye('Internal server error', 'SERVERBUG');
    } finally {
      this.#telling = undefined;
      session.selected?.rest();
    }
  }

  /**
   * Says something now and then, so that what lies between does not forget the connection, at times that differ from
   * connection to connection; and logs out who has been silent longer than `timeout`, which our own lines must not hide.
   */
  #keepAlive(): void {
    const seconds = limits.imap_idle_keepalive.value * (1 + Math.random() / 4);
    this.#session.connection.setIdleTimeout(seconds * 1000);
  }

  silent(): void {
    const session = this.#session;
    if (performance.now() - this.#since > session.settings.timeout * 1000) {
      session.bye('Autologout; idle for too long');
      return;
    }
    session.untagged('OK Still here');
    this.#keepAlive();
  }
}
