import { type Comparator, orderOctets } from './comparator.ts';

/** RFC 4790 §9.3: octets as they are. */
export const octet: Comparator = {
  name: 'i;octet',
  substrings: true,
  unit: 'octet',
  normalize: (text) => text,
  order: orderOctets,
};
