/** Comparators (RFC 4790) as Sieve uses them (RFC 5228 §2.7.3). One file per comparator; this is what each of them is. */

/** Texts are octets, see `sieve/octets.ts`. */
export interface Comparator {
  /** Its name in the collation registry, such as `i;ascii-casemap`. */
  readonly name: string;
  /** False for those that only know equality and order (RFC 4790 §4.2.3): :contains and :matches are errors with them. */
  readonly substrings: boolean;
  /** What a "?" of :matches stands for: one octet, or one character of UTF-8. */
  readonly unit: 'octet' | 'character';
  /**
   * The form in which texts are compared: two texts are equal exactly if their forms are. `Values` keeps the forms of a
   * message's values, so that this is done once per value and comparator.
   */
  normalize(text: string): string;
  /** The order of two texts in that form: negative, zero or positive (RFC 4790 §4.2.4). */
  order(left: string, right: string): number;
}

/** The order of octets. */
export function orderOctets(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
