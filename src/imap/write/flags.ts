/**
 * Flag lists (RFC 9051 §7.5.2 FLAGS, §7.1 PERMANENTFLAGS), with the lists already written kept: a mailbox has few different ones.
 */

import { flagNames, SYSTEM_FLAG_NAMES } from '../../store/flags.ts';
import { permanentFlags } from './code.ts';

/** How many different lists are kept for a table of keywords; more are written as they come. */
const KEPT = 512;

/** For how many tables of keywords lists are kept. */
const TABLES = 128;

/** Rights that let a client change flags (RFC 4314 §4): \Seen, \Deleted, all others. */
const FLAG_RIGHTS: Readonly<Record<string, string>> = { '\\Seen': 's', '\\Deleted': 't' };

/** What mailboxes with the same keywords have in common, over all sessions. */
interface Table {
  /** All flags there are. */
  readonly defined: readonly string[];
  /** `FLAGS (...)` */
  readonly line: string;
  /** Lists written, by their bits. */
  readonly lists: Map<number, string>;
  /** PERMANENTFLAGS codes, by rights. */
  readonly permanent: Map<string, string>;
}

const tables = new Map<string, Table>();

function tableOf(keywords: readonly string[]): Table {
  const key = keywords.join(' ');
  let table = tables.get(key);
  if (table === undefined) {
    if (tables.size >= TABLES) tables.clear();
    const defined = [...SYSTEM_FLAG_NAMES, ...keywords];
    table = { defined, line: `FLAGS (${defined.join(' ')})`, lists: new Map(), permanent: new Map() };
    tables.set(key, table);
  }
  return table;
}

/** Writes flag sets of one mailbox as it is known to one session. */
export class FlagWriter {
  #keywords: readonly string[];
  #table: Table;

  constructor(keywords: readonly string[]) {
    this.#keywords = keywords;
    this.#table = tableOf(keywords);
  }

  /** `FLAGS (...)`: the flags defined in the mailbox (RFC 9051 §7.3.5). */
  get defined(): string {
    return this.#table.line;
  }

  /**
   * The PERMANENTFLAGS code of somebody who has these rights (RFC 9051 §7.1, RFC 4314 §4); `open` says that new keywords can
   * be made by who may use them.
   */
  permanent(rights: string, open: boolean): string {
    const { permanent, defined } = this.#table;
    const key = open ? `${rights}*` : rights;
    let code = permanent.get(key);
    if (code === undefined) {
      const allowed = defined.filter((flag) => rights.includes(FLAG_RIGHTS[flag] ?? 'w'));
      code = permanentFlags(allowed, open && rights.includes('w'));
      if (permanent.size < KEPT) permanent.set(key, code);
    }
    return code;
  }

  /** The keyword table has grown or changed. The store replaces the array when it does, so asking is cheap. */
  use(keywords: readonly string[]): void {
    if (keywords === this.#keywords) return;
    this.#keywords = keywords;
    this.#table = tableOf(keywords);
  }

  /** `(\Seen $Junk)`; `recent` adds \Recent (RFC 3501 §2.3.2). */
  list(lo: number, hi: number, recent: boolean): string {
    // Sets with keywords of the upper word are rare and not kept: the key stays a small number.
    if (hi !== 0) return this.#render(lo, hi, recent);
    const key = 2 * (lo >>> 0) + (recent ? 1 : 0);
    const { lists } = this.#table;
    const kept = lists.get(key);
    if (kept !== undefined) return kept;
    const written = this.#render(lo, hi, recent);
    if (lists.size < KEPT) lists.set(key, written);
    return written;
  }

  #render(lo: number, hi: number, recent: boolean): string {
    const names = flagNames(lo, hi, this.#keywords);
    if (recent) names.push('\\Recent');
    return `(${names.join(' ')})`;
  }
}
