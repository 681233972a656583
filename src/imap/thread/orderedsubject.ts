/** THREAD ORDEREDSUBJECT (RFC 5256 §3): one thread per base subject, all later messages children of its first. Pure. */

import { mergeSort } from '../sort/order.ts';
import type { ThreadMessage, ThreadNode } from './message.ts';

/** Threads messages given in the order of their sequence numbers. Yields as sorting does. */
export function* orderedSubject(messages: readonly ThreadMessage[]): Generator<void, ThreadNode[]> {
  const threads = new Map<string, ThreadMessage[]>();
  const places = new Map<ThreadMessage, number>();
  for (const message of messages) {
    places.set(message, places.size);
    const thread = threads.get(message.subject);
    if (thread === undefined) threads.set(message.subject, [message]);
    else thread.push(message);
  }
  const place = (message: ThreadMessage) => places.get(message) as number;
  // Sorting is stable, so that the sequence number decides between equal dates.
  const sorted = [...threads.values()];
  for (const [index, thread] of sorted.entries()) {
    if (thread.length > 1) sorted[index] = yield* mergeSort(thread, (a, b) => a.sent - b.sent);
  }
  const ordered = yield* mergeSort(sorted, ([a], [b]) => {
    const [first, second] = [a as ThreadMessage, b as ThreadMessage];
    return first.sent - second.sent || place(first) - place(second);
  });
  return ordered.map(([first, ...others]) => ({
    uid: (first as ThreadMessage).uid,
    children: others.map(({ uid }) => ({ uid, children: [] })),
  }));
}
