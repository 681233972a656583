/** LIST, LSUB and STATUS answers (RFC 9051 §7.3.1, §7.3.2, RFC 3501 §7.2.3). */

import type { StatusItem } from '../parse/command.ts';
import { mailboxName, quoted, quotedMailboxName } from './string.ts';

/** One mailbox of a LIST or LSUB answer. */
export interface ListEntry {
  /** Attributes with backslash, as `\HasChildren`. */
  readonly attributes: readonly string[];
  readonly separator: string;
  /** External name, Unicode. */
  readonly name: string;
  /** CHILDINFO of a RECURSIVEMATCH: options in upper case (RFC 5258 §3.5), or none. */
  readonly childinfo?: readonly string[];
  /** The name the client gave, where it was another (RFC 9051 §6.3.9.7 OLDNAME). */
  readonly oldname?: string;
}

/** `* LIST (\HasNoChildren) "/" "INBOX"`; names quoted as Cyrus does. */
export function listLine(word: 'LIST' | 'LSUB', entry: ListEntry, utf8: boolean): string {
  const extended: string[] = [];
  if (entry.childinfo !== undefined && entry.childinfo.length > 0) {
    extended.push(`"CHILDINFO" (${entry.childinfo.map(quoted).join(' ')})`);
  }
  if (entry.oldname !== undefined) extended.push(`"OLDNAME" (${quotedMailboxName(entry.oldname, utf8)})`);
  const name = quotedMailboxName(entry.name, utf8);
  const tail = extended.length === 0 ? '' : ` (${extended.join(' ')})`;
  return `* ${word} (${entry.attributes.join(' ')}) ${quoted(entry.separator)} ${name}${tail}\r\n`;
}

/** Values of a STATUS answer; null is written NIL (APPENDLIMIT without a limit, RFC 7889 §3). */
export type StatusValues = { readonly [Item in StatusItem]?: number | null };

/** `* STATUS INBOX (MESSAGES 1)`: the items in the order asked, those without a value left out. */
export function statusLine(
  name: string,
  utf8: boolean,
  items: readonly StatusItem[],
  values: StatusValues,
): string {
  const pairs: string[] = [];
  for (const item of items) {
    const value = values[item];
    if (value !== undefined) pairs.push(`${item} ${value ?? 'NIL'}`);
  }
  return `* STATUS ${mailboxName(name, utf8)} (${pairs.join(' ')})\r\n`;
}
