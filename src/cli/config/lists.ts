/** Files of Sieve's external lists (RFC 6134) as `config check` looks at them. */

import type { Finding } from '../../config/finding.ts';
import type { Settings } from '../../config/settings.ts';
import { readList } from '../../delivery/externallists.ts';

/** The lists that scripts could not be told about: files that are not there, may not be read, or are too long. */
export function listFindings({ sieve_lists }: Settings): Finding[] {
  return Object.entries(sieve_lists).flatMap(([name, file]) => {
    try {
      readList(file);
      return [];
    } catch (thrown) {
      const text = thrown instanceof Error ? thrown.message : String(thrown);
      return [{ file, line: 0, key: '', text: `the list "${name}" of sieve.lists cannot be read: ${text}` }];
    }
  });
}
