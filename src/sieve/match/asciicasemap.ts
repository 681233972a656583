import { lowerAscii, upperAscii } from '../octets.ts';
import { type Comparator, orderOctets } from './comparator.ts';

/** RFC 4790 §9.2: ASCII letters without regard to case; the default of every test (RFC 5228 §2.7.3). */
export const asciiCasemap: Comparator = {
  name: 'i;ascii-casemap',
  substrings: true,
  unit: 'octet',
  normalize: lowerAscii,
  // RFC 4790 §9.2.1 orders by upper case, which matters for the six characters between Z and a.
  order: (left, right) => orderOctets(upperAscii(left), upperAscii(right)),
};
