import { printable } from './lexer.ts';
import { lowerAscii } from './octets.ts';
import type { Settings } from './settings.ts';

/** The prefix that names of lists have where they are written out (RFC 6134 §2.4). */
const PREFIX = 'urn:ietf:params:sieve';

/** `:addrbook:default` for `urn:ietf:params:sieve:addrbook:default`; other names as they are. Without regard to case. */
export function listName(name: string): string {
  const lower = lowerAscii(name);
  return lower.startsWith(`${PREFIX}:`) ? lower.slice(PREFIX.length) : lower;
}

/** What is wrong with the name of a list, or null. */
export function listWrong(name: string, { lists }: Settings): string | null {
  return lists.has(listName(name)) ? null : `there is no list "${printable(name)}"`;
}
