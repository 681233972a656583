/**
 * Message flags as bits. Bits 0-4 are the system flags, bits 5-61 the keywords of the mailbox in the order of
 * its keyword table. JavaScript's bit operators work on 32 bits, so a set is two unsigned numbers.
 */

/** A flag set: `lo` holds bits 0-31, `hi` bits 32-61; both unsigned 32-bit. */
export interface FlagBits {
  readonly lo: number;
  readonly hi: number;
}

export const ANSWERED = 1;
export const FLAGGED = 2;
export const DRAFT = 4;
export const DELETED = 8;
export const SEEN = 16;

/** All five system flags. */
export const SYSTEM_FLAGS = 31;

/** Bit number of the first keyword. */
export const FIRST_KEYWORD_BIT = 5;

/** How many keywords one mailbox can hold: bits 5 to 61 of a signed 64-bit column. */
export const MAX_KEYWORDS = 57;

/** System flags in the order of their bits, as IMAP writes them (RFC 9051 §2.3.2). */
export const SYSTEM_FLAG_NAMES = ['\\Answered', '\\Flagged', '\\Draft', '\\Deleted', '\\Seen'] as const;

export const NO_FLAGS: FlagBits = { lo: 0, hi: 0 };

/** The bit of a system flag by its name without regard to case, or 0. */
export function systemFlagBit(name: string): number {
  switch (name.toLowerCase()) {
    case '\\answered':
      return ANSWERED;
    case '\\flagged':
      return FLAGGED;
    case '\\draft':
      return DRAFT;
    case '\\deleted':
      return DELETED;
    case '\\seen':
      return SEEN;
    default:
      return 0;
  }
}

/** Longest keyword a delivery makes. */
const KEYWORD_LENGTH = 256;

/** Whether a name can stand in a list of flags as a keyword: an atom (RFC 9051 §9 flag-keyword). */
export function isKeyword(name: string): boolean {
  return name.length <= KEYWORD_LENGTH && /^[!#$&'+,\-./0-9:;<=>?@A-Z[^_`a-z|}~]+$/.test(name);
}

/** The set holding only the keyword with this index in the mailbox's keyword table. */
export function keywordBit(index: number): FlagBits {
  const bit = FIRST_KEYWORD_BIT + index;
  return bit < 32 ? { lo: (1 << bit) >>> 0, hi: 0 } : { lo: 0, hi: (1 << (bit - 32)) >>> 0 };
}

/** Union of two sets. */
export function unionFlags(a: FlagBits, b: FlagBits): FlagBits {
  return { lo: (a.lo | b.lo) >>> 0, hi: (a.hi | b.hi) >>> 0 };
}

/** Names of a set, system flags first. `keywords` is the mailbox's keyword table. */
export function flagNames(lo: number, hi: number, keywords: readonly string[]): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < FIRST_KEYWORD_BIT; bit++) {
    if (lo & (1 << bit)) names.push(SYSTEM_FLAG_NAMES[bit] as string);
  }
  for (let index = 0; index < keywords.length; index++) {
    const bit = FIRST_KEYWORD_BIT + index;
    const on = bit < 32 ? lo & (1 << bit) : hi & (1 << (bit - 32));
    if (on) names.push(keywords[index] as string);
  }
  return names;
}
