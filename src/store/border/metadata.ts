/** Metadata of mailboxes and of the server (RFC 5464) as protocols and scripts see it. */
import type { MailboxName } from './name.ts';

export interface MetadataEntry {
  /** With its scope and in lower case: `/shared/comment`. */
  readonly name: string;
  readonly value: Uint8Array;
}

/**
 * Entry names begin with /shared (one value for all) or /private (one for each user); case does not matter. The mailbox null is
 * the server.
 *
 * On a mailbox the caller needs `l` and one of `r`, `s`, `w`, `i`, `p` (RFC 5464 §3.3), for shared ones to be set `w` as well;
 * those of the server are for administrators to set. Entries follow their mailbox when it is renamed.
 */
export interface Metadata {
  /** The value, null where there is none. MailError 'nonexistent', 'noperm', 'badsyntax'. */
  get(mailbox: MailboxName | null, name: string): Uint8Array | null;
  /** All that the caller may see, by name. */
  list(mailbox: MailboxName | null): MetadataEntry[];
  /**
   * Sets entries, or removes those that are null: all of them, or none. MailError 'toobig' beyond the size of a value, 'limit' for
   * too many.
   */
  set(mailbox: MailboxName | null, entries: ReadonlyMap<string, Uint8Array | null>): Promise<void>;
}
