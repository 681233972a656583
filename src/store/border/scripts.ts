/** Sieve scripts as protocols and tools see them. */

/** A Sieve script as LISTSCRIPTS shows it. Bytes and unix time. */
export interface ScriptInfo {
  readonly name: string;
  readonly size: number;
  readonly active: boolean;
  readonly changed: number;
}

/**
 * The Sieve scripts of one user, or the global ones. Names are those of RFC 5804 §1.6; what a script says is nobody's business
 * here. A script that breaks no rule of the store is kept as it is, to the byte.
 */
export interface Scripts {
  /** By name. */
  list(): ScriptInfo[];
  get(name: string): Uint8Array | null;
  /**
   * Stores a script, or replaces the one of that name, which stays active if it was. MailError 'limit' where it would be one more
   * than `maxScripts`, 'toobig' beyond the hard bound of the store, 'cannot' for a name no script can have.
   */
  put(name: string, content: Uint8Array, options: { maxScripts: number }): Promise<void>;
  /** Null leaves none active. MailError 'nonexistent'. */
  setActive(name: string | null): Promise<void>;
  /** MailError 'nonexistent', or 'inuse' for the active one (RFC 5804 §2.10). */
  delete(name: string): Promise<void>;
  /** The active one stays active. MailError 'nonexistent', 'alreadyexists', 'cannot'. */
  rename(from: string, to: string): Promise<void>;
}
