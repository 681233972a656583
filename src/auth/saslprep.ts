/**
 * SASLprep (RFC 4013): one form for passwords that look the same. Unassigned code points are those of the runtime's
 * Unicode, not of 3.2 as the RFC has it, so that characters which came later can be used.
 */

/** §2.1: spaces other than ASCII's become one (stringprep table C.1.2). */
const SPACES = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu;

/** §2.1: what is mapped to nothing (table B.1). U+200B is in both tables; nothing wins, as in other implementations. */
const NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/gu;

/** §2.3: controls, private use, non-characters, surrogates, display changers, tags (tables C.2 to C.9). */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u0340\u0341\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/** §2.5, for what is stored. Non-characters are prohibited anyway. */
const UNASSIGNED = /\p{Cn}/u;

/** Written from right to left (table D.1, as scripts). */
const RIGHT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const RIGHT_AT_BOTH_ENDS = new RegExp(
  `^(?:${RIGHT.source}).*(?:${RIGHT.source})$|^(?:${RIGHT.source})$`,
  'su',
);
/** Letters written from left to right (table D.2). */
const LEFT = new RegExp(`(?!${RIGHT.source})\\p{L}`, 'u');

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * The prepared form, or null where the RFC has it fail.
 * @param use 'stored' where the result is kept (unassigned code points fail), 'query' where it is compared (§2.5)
 */
export function saslprep(text: string, use: 'stored' | 'query'): string | null {
  if (PRINTABLE_ASCII.test(text)) return text;
  const prepared = text.replace(NOTHING, '').replace(SPACES, ' ').normalize('NFKC');
  if (PROHIBITED.test(prepared)) return null;
  if (use === 'stored' && UNASSIGNED.test(prepared)) return null;
  // §2.4, RFC 3454 §6: a text that has right-to-left letters begins and ends with one and has no others.
  if (RIGHT.test(prepared) && (LEFT.test(prepared) || !RIGHT_AT_BOTH_ENDS.test(prepared))) return null;
  return prepared;
}
