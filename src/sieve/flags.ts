/** IMAP flags as scripts have them: words, separated by spaces, without regard to case (RFC 5232 §2). */

/** RFC 9051 §2.3.2: those that may be set; \Recent may not. */
const SYSTEM_FLAGS: ReadonlyMap<string, string> = new Map(
  ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'].map((flag) => [flag.toLowerCase(), flag]),
);

/** RFC 9051 §9 flag-keyword: an atom. */
const KEYWORD = /^[^\x00-\x20\x7f-\xff(){%*"\\\]]+$/;

/** The flags in strings: each once, in the order of their first mention; what can be no flag is left out. */
export function flagsIn(strings: readonly string[]): string[] {
  const flags = new Map<string, string>();
  for (const text of strings) {
    for (const word of text.split(/[ \t\r\n]+/)) {
      const key = word.toLowerCase();
      const flag = SYSTEM_FLAGS.get(key) ?? (KEYWORD.test(word) ? word : null);
      if (flag !== null && !flags.has(key)) flags.set(key, flag);
    }
  }
  return [...flags.values()];
}

/** The flags without those of a list. */
export function withoutFlags(flags: readonly string[], removed: readonly string[]): string[] {
  const keys = new Set(removed.map((flag) => flag.toLowerCase()));
  return flags.filter((flag) => !keys.has(flag.toLowerCase()));
}
