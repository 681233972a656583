import type { Kind, Parsed } from './kinds/kind.ts';

/** One spelling of an option in imapd.conf. */
export interface ImapdName<T> {
  /** The key, or for a map its prefix with the dash: "partition-". */
  readonly key: string;
  /** What a bare number counts there: K for kilobytes, m for minutes, d for days. */
  readonly unit?: string;
  /** Where the old key means something else by the same value. */
  readonly convert?: (value: T) => T;
  /** Where the old key takes texts of its own; undefined leaves the text to the kind. */
  readonly read?: (text: string) => Parsed<T> | undefined;
}

/** One row of the table of options: everything that is known about an option. */
export interface Option<T> {
  /** Section and key in mailstore.toml: "lmtp.downcase_rcpt". */
  readonly toml: `${string}.${string}`;
  readonly kind: Kind<T>;
  readonly default: T;
  /** What the default is when it is only known at run time, in words. */
  readonly defaultText?: string;
  /** What imapd.conf means when it does not name the option, where that differs from our default. */
  readonly imapdDefault?: T;
  /** The spellings imapd.conf knows, the 2.3 one first. Empty where Cyrus has no such option. */
  readonly imapd: readonly ImapdName<T>[];
  /** What it does, what follows from it, in full sentences. */
  readonly doc: string;
  /** What a value costs that is valid but not there, as "… is not there yet"; undefined when it is fine. */
  check?(value: T): string | undefined;
  /** What of a value that `check` turns down is there; for the translation of an old configuration. */
  available?(value: T): T;
  /** True where a value that `check` turns down is a way to authenticate: never only a warning. */
  readonly authentication?: true;
}

/** A row with its type. A function so that the type of the value follows from the kind. */
export function option<T>(row: Option<T>): Option<T> {
  return row;
}

/** Plain spellings: same meaning, same unit. */
export function imapd(...keys: string[]): readonly { readonly key: string }[] {
  return keys.map((key) => ({ key }));
}
