import { printable } from './lexer.ts';
import { lowerAscii } from './octets.ts';
import type { Settings } from './settings.ts';

/** The prefix that names of lists have where they are written out (RFC 6134 §2.5). */
const PREFIX = 'urn:ietf:params:sieve';

/** A list that is always there where lists are (§2.5). */
export const DEFAULT_LIST = ':addrbook:default';

/**
 * `:addrbook:default` for `urn:ietf:params:sieve:addrbook:%44efault`; other names as they are. Without regard to case.
 * RFC 6134 §2.5, §2.6
 */
export function listName(name: string): string {
  const lower = lowerAscii(name);
  const short = lower.startsWith(`${PREFIX}:`) ? lower.slice(PREFIX.length) : lower;
  if (!short.startsWith(':addrbook:')) return short;
  return lowerAscii(
    short.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16))),
  );
}

/** What is wrong with the name of a list, or null. */
export function listWrong(name: string, { lists }: Settings): string | null {
  return lists.has(listName(name)) ? null : `there is no list "${printable(name)}"`;
}
