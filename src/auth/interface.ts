/**
 * The domain of a login without one, where `virtdomains` is on: that of the name of the address the client
 * connected to, as in Cyrus. Where that address has no name with a domain, the domain of `servername` stands in,
 * unless there is a default domain.
 *
 * Invariants
 * 1. No login waits longer than `limits.interface_lookup`; one lookup per address runs at a time and all wait for it.
 * 2. Memory is bounded: the addresses of this machine, at most `limits.interface_cache_entries`.
 * 3. An answer is kept for `KEEP_MS`, a failure for `RETRY_MS`, so that a dead name server costs one wait a minute.
 */

import { isIP } from '../config/ip.ts';
import type { Settings } from '../config/settings.ts';
import { limits } from '../limits.ts';
import { canonicalDomain } from '../store/userid.ts';

export type InterfaceSettings = Pick<Settings, 'servername' | 'defaultdomain'>;

/** The host name of an address; rejects or answers the address itself where there is none. */
export type ReverseLookup = (address: string) => Promise<string>;

/** What a test replaces. */
export interface InterfaceOptions {
  readonly lookup?: ReverseLookup;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
  /** Resolves after so many milliseconds. */
  readonly sleep?: (ms: number) => Promise<void>;
}

async function lookup(address: string): Promise<string> {
  const { lookupService } = await import('node:dns/promises');
  // The port only chooses the service name, which is not asked for.
  return (await lookupService(address, 143)).hostname;
}

const KEEP_MS = 10 * 60_000;
const RETRY_MS = 60_000;

interface Entry {
  domain: string;
  until: number;
  running: Promise<void> | undefined;
}

/** Domains of this machine's addresses, one per worker. */
export class InterfaceDomains {
  readonly #settings: InterfaceSettings;
  readonly #lookup: ReverseLookup;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;
  readonly #entries = new Map<string, Entry>();

  constructor(settings: InterfaceSettings, options: InterfaceOptions = {}) {
    this.#settings = settings;
    this.#lookup = options.lookup ?? lookup;
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms).unref()));
  }

  /**
   * The canonical domain for a connection to `address`, or ''. Never rejects.
   * @param address our side of the connection; '' or a path for a unix socket, which has no domain of its own
   */
  async domainOf(address: string): Promise<string> {
    return (isIP(address) === 0 || isLoopback(address) ? '' : await this.#named(address)) || this.fallback();
  }

  /** The domain where the interface tells none: that of `servername`, or '' with a default domain. */
  fallback(): string {
    return this.#settings.defaultdomain === '' ? domainPart(this.#settings.servername) : '';
  }

  async #named(address: string): Promise<string> {
    let entry = this.#entries.get(address);
    if (entry !== undefined && entry.running === undefined && entry.until <= this.#now()) {
      this.#entries.delete(address);
      entry = undefined;
    }
    if (entry === undefined) {
      entry = { domain: '', until: 0, running: undefined };
      this.#makeRoom();
      this.#entries.set(address, entry);
      entry.running = this.#fill(address, entry);
    }
    // A lookup that was given up once is not waited for again; it may still fill the entry.
    if (entry.running !== undefined && entry.until <= this.#now()) {
      const waited = entry;
      await Promise.race([
        entry.running,
        this.#sleep(limits.interface_lookup.value * 1000).then(() => {
          if (waited.running !== undefined) waited.until = this.#now() + RETRY_MS;
        }),
      ]);
    }
    return entry.domain;
  }

  async #fill(address: string, entry: Entry): Promise<void> {
    try {
      const host = await this.#lookup(address);
      entry.domain = isIP(host) === 0 ? domainPart(host) : '';
    } catch {
      entry.domain = '';
    }
    entry.until = this.#now() + (entry.domain === '' ? RETRY_MS : KEEP_MS);
    entry.running = undefined;
  }

  #makeRoom(): void {
    for (const address of this.#entries.keys()) {
      if (this.#entries.size < limits.interface_cache_entries.value) return;
      this.#entries.delete(address);
    }
  }
}

/** What stands behind the first dot, as a canonical domain; '' without one. */
function domainPart(host: string): string {
  const dot = host.indexOf('.');
  return dot < 0 ? '' : canonicalDomain(host.slice(dot + 1)) ?? '';
}

/** `localhost.localdomain` is nobody's mail domain. */
function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
