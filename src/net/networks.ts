/** Networks by their addresses: who is trusted, who is left out of a count. */

import { BlockList, isIP, isIPv6 } from 'node:net';

/** Answers whether an address lies in one of the networks. */
export class Networks {
  readonly #networks = new BlockList();

  /** @param networks `127.0.0.0/8`, `::1`: checked when the configuration was read */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', prefix] = network.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#networks.addAddress(address, family);
      else this.#networks.addSubnet(address, Number(prefix), family);
    }
  }

  /** @param address as `Connection.remoteAddress` gives it */
  includes(address: string): boolean {
    return address !== '' && this.#networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/**
 * The first bits of an address as a name for its network: `prefix` of IPv4 in whole bytes, of IPv6 in groups of 16
 * bits. What is no address is its own network.
 */
export function networkOf(address: string, bytes: 1 | 2 | 3 | 4, groups: 3 | 4): string {
  switch (isIP(address)) {
    case 4:
      return bytes === 4 ? address : `${address.split('.').slice(0, bytes).join('.')}.0/${bytes * 8}`;
    case 6:
      return `${ipv6Groups(address).slice(0, groups).map((group) => group.toString(16)).join(':')}::/${
        groups * 16
      }`;
    default:
      return address;
  }
}

/** The eight groups of a valid IPv6 address, `::` and a dotted tail expanded (RFC 4291 §2.2). */
export function ipv6Groups(host: string): number[] {
  const dotted = host.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a, b, c, d) => {
    return `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`;
  });
  const [head = '', tail] = dotted.split('::');
  const parse = (part: string) => part === '' ? [] : part.split(':').map((group) => parseInt(group, 16));
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}
