/** Comparing text without regard to case (RFC 9051 §6.4.4, RFC 5256 §2.1): near to i;unicode-casemap (RFC 5051). */

const ASCII = /^[\x00-\x7f]*$/;

/** The form in which texts are compared. Upper case, since that maps more letters onto each other: `ß` and `SS`, `ς` and `σ`. */
export function fold(text: string): string {
  return ASCII.test(text) ? text.toUpperCase() : text.normalize('NFC').toUpperCase().normalize('NFC');
}
