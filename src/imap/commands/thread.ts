/** THREAD and UID THREAD (RFC 5256 §3). */

import { asMailError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { headerField } from '../../mime/message.ts';
import { readThread, threadKeys } from '../../mime/thread.ts';
import { type Mailbox, NARROW_COLUMNS, type WideRow } from '../../store/border.ts';
import { UidSet } from '../../store/uidset.ts';
import { readEnvelope } from '../envelope.ts';
import type { ThreadCommand } from '../parse/command.ts';
import { find, planSearch } from '../search/find.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import type { ThreadMessage } from '../thread/message.ts';
import { orderedSubject } from '../thread/orderedsubject.ts';
import { ReferenceThreads } from '../thread/references.ts';
import { inTurns } from '../turns.ts';
import { thread as threadLine } from '../write/thread.ts';

/** Rows taken at a time. */
const SLICE = 1000;

const COLUMNS = ['sentdate', 'thread'] as const;

/** Of a message that was stored before the index kept what threads are made of. */
const OLD_COLUMNS = ['envelope', 'headersize', 'place'] as const;

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
      const sent = (row[NARROW_COLUMNS] as number | null) ?? row[5];
      const text = (row[NARROW_COLUMNS + 1] as string | null) ?? oldThread(mailbox, row[0]);
      if (text === null) continue;
      const { subject, reply, id, references } = readThread(text);
      if (byReferences === null) messages.push({ uid: row[0], sent, subject, reply });
      else byReferences.add({ uid: row[0], sent, subject, reply, id, references });
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
