/** The order of texts in SORT and THREAD: near to i;unicode-casemap (RFC 5051), in the form SEARCH compares in. */

import { limits } from '../../limits.ts';
import { fold } from '../../mime/fold.ts';

/** The form in which a text is compared, cut at `limits.imap_sort_text`. */
export function sortText(text: string): string {
  const most = limits.imap_sort_text.value;
  return fold(text.length > most ? text.slice(0, most) : text);
}

/**
 * Compares two folded texts by code points, which is the order of their UTF-8 octets (RFC 5051 §2, i;octet at its end).
 * JavaScript's own order is that of UTF-16 units: surrogates stand below U+E000 there.
 */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** A UTF-16 unit where its code point stands: surrogates above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
