/** The messages of a mailbox one after the other, for the formats that are written. */

import type { Mailbox, MailboxName, NarrowRow, StoreSession } from '../../store/border.ts';
import { NARROW_COLUMNS } from '../../store/border.ts';

/** Rows read at a time, and bytes of a message. */
const PAGE = 500;
const PIECE = 256 * 1024;

/** One message: its row, and its bytes in pieces that are valid until the next is asked for. */
export interface ExportedMessage {
  readonly row: NarrowRow;
  pieces(): IterableIterator<Uint8Array>;
}

/** Opens a mailbox, hands over each message in the order of UIDs, closes it. Returns their number. */
export async function eachMessage(
  session: StoreSession,
  name: MailboxName,
  begin: (mailbox: Mailbox) => void,
  each: (message: ExportedMessage, mailbox: Mailbox) => void,
): Promise<number> {
  const mailbox = await session.select(name, true, () => {});
  try {
    begin(mailbox);
    const uids = mailbox.uids();
    let count = 0;
    for (let after = 0;;) {
      const rows = mailbox.wide(uids, after, PAGE, ['place']);
      for (const row of rows) {
        after = row[0];
        const narrow = row.slice(0, NARROW_COLUMNS) as NarrowRow;
        each({ row: narrow, pieces: () => pieces(mailbox, narrow, row[NARROW_COLUMNS]) }, mailbox);
        count++;
      }
      if (rows.length < PAGE) return count;
    }
  } finally {
    mailbox.close();
  }
}

function* pieces(mailbox: Mailbox, row: NarrowRow, place: string): IterableIterator<Uint8Array> {
  const content = mailbox.content(row, place);
  try {
    for (let at = 0; at < content.size;) {
      const piece = content.read(at, at + PIECE);
      if (piece.length === 0) {
        throw new Error(`the file of UID ${row[0]} is shorter than it was; run "mailstore check --deep"`);
      }
      at += piece.length;
      yield piece;
    }
  } finally {
    content.close();
  }
}
