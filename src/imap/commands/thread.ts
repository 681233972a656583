/** THREAD and UID THREAD (RFC 5256 §3). */

import { asMailError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { headerField } from '../../mime/message.ts';
import { type Mailbox, NARROW_COLUMNS, type WideRow } from '../../store/border.ts';
import type { ThreadCommand } from '../parse/command.ts';
import { sortText } from '../sort/collate.ts';
import { find, planSearch } from '../search/find.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { type SortRow, StoredSortMessage } from '../sort/stored.ts';
import type { ThreadMessage } from '../thread/message.ts';
import { firstId, referenceIds } from '../thread/messageid.ts';
import { orderedSubject } from '../thread/orderedsubject.ts';
import { ReferenceThreads } from '../thread/references.ts';
import { inTurns } from '../turns.ts';
import { thread as threadLine } from '../write/thread.ts';

/** Rows taken at a time. */
const SLICE = 500;

const COLUMNS = ['envelope', 'headersize', 'place'] as const;
type ThreadRow = WideRow<typeof COLUMNS>;

/** THREAD: the messages found, as trees. The client's numbering does not change meanwhile. */
export async function thread(session: Session, command: ThreadCommand): Promise<Completion> {
  const selected = session.mailbox;
  const { mailbox, view } = selected;
  const { uids } = await find(session, selected, planSearch(session, selected, command.key));
  const byReferences = command.algorithm === 'REFERENCES' ? new ReferenceThreads() : null;
  const messages: ThreadMessage[] = [];
  let after = 0;
  while (!session.closed) {
    const rows = mailbox.wide(uids, after, SLICE, COLUMNS);
    for (const row of rows) {
      const stored = new StoredSortMessage(row as unknown as SortRow);
      const { base, reply } = stored.splitSubject();
      const message = { uid: stored.uid, sent: stored.sent, subject: sortText(base), reply };
      if (byReferences === null) messages.push(message);
      else {
        const { inReplyTo, messageId } = stored.envelope;
        // References is not in the ENVELOPE: the header is read for it, and nothing beyond the header.
        const field = references(mailbox, row);
        if (field === undefined) continue;
        const ids = referenceIds(field);
        const parent = ids.length > 0 ? null : firstId(inReplyTo);
        byReferences.add({
          ...message,
          id: firstId(messageId),
          references: parent === null ? ids : [parent],
        });
      }
      if (session.due) {
        await session.breathe();
        if (session.closed) break;
      }
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < SLICE) break;
    after = last[0];
  }
  if (session.closed) return COMPLETED;
  const threads = await inTurns(session, byReferences?.finish() ?? orderedSubject(messages));
  if (threads === undefined) return COMPLETED;
  mailbox.refresh();
  session.write(threadLine(threads, (uid) => command.uid ? uid : view.uids.positionOf(uid)));
  return COMPLETED;
}

/** The value of the References field, null without one; undefined if the message was expunged and its file is gone. */
function references(mailbox: Mailbox, row: ThreadRow): string | null | undefined {
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
