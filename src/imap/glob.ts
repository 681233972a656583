/**
 * LIST patterns (RFC 9051 §6.3.9): `*` stands for any characters, `%` for any but the separator. Matching takes time
 * proportional to pattern times name whatever the pattern: all places of the pattern a name may be at are followed at
 * once, so `*%*%*%x` is no worse than any other (nothing is tried again).
 */

/** Decides whether an external mailbox name matches. */
export type MailboxMatcher = (name: string) => boolean;

const WILDCARD = /[*%]/;

/**
 * Compiles a pattern. `separator` is the hierarchy separator of the external names. INBOX matches without regard to case
 * (RFC 9051 §5.1), as a name and as the first component of one.
 */
export function compilePattern(pattern: string, separator: string): MailboxMatcher {
  // Runs of wildcards mean what the widest of them means.
  const shortened = pattern.replace(/[*%]{2,}/g, (run) => run.includes('*') ? '*' : '%');
  const inbox = matcher(shortened.toUpperCase(), separator);
  const prefix = `INBOX${separator}`;
  const others = shortened.slice(0, prefix.length).toUpperCase() === prefix
    ? matcher(prefix + shortened.slice(prefix.length), separator)
    : matcher(shortened, separator);
  return (name) => name === 'INBOX' ? inbox(name) : others(name);
}

function matcher(pattern: string, separator: string): MailboxMatcher {
  if (pattern === '*') return () => true;
  if (pattern === '%') return (name) => !name.includes(separator);
  const first = pattern.search(WILDCARD);
  if (first < 0) return (name) => name === pattern;
  const head = pattern.slice(0, first);
  if (first === pattern.length - 1) {
    if (pattern[first] === '*') return (name) => name.startsWith(head);
    return (name) => name.startsWith(head) && !name.includes(separator, first);
  }
  const rest = pattern.slice(first);
  return (name) => name.startsWith(head) && follow(rest, name, first, separator);
}

/**
 * Whether `name` from `start` on matches `pattern`. `here[p]` says that what was read of the name can end just before the
 * pattern's char p.
 */
function follow(pattern: string, name: string, start: number, separator: string): boolean {
  const length = pattern.length;
  let here = new Uint8Array(length + 1);
  let next = new Uint8Array(length + 1);
  here[0] = 1;
  skipWildcards(pattern, here);
  for (let at = start; at < name.length; at++) {
    const char = name[at] as string;
    let alive = false;
    next.fill(0);
    for (let p = 0; p < length; p++) {
      if (here[p] === 0) continue;
      const wanted = pattern[p];
      if (wanted === '*' || (wanted === '%' && char !== separator)) next[p] = 1;
      else if (wanted === char) next[p + 1] = 1;
      else continue;
      alive = true;
    }
    if (!alive) return false;
    skipWildcards(pattern, next);
    [here, next] = [next, here];
  }
  return here[length] === 1;
}

/** A wildcard may stand for nothing. */
function skipWildcards(pattern: string, places: Uint8Array): void {
  for (let p = 0; p < pattern.length; p++) {
    if (places[p] === 1 && (pattern[p] === '*' || pattern[p] === '%')) places[p + 1] = 1;
  }
}
