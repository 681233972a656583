/** THREAD answers (RFC 5256 §4, §5 thread-data). */

import type { ThreadNode } from '../thread/message.ts';

/**
 * `* THREAD (2)(3 6 (4 23)(44 7 96))`. `number` gives what the client calls a message. No recursion: a thread may be as
 * deep as the mailbox is long.
 */
export function thread(threads: readonly ThreadNode[], number: (uid: number) => number): string {
  const out: string[] = [];
  // What is still to be written, the next at the end: threads, and parentheses that close those begun.
  const rest: (ThreadNode | ')')[] = threads.toReversed();
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (next === ')') {
      out.push(')');
      continue;
    }
    out.push('(');
    let node = next;
    if (node.uid !== 0) out.push(String(number(node.uid)));
    while (node.children.length === 1) {
      node = node.children[0] as ThreadNode;
      out.push(` ${number(node.uid)}`);
    }
    if (node.children.length > 1 && node.uid !== 0) out.push(' ');
    rest.push(')');
    for (let i = node.children.length - 1; i >= 0; i--) rest.push(node.children[i] as ThreadNode);
  }
  return `* THREAD${out.length > 0 ? ' ' : ''}${out.join('')}\r\n`;
}
