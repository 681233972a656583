import { type Comparator, orderOctets } from './comparator.ts';

const DIGITS = /^0*([0-9]*)/;

/** RFC 4790 §9.1: unsigned decimal numbers of any size; what begins with no digit is positive infinity. */
export const asciiNumeric: Comparator = {
  name: 'i;ascii-numeric',
  substrings: false,
  unit: 'octet',
  normalize: canonical,
  order: orderNumbers,
};

/** The digits up to the first other octet, without leading zeroes; empty for infinity. */
function canonical(text: string): string {
  const first = text.charCodeAt(0);
  if (!(first >= 48 && first <= 57)) return '';
  return DIGITS.exec(text)?.[1] || '0';
}

function orderNumbers(left: string, right: string): number {
  if (left === '' || right === '') return (left === '' ? 1 : 0) - (right === '' ? 1 : 0);
  return left.length - right.length || orderOctets(left, right);
}
