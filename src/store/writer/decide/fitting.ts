/** Flags where nothing may fail for one: deliveries, and messages that wake. */
import { isKeyword, MAX_KEYWORDS, systemFlagBit } from '../../flags.ts';
import type { MailboxRow } from '../../index/rows.ts';

/** Those a mailbox can give: names that are flags, as many keywords as it has room for. */
export function fittingFlags(row: MailboxRow, names: readonly string[]): string[] {
  const known = new Set(row.keywords.map((keyword) => keyword.toLowerCase()));
  return names.filter((name) => {
    if (name.startsWith('\\')) return systemFlagBit(name) !== 0;
    const lower = name.toLowerCase();
    if (known.has(lower)) return true;
    if (known.size >= MAX_KEYWORDS || !isKeyword(name)) return false;
    known.add(lower);
    return true;
  });
}
