/** ESEARCH (RFC 9051 §7.3.4, RFC 4731 §3) and SEARCH (RFC 3501 §7.2.5) answers. */

import type { UidSet } from '../../store/uidset.ts';
import type { SearchReturn } from '../parse/command.ts';
import { quoted } from './string.ts';

/**
 * `* ESEARCH (TAG "a1") UID MIN 1 MAX 9 ALL 1:9 COUNT 9`. `found` holds sequence numbers or, with `uid`, UIDs. `modseq`
 * is the highest of the messages found, where the client asked by MODSEQ (RFC 7162 §3.1.10), or null.
 */
export function esearch(
  tag: string,
  uid: boolean,
  returns: SearchReturn,
  found: UidSet,
  modseq: number | null = null,
): string {
  let line = `* ESEARCH (TAG ${quoted(tag)})${uid ? ' UID' : ''}`;
  if (!found.isEmpty) {
    if (returns.min) line += ` MIN ${found.min}`;
    if (returns.max) line += ` MAX ${found.max}`;
    if (returns.all) line += ` ALL ${found}`;
  }
  if (returns.count) line += ` COUNT ${found.size}`;
  if (modseq !== null && !found.isEmpty) line += ` MODSEQ ${modseq}`;
  return `${line}\r\n`;
}

/** `* SEARCH 2 3 6 (MODSEQ 917162500)`: every number written out, as rev1 clients expect. */
export function search(found: UidSet, modseq: number | null = null): string {
  let line = '* SEARCH';
  found.forEachRun((lo, hi) => {
    for (let number = lo; number <= hi; number++) line += ` ${number}`;
  });
  if (modseq !== null && !found.isEmpty) line += ` (MODSEQ ${modseq})`;
  return `${line}\r\n`;
}
