/** Networks by their addresses: who is trusted, who is left out of a count. */

import { isIP } from '../config/ip.ts';

/** An address as a number; those of IPv4 in IPv6 (RFC 4291 §2.5.5.2) are those of IPv4. */
interface Numbered {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

function numbered(address: string): Numbered | undefined {
  switch (isIP(address)) {
    case 4:
      return { bits: 32, value: joined(address.split('.').map(Number), 8n) };
    case 6: {
      const groups = ipv6Groups(address.replace(/%.*/, ''));
      const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
      return mapped
        ? { bits: 32, value: joined(groups.slice(6), 16n) }
        : { bits: 128, value: joined(groups, 16n) };
    }
    default:
      return undefined;
  }
}

function joined(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((sum, part) => (sum << width) | BigInt(part), 0n);
}

/** Answers whether an address lies in one of the networks. */
export class Networks {
  readonly #networks: { readonly bits: 32 | 128; readonly behind: bigint; readonly prefix: bigint }[] = [];

  /** @param networks `127.0.0.0/8`, `::1`: checked when the configuration was read */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', length] = network.split('/');
      const found = numbered(address);
      if (found === undefined) continue;
      // The length of a prefix is that of the notation: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
      const written = isIP(address) === 4 ? 32 : 128;
      const behind = BigInt(Math.min(found.bits, written - Number(length ?? written)));
      this.#networks.push({ bits: found.bits, behind, prefix: found.value >> behind });
    }
  }

  /** @param address as `Connection.remoteAddress` gives it */
  includes(address: string): boolean {
    if (this.#networks.length === 0) return false;
    const found = numbered(address);
    return found !== undefined &&
      this.#networks.some(({ bits, behind, prefix }) =>
        bits === found.bits && found.value >> behind === prefix
      );
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
