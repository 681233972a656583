/** What a check found. `damage` means that something acknowledged may be wrong; `notice` is harmless. */
export interface Finding {
  readonly severity: 'damage' | 'notice';
  /** Userid, or '' for the store as a whole. */
  readonly userid: string;
  /** Mailbox path, file or table. */
  readonly place: string;
  readonly text: string;
}
