/** THREAD and UID THREAD (RFC 5256 §3). */

import type { ThreadCommand } from '../parse/command.ts';
import { find, planSearch } from '../search/find.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import type { ThreadMessage } from '../thread/message.ts';
import { orderedSubject } from '../thread/orderedsubject.ts';
import { ReferenceThreads } from '../thread/references.ts';
import { inTurns } from '../turns.ts';
import { thread as threadLine } from '../write/thread.ts';

/** THREAD: the messages found, as trees. The client's numbering does not change meanwhile. */
export async function thread(session: Session, command: ThreadCommand): Promise<Completion> {
  const selected = session.mailbox;
  const { mailbox, view } = selected;
  const { uids } = await find(session, selected, planSearch(session, selected, command.key));
  const byReferences = command.algorithm === 'REFERENCES' ? new ReferenceThreads() : null;
  const messages: ThreadMessage[] = [];
  await session.deps.facts.threads.each(session, mailbox, uids, (_uid, message) => {
    if (byReferences === null) messages.push(message);
    else byReferences.add(message);
  });
  if (session.closed) return COMPLETED;
  const threads = await inTurns(session, byReferences?.finish() ?? orderedSubject(messages));
  if (threads === undefined) return COMPLETED;
  mailbox.refresh();
  session.write(threadLine(threads, (uid) => command.uid ? uid : view.uids.positionOf(uid)));
  return COMPLETED;
}
