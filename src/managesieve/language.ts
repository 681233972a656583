/** What ManageSieve tells of the language scripts are written in, and how it has them checked. */

import type { Diagnostic } from '../sieve/diagnostic.ts';

export interface Language {
  /** Names of `require`, as announced (RFC 5804 §1.7 SIEVE). */
  readonly extensions: readonly string[];
  /** Redirects of one run of a script (MAXREDIRECTS). */
  readonly maxRedirects: number;
  /** URI schemes of notifications (NOTIFY); empty where `enotify` is not there. */
  readonly notify: readonly string[];
  /** URI schemes of external lists (RFC 6134 EXTLISTS); empty where `extlists` is not there. */
  readonly lists: readonly string[];
  /** Compiles a script as a delivery would: errors and warnings by their place in it. */
  check(script: Uint8Array): readonly Diagnostic[];
}
