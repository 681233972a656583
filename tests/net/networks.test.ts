/** Networks, against addresses written out bit by bit. */

import { expect, test } from 'bun:test';
import { Networks } from '../../src/net/networks.ts';
import { Random } from '../harness/random.ts';

function address(random: Random): string {
  const byte = () => random.pick([0, 1, 10, 127, 128, 192, 255]);
  if (random.oneIn(2)) return `${byte()}.${byte()}.${byte()}.${byte()}`;
  const group = () => random.pick(['0', '1', 'fe80', '8000', 'ffff']);
  return random.oneIn(2) ? `${group()}::${group()}` : Array.from({ length: 8 }, group).join(':');
}

/** All bits of an address as text; those of the two families have different lengths. */
function bits(address: string): string {
  if (!address.includes(':')) {
    return address.split('.').map((part) => Number(part).toString(2).padStart(8, '0')).join('');
  }
  const [left = '', right] = address.split('::').map((half) => half.split(':'));
  const groups = right === undefined
    ? left
    : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return [...groups].map((group) => parseInt(group, 16).toString(2).padStart(16, '0')).join('');
}

test('an address lies in the networks whose prefix it has', () => {
  const random = new Random(11);
  let inside = 0;
  for (let round = 0; round < 4000; round++) {
    const networks = Array.from({ length: random.below(3) }, () => {
      const begin = address(random);
      return random.oneIn(4) ? begin : `${begin}/${random.below(bits(begin).length + 1)}`;
    });
    const ours = new Networks(networks);
    for (let times = 0; times < 5; times++) {
      const asked = address(random);
      const known = networks.some((network) => {
        const [begin = '', prefix] = network.split('/');
        const all = bits(begin);
        return all.length === bits(asked).length &&
          bits(asked).startsWith(all.slice(0, Number(prefix ?? all.length)));
      });
      expect([networks, asked, ours.includes(asked)]).toEqual([networks, asked, known]);
      if (known) inside++;
    }
  }
  expect(inside).toBeGreaterThan(500);
});

test('an address of IPv4 within IPv6 is one of IPv4', () => {
  const networks = new Networks(['10.0.0.0/8', '::ffff:192.0.2.0/120']);
  expect(
    ['::ffff:10.1.2.3', '10.1.2.3', '192.0.2.7', '192.0.3.7', '::10.1.2.3', '', 'nonsense'].map((asked) =>
      networks.includes(asked)
    ),
  ).toEqual([true, true, true, false, false, false, false]);
});
