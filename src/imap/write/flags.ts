/** Flag lists (RFC 9051 §7.5.2 FLAGS), with the lists already written kept: a mailbox has few different ones. */

import { flagNames } from '../../store/flags.ts';

/** How many different lists are kept for a table of keywords; more are written as they come. */
const KEPT = 512;

/** For how many tables of keywords lists are kept. */
const TABLES = 128;

/** Lists written, by keyword table: what mailboxes with the same keywords have in common, over all sessions. */
const tables = new Map<string, Map<number, string>>();

function tableOf(keywords: readonly string[]): Map<number, string> {
  const key = keywords.join(' ');
  let table = tables.get(key);
  if (table === undefined) {
    if (tables.size >= TABLES) tables.clear();
    tables.set(key, table = new Map());
  }
  return table;
}

/** Writes flag sets of one mailbox as it is known to one session. */
export class FlagWriter {
  #keywords: readonly string[];
  #written: Map<number, string>;

  constructor(keywords: readonly string[]) {
    this.#keywords = keywords;
    this.#written = tableOf(keywords);
  }

  /** The keyword table has grown or changed. The store replaces the array when it does, so asking is cheap. */
  use(keywords: readonly string[]): void {
    if (keywords === this.#keywords) return;
    this.#keywords = keywords;
    this.#written = tableOf(keywords);
  }

  /** `(\Seen $Junk)`; `recent` adds \Recent (RFC 3501 §2.3.2). */
  list(lo: number, hi: number, recent: boolean): string {
    // Sets with keywords of the upper word are rare and not kept: the key stays a small number.
    if (hi !== 0) return this.#render(lo, hi, recent);
    const key = 2 * (lo >>> 0) + (recent ? 1 : 0);
    const kept = this.#written.get(key);
    if (kept !== undefined) return kept;
    const written = this.#render(lo, hi, recent);
    if (this.#written.size < KEPT) this.#written.set(key, written);
    return written;
  }

  #render(lo: number, hi: number, recent: boolean): string {
    const names = flagNames(lo, hi, this.#keywords);
    if (recent) names.push('\\Recent');
    return `(${names.join(' ')})`;
  }
}
