/** STATUS (RFC 9051 §6.3.11) and its items, which LIST can ask for too (RFC 5819). */

import type { StatusCommand, StatusItem } from './command.ts';
import type { Lexer } from './lexer.ts';

const ITEMS: ReadonlySet<string> = new Set<StatusItem>([
  'MESSAGES',
  'RECENT',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
  'DELETED',
  'DELETED-STORAGE',
  'SIZE',
  'HIGHESTMODSEQ',
  'APPENDLIMIT',
]);

/** `status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"` */
export function parseStatus(lexer: Lexer): StatusCommand {
  lexer.space();
  const mailbox = lexer.mailbox();
  lexer.space();
  return { name: 'STATUS', mailbox, items: parseStatusItems(lexer) };
}

/** The items in parentheses, each once. */
export function parseStatusItems(lexer: Lexer): StatusItem[] {
  const items = lexer.list('status items', () => {
    const start = lexer.position;
    const item = lexer.word('a status item');
    if (!isStatusItem(item)) throw lexer.expected('a status item', start);
    return item;
  });
  if (items.length === 0) throw lexer.expected('a status item in the parentheses');
  return [...new Set(items)];
}

function isStatusItem(word: string): word is StatusItem {
  return ITEMS.has(word);
}
