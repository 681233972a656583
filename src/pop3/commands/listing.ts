import type { Maildrop } from '../maildrop.ts';
import type { Pop3Session } from '../session.ts';

/** Messages written in one piece. */
const PIECE = 5000;

/** Lines of a listing, one per message that is not deleted, then the dot; other connections get their turn between. */
export async function writeListing(
  session: Pop3Session,
  drop: Maildrop,
  line: (number: number) => string,
): Promise<void> {
  for (let from = 1; from <= drop.length; from += PIECE) {
    let text = '';
    const to = Math.min(drop.length, from + PIECE - 1);
    for (let number = from; number <= to; number++) if (!drop.isDeleted(number)) text += line(number);
    await session.send(text);
    if (!session.open) return;
    if (to < drop.length) await new Promise((resolve) => setImmediate(resolve));
  }
  session.write('.\r\n');
}
