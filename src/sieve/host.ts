/**
 * Everything a script may ask of the world. Answers are given at once; only external programs take time. All text is Unicode.
 * A script never does anything: what it decided stands in its `Result`, and the caller carries it out.
 */

/** What a question may be about. Every member is asked by one extension, which is named. */
export interface Host {
  /** Milliseconds since 1970: the moment of this delivery, the same for the whole run. */
  readonly now: number;
  /** The line of the log that belongs to this run (vnd.cyrus.log, vnd.dovecot.debug, truncated variables). */
  log(text: string): void;
}
