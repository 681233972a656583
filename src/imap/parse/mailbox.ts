/** Commands about mailboxes as such: SELECT, EXAMINE, CREATE, RENAME and those that name one mailbox (RFC 9051 §6.3). */

import type { CreateCommand, MailboxCommand, RenameCommand, SelectCommand } from './command.ts';
import type { Lexer } from './lexer.ts';

/** `select = "SELECT" SP mailbox [SP "(" select-param *(SP select-param) ")"]` (RFC 4466 §2.4, RFC 7162 §7) */
export function parseSelect(lexer: Lexer, name: SelectCommand['name']): SelectCommand {
  lexer.space();
  const mailbox = lexer.mailbox();
  let condstore = false;
  if (lexer.takeSpaceBefore('(')) {
    lexer.list('parameters', () => {
      if (!lexer.takeWord('CONDSTORE')) throw lexer.expected('CONDSTORE');
      condstore = true;
    });
  }
  return { name, mailbox, condstore };
}

/** `create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]` (RFC 6154 §6) */
export function parseCreate(lexer: Lexer): CreateCommand {
  lexer.space();
  const mailbox = lexer.mailbox();
  let use: string[] = [];
  if (lexer.takeSpaceBefore('(')) {
    lexer.list('parameters', () => {
      if (!lexer.takeWord('USE')) throw lexer.expected('USE');
      lexer.space();
      use = lexer.list('special-use attributes', () => {
        lexer.char('\\');
        return `\\${lexer.atom('a special-use attribute')}`;
      });
    });
  }
  return { name: 'CREATE', mailbox, use };
}

/** `rename = "RENAME" SP mailbox SP mailbox` */
export function parseRename(lexer: Lexer): RenameCommand {
  lexer.space();
  const from = lexer.mailbox();
  lexer.space();
  const to = lexer.mailbox('the new mailbox name');
  return { name: 'RENAME', from, to };
}

/** `name SP mailbox` */
export function parseMailboxCommand(lexer: Lexer, name: MailboxCommand['name']): MailboxCommand {
  lexer.space();
  return { name, mailbox: lexer.mailbox() };
}
