/** Addresses as text, against what node:net says of them. */

import { expect, test } from 'bun:test';
import { isIP as nodeIsIP } from 'node:net';
import { isIP, isIPv6 } from '../../src/config/ip.ts';
import { Random } from '../harness/random.ts';

const PIECES = [
  ...['0', '1', '9', '10', '99', '100', '199', '255', '256', '01', '00', '.', '.', '.', ':', ':', '::'],
  ...['a', 'F', 'ffff', '10000', 'g', '127.0.0.1', '::ffff:', 'fe80::1', '%', '%eth0', '/', ' ', '[', ''],
];

test('what is an address is one for node:net, and the other way round', () => {
  const random = new Random(20261127);
  let found = 0;
  for (let round = 0; round < 40_000; round++) {
    const text = Array.from({ length: 1 + random.below(9) }, () => random.pick(PIECES)).join('');
    expect([text, `${isIP(text)}`]).toEqual([text, `${nodeIsIP(text)}`]);
    if (isIP(text) > 0) found++;
  }
  expect(found).toBeGreaterThan(300);
});

test('groups of eight, shortened at every place, with and without a dotted end', () => {
  const random = new Random(7);
  for (let round = 0; round < 5000; round++) {
    const count = 6 + random.below(4);
    const groups = Array.from({ length: count }, () => random.below(0x12000).toString(16));
    if (random.oneIn(2)) groups.splice(random.below(count), 1 + random.below(4), '');
    if (random.oneIn(3)) groups.push(`${random.below(300)}.0.0.${random.below(300)}`);
    const text = groups.join(':');
    expect([text, isIPv6(text)]).toEqual([text, nodeIsIP(text) === 6]);
  }
});
