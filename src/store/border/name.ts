/** Who asks, and for what. */

/** Who asks. `userid` is canonical (see names.ts); `admin` sees and may administer everything. */
export interface Identity {
  readonly userid: string;
  readonly admin: boolean;
  readonly groups: readonly string[];
  /** Which groups these are cannot be told: what an ACL denies to any group is denied here. */
  readonly groupsUnknown?: boolean;
}

/**
 * A mailbox inside the program: `owner` is the userid ('' is the shared hierarchy), `path` is '' for the INBOX or
 * the components below it joined by '/'. Components are Unicode and hold neither '/' nor control characters.
 */
export interface MailboxName {
  readonly owner: string;
  readonly path: string;
}
