/** STORE, COPY, MOVE and EXPUNGE with their UID forms (RFC 9051 §6.4). */

import { limits } from '../../limits.ts';
import { syntaxError } from '../../errors.ts';
import type { CopyCommand, ExpungeCommand, StoreCommand } from './command.ts';
import type { Lexer } from './lexer.ts';

/** `store = "STORE" SP sequence-set [SP "(" "UNCHANGEDSINCE" SP modseq ")"] SP store-att-flags` (RFC 7162 §7) */
export function parseStore(lexer: Lexer, uid: boolean): StoreCommand {
  lexer.space();
  const set = lexer.sequenceSet();
  let unchangedSince: number | null = null;
  if (lexer.takeSpaceBefore('(')) {
    lexer.list('modifiers', () => {
      if (unchangedSince !== null || !lexer.takeWord('UNCHANGEDSINCE')) {
        throw lexer.expected('UNCHANGEDSINCE once');
      }
      lexer.space();
      unchangedSince = lexer.number64('a modseq');
    });
  }
  lexer.space();
  const mode = lexer.take('+') ? 'add' : lexer.take('-') ? 'remove' : 'replace';
  const silent = lexer.takeWord('FLAGS.SILENT');
  if (!silent && !lexer.takeWord('FLAGS')) throw lexer.expected('FLAGS or FLAGS.SILENT');
  lexer.space();
  return { name: 'STORE', uid, set, mode, silent, flags: parseFlags(lexer), unchangedSince };
}

/** `flag-list / (flag *(SP flag))` */
function parseFlags(lexer: Lexer): string[] {
  if (lexer.peek() === 0x28) return lexer.flagList();
  const flags = [lexer.flag()];
  while (!lexer.atEndAfterSpaces()) {
    lexer.space();
    flags.push(lexer.flag());
    if (flags.length > limits.imap_list_items.value) {
      throw syntaxError(`STORE: at most ${limits.imap_list_items.value} flags at a time`);
    }
  }
  return flags;
}

/** `copy = "COPY" SP sequence-set SP mailbox`, and MOVE alike */
export function parseCopy(lexer: Lexer, name: CopyCommand['name'], uid: boolean): CopyCommand {
  lexer.space();
  const set = lexer.sequenceSet();
  lexer.space();
  return { name, uid, set, mailbox: lexer.mailbox() };
}

/** `"EXPUNGE"` and `uid-expunge = "EXPUNGE" SP sequence-set` */
export function parseExpunge(lexer: Lexer, uid: boolean): ExpungeCommand {
  if (!uid) return { name: 'EXPUNGE', set: null };
  lexer.space();
  return { name: 'EXPUNGE', set: lexer.sequenceSet() };
}
