import { isAscii, strictFromOctets, toOctets } from '../octets.ts';
import { type Comparator, orderOctets } from './comparator.ts';

const LETTERS = /[a-z]+|[^\x00-\x7f]/gu;

/**
 * RFC 5051: every character to title case, then all decompositions, then the octets of that. What is no UTF-8 is compared as it is.
 */
export const unicodeCasemap: Comparator = {
  name: 'i;unicode-casemap',
  substrings: true,
  unit: 'character',
  normalize(octets) {
    if (isAscii(octets)) return octets.toUpperCase();
    const text = strictFromOctets(octets);
    return text === null ? octets : toOctets(text.replace(LETTERS, titleCase).normalize('NFKD'));
  },
  order: orderOctets,
};

/** A text as characters, for :matches. */
export interface Characters {
  /** As they are compared. */
  readonly folded: string;
  /** The octets that [start, end) of `folded` came from. */
  cut(start: number, end: number): string;
}

/**
 * For :matches a character is what a reader takes for one: letters stand composed, so that "?" is an accented letter as a
 * whole, while a ligature is the letters it is made of.
 */
export function foldCharacters(octets: string): Characters {
  const text = strictFromOctets(octets);
  if (text === null) return { folded: octets, cut: (start, end) => octets.slice(start, end) };
  if (isAscii(text)) return { folded: text.toUpperCase(), cut: (start, end) => text.slice(start, end) };
  const composed = text.normalize('NFC');
  const origin: number[] = [];
  let folded = '';
  let at = 0;
  for (const character of composed) {
    const unit = titleCase(character).normalize('NFKD').normalize('NFC');
    folded += unit;
    for (let i = 0; i < unit.length; i++) origin.push(at);
    at += character.length;
  }
  origin.push(at);
  return { folded, cut: (start, end) => toOctets(composed.slice(origin[start], origin[end])) };
}

/**
 * The simple title case of UnicodeData.txt, which the runtime does not know by itself: its upper case, where that is one
 * character and not a case of its own. Takes ASCII letters, or one other character.
 */
function titleCase(letters: string): string {
  const code = letters.codePointAt(0) as number;
  if (code < 128) return letters.toUpperCase();
  // Digraphs have a title case between the two others.
  if (code >= 0x1c4 && code <= 0x1cc) return String.fromCharCode(code - ((code - 0x1c4) % 3) + 1);
  if (code >= 0x1f1 && code <= 0x1f3) return '\u01f2';
  // Georgian has capitals and no title case.
  if (code >= 0x10d0 && code <= 0x10ff) return letters;
  // Greek with iota below has a title case, where upper case writes the iota beside it.
  if (code >= 0x1f80 && code <= 0x1faf) return String.fromCharCode(code | 8);
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCharCode(code + 9);
  const upper = letters.toUpperCase();
  return upper.length === letters.length ? upper : letters;
}
