import type { Captures } from './matcher.ts';

/** What the wildcards of the last match stood for; empty before the first (RFC 5229 §3.2). */
export class Groups implements Captures {
  groups: readonly string[] = [];

  set(groups: readonly string[]): void {
    this.groups = groups;
  }
}
