/**
 * Everything a script may ask of the world. Answers are given at once; only external programs take time. All text is Unicode.
 * A script never does anything: what it decided stands in its `Result`, and the caller carries it out.
 */

/** Where a script of `include` is kept (RFC 6609 §3.2): with the owner, or for all. */
export type ScriptLocation = 'personal' | 'global';

/** A script as it is kept. */
export interface StoredScript {
  readonly bytes: Uint8Array;
  /** A digest of the bytes: scripts with the same one are compiled once. */
  readonly hash: string;
}

/** Somebody who can be notified (RFC 5435 §5). */
export interface NotifyTarget {
  readonly online: 'yes' | 'no' | 'maybe';
}

/** What a script wants of a program: to have the message, to change it, or to compute something. */
export type ProgramKind = 'pipe' | 'filter' | 'execute';

/** A program to be run: a file's name in the folder that the administrator set aside for its kind. */
export interface ProgramCall {
  readonly kind: ProgramKind;
  readonly name: string;
  readonly args: readonly string[];
  readonly input: Uint8Array;
  /** The envelope, for the program's environment. */
  readonly sender: string;
  readonly recipient: string;
  readonly originalRecipient: string;
}

export interface ProgramOutcome {
  /** Why it could not be run to a good end; null if it was. */
  readonly failed: string | null;
  readonly output: Uint8Array;
}

/** What a question may be about. Every member is asked by one extension, which is named. */
export interface Host {
  /** Lets others have their turn, where a run has computed for long; without it runs compute to their end. */
  pause?(): Promise<void>;
  /** Milliseconds since 1970: the moment of this delivery, the same for the whole run. */
  readonly now: number;
  /** True if there is a mailbox of this name that the owner may deliver into (RFC 5490 §3.1). */
  mailboxExists(name: string): boolean;
  /** The same for an object id (RFC 9042 §5). */
  mailboxIdExists(id: string): boolean;
  /** The same for the special use of a mailbox of this name, or with null of any (RFC 8579 §3). */
  specialUseExists(mailbox: string | null, use: string): boolean;
  /** The value of an annotation of a mailbox, or with null of the server; null if there is none (RFC 5490 §3.3, §4.1). */
  metadata(mailbox: string | null, entry: string): string | null;
  /** Minutes east of UTC of the server's zone at a moment in unix seconds (RFC 5260 §4.1). */
  zoneOffset(seconds: number): number;
  /** What is known about where the script runs (RFC 5183 §4.1), by names in lower case; null for what is not known. */
  environment(item: string): string | null;
  /** True if a message with this key was seen before, and is remembered still (RFC 7352 §3). The same for the whole run. */
  seen(key: string): boolean;
  /** Whether somebody can be notified by a URI that is no mailto (RFC 5435 §4), and what is known of them; null if not. */
  notifyMethod(uri: string): NotifyTarget | null;
  /** A script of a name that `include` allows, or null (RFC 6609 §3.2). */
  script(location: ScriptLocation, name: string): StoredScript | null;
  /** What stands on a list of `Settings.lists` and is the same as a value, or null (RFC 6134 §2.2). */
  listed(list: string, value: string): string | null;
  /** The addresses on such a list, for `redirect :list` (§2.3). */
  members(list: string): readonly string[];
  /** Runs a program of a kind in `Settings.programs`. Never rejects. */
  program(call: ProgramCall): Promise<ProgramOutcome>;
  /** The line of the log that belongs to this run (vnd.cyrus.log, vnd.dovecot.debug, truncated variables). */
  log(text: string): void;
}
