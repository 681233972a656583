/**
 * Who may hold a connection without having authenticated: so many per address, for so long. An IPv6 customer
 * has a whole /64, so that counts as one address. The own machine is exempt: webmail and proxies come from there.
 */

import { limits } from '../limits.ts';
import { networkOf } from './networks.ts';

/** What connections of one client have in common: the IPv4 address, or the first 64 bits of the IPv6 address. */
export function clientKey(address: string): string {
  return networkOf(address, 4, 4);
}

function isLoopback(address: string): boolean {
  return address === '' || address === '::1' || address.startsWith('127.');
}

export class Strangers {
  readonly #counts = new Map<string, number>();
  readonly #most: number;

  constructor(most: number = limits.preauth_per_address.value) {
    this.#most = most;
  }

  /** Counts a new connection; false if the address has too many. */
  enter(address: string): boolean {
    if (isLoopback(address)) return true;
    const key = clientKey(address);
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#most) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  /** A connection that entered is no stranger any more, or gone. Once for each. */
  leave(address: string): void {
    if (isLoopback(address)) return;
    const key = clientKey(address);
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}
