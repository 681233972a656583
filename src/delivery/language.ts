/** The Sieve language as a configuration allows it: the same for scripts that are put and for those that run. */

import type { Settings } from '../config/settings.ts';
import { CAPABILITIES } from '../sieve/extensions.ts';

/** What `require` may name here, in the order in which it is announced (`sieve_extensions`). Comparators always. */
export function allowedCapabilities(
  { sieve_extensions: named }: Pick<Settings, 'sieve_extensions'>,
): string[] {
  const names = new Set(named.map((name) => name.toLowerCase()));
  return CAPABILITIES.filter((name) =>
    names.size === 0 || name.startsWith('comparator-') || names.has(name.toLowerCase())
  );
}
