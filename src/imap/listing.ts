/**
 * The names LIST and LSUB choose from: every mailbox the user may look up under its external name, the levels above
 * them that are no mailboxes, and which of them a pattern matches. Built per command from one listing of the store.
 */

import type { ListedMailbox } from '../store/border.ts';
import type { Namespace } from '../store/names.ts';
import { compilePattern, type MailboxMatcher } from './glob.ts';

/** One name. `info` is null where no mailbox of this name exists (or may be known of). */
export interface ListedName {
  readonly external: string;
  readonly info: ListedMailbox | null;
}

/** All names of one user at one moment. */
export class Listing {
  /** Mailboxes first in the store's order (own, others'), then levels that are no mailboxes, by name. */
  readonly names: readonly ListedName[];
  readonly separator: string;
  readonly #byExternal = new Map<string, ListedName>();
  readonly #parents = new Set<string>();

  constructor(infos: readonly ListedMailbox[], namespace: Namespace) {
    this.separator = namespace.separator;
    const names: ListedName[] = [];
    for (const info of infos) {
      const name = { external: namespace.toExternal(info.name), info };
      names.push(name);
      this.#byExternal.set(name.external, name);
    }
    for (const { external } of names) this.#addParents(external);
    const missing = [...this.#parents].filter((parent) => !this.#byExternal.has(parent)).sort();
    for (const external of missing) {
      const name = { external, info: null };
      names.push(name);
      this.#byExternal.set(external, name);
    }
    this.names = names;
  }

  get(external: string): ListedName {
    return this.#byExternal.get(external) ?? { external, info: null };
  }

  /** Whether a mailbox the user may look up stands below this name. */
  hasChildren(external: string): boolean {
    return this.#parents.has(external);
  }

  /** The levels above a name, nearest first. */
  ancestors(external: string): string[] {
    const above: string[] = [];
    let cut = external.lastIndexOf(this.separator);
    while (cut > 0) {
      above.push(external.slice(0, cut));
      cut = external.lastIndexOf(this.separator, cut - 1);
    }
    return above;
  }

  #addParents(external: string): void {
    for (const parent of this.ancestors(external)) {
      // A level that is known has its own levels above it known too.
      if (this.#parents.has(parent)) return;
      this.#parents.add(parent);
    }
  }
}

/** The patterns of one LIST or LSUB. Reference and pattern together are the canonical pattern (RFC 9051 §6.3.9). */
export class PatternSet {
  readonly #matchers: { readonly matches: MailboxMatcher; readonly levels: boolean }[];

  constructor(reference: string, patterns: readonly string[], separator: string) {
    this.#matchers = patterns.map((pattern) => ({
      matches: compilePattern(reference + pattern, separator),
      levels: pattern.endsWith('%'),
    }));
  }

  /** Whether one of the patterns matches a mailbox's name. */
  matches(external: string): boolean {
    return this.#matchers.some(({ matches }) => matches(external));
  }

  /** A level that is no mailbox is listed for a pattern that ends in `%` (RFC 3501 §6.3.8). */
  matchesLevel(external: string): boolean {
    return this.#matchers.some(({ matches, levels }) => levels && matches(external));
  }
}
