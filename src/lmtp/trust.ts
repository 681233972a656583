/** Who may deliver without authentication. */

import { BlockList, isIPv6 } from 'node:net';

/** Answers whether an address lies in one of the networks. */
export class TrustedNetworks {
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
