/** SORT answers (RFC 5256 §4, RFC 7162 §7 sort-data). */

/** `* SORT 2 84 882`, with ` (MODSEQ 917162500)` where the client asked by MODSEQ and something was found. */
export function sort(numbers: readonly number[], modseq: number | null): string {
  if (numbers.length === 0) return '* SORT\r\n';
  return `* SORT ${numbers.join(' ')}${modseq === null ? '' : ` (MODSEQ ${modseq})`}\r\n`;
}
