/** What is kept of messages from one SORT or THREAD to the next (kept.ts). */

import { asMailError } from '../errors.ts';
import { limits } from '../limits.ts';
import { headerField } from '../mime/message.ts';
import { readThread, threadKeys } from '../mime/thread.ts';
import { type Mailbox, NARROW_COLUMNS, type WideRow } from '../store/border.ts';
import { UidSet } from '../store/uidset.ts';
import { readEnvelope } from './envelope.ts';
import { Kept } from './kept.ts';
import type { ReferringMessage } from './thread/message.ts';

export interface Facts {
  /** The date a message was sent, UTC, or its internal date where it has none (RFC 5256 §2.2); unix seconds. */
  readonly sent: Kept<number>;
  readonly threads: Kept<ReferringMessage>;
}

/** Nothing is known yet. */
export function makeFacts(): Facts {
  return {
    sent: new Kept({
      read: (mailbox, uids) =>
        mailbox.wide(uids, 0, uids.size, SENT).map((row) => [row[0], sentOf(row)] as const),
      weigh: () => 1,
    }),
    threads: new Kept({ read: readThreads, weigh: ({ references }) => 3 + references.length }),
  };
}

const SENT = ['sentdate'] as const;
const THREAD = ['sentdate', 'thread'] as const;

/** Of a message that was stored before the index kept what threads are made of. */
const OLD_COLUMNS = ['envelope', 'headersize', 'place'] as const;

/** Of rows that begin with the columns `SENT`. */
function sentOf(row: WideRow): number {
  return (row[NARROW_COLUMNS] as number | null) ?? row[5];
}

function readThreads(mailbox: Mailbox, uids: UidSet): (readonly [number, ReferringMessage])[] {
  const facts: (readonly [number, ReferringMessage])[] = [];
  for (const row of mailbox.wide(uids, 0, uids.size, THREAD)) {
    const text = (row[NARROW_COLUMNS + 1] as string | null) ?? oldThread(mailbox, row[0]);
    if (text !== null) facts.push([row[0], { uid: row[0], sent: sentOf(row), ...readThread(text) }]);
  }
  return facts;
}

/** The same from ENVELOPE and the header, where References stands; null if the message was expunged and its file is gone. */
function oldThread(mailbox: Mailbox, uid: number): string | null {
  const row = mailbox.wide(UidSet.of(uid), 0, 1, OLD_COLUMNS)[0];
  if (row === undefined) return null;
  const references = referencesOf(mailbox, row);
  if (references === undefined) return null;
  return threadKeys({ ...readEnvelope(row[NARROW_COLUMNS] as string), references });
}

/** The value of the References field, null without one; undefined if the message was expunged and its file is gone. */
function referencesOf(mailbox: Mailbox, row: WideRow<typeof OLD_COLUMNS>): string | null | undefined {
  try {
    const content = mailbox.content(row, row[NARROW_COLUMNS + 2] as string);
    try {
      const size = Math.min(row[NARROW_COLUMNS + 1] as number, limits.mime_header_block.value);
      return headerField(content.read(0, size), 'references');
    } finally {
      content.close();
    }
  } catch (thrown) {
    if (asMailError(thrown).code !== 'nonexistent') throw thrown;
    return undefined;
  }
}
