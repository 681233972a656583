/** THREAD ORDEREDSUBJECT (RFC 5256 §3): one thread per base subject, all later messages children of its first. Pure. */

import type { ThreadMessage, ThreadNode } from './message.ts';

/** Threads messages given in the order of their sequence numbers. */
export function orderedSubject(messages: readonly ThreadMessage[]): ThreadNode[] {
  const threads = new Map<string, ThreadMessage[]>();
  const places = new Map<ThreadMessage, number>();
  for (const message of messages) {
    places.set(message, places.size);
    const thread = threads.get(message.subject);
    if (thread === undefined) threads.set(message.subject, [message]);
    else thread.push(message);
  }
  const place = (message: ThreadMessage) => places.get(message) as number;
  return [...threads.values()]
    // Sorting is stable, so that the sequence number decides between equal dates.
    .map((thread) => thread.sort((a, b) => a.sent - b.sent))
    .sort(([a], [b]) => {
      const [first, second] = [a as ThreadMessage, b as ThreadMessage];
      return first.sent - second.sent || place(first) - place(second);
    })
    .map(([first, ...others]) => ({
      uid: (first as ThreadMessage).uid,
      children: others.map(({ uid }) => ({ uid, children: [] })),
    }));
}
