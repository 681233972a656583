/** The mailbox an address means that names none exactly (`lmtp_fuzzy_mailbox_match`). */

/**
 * Of the mailboxes there are, the deepest one on the way to the one that is wanted, without regard to case and with "_" for a
 * space; the exact one before all others. Null where not even its first level is there.
 * @param paths paths of the owner's mailboxes; levels are parted by /
 */
export function nearestPath(paths: Iterable<string>, wanted: string): string | null {
  const target = folded(wanted);
  let best: string | null = null;
  for (const path of paths) {
    if (path === wanted) return path;
    const candidate = folded(path);
    if (path === '' || !(target === candidate || target.startsWith(`${candidate}/`))) continue;
    if (best === null || candidate.length > folded(best).length) best = path;
  }
  return best;
}

function folded(path: string): string {
  return path.normalize('NFC').toLowerCase().replaceAll('_', ' ');
}
