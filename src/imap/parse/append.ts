/** APPEND (RFC 9051 §6.3.12). */

import type { AppendCommand, DateTime } from './command.ts';
import type { Lexer } from './lexer.ts';

/**
 * `append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal`. Read twice: when the message is announced, so
 * that it can be refused before it is sent, and when the command is complete.
 */
export function parseAppend(lexer: Lexer): AppendCommand {
  lexer.space();
  const mailbox = lexer.mailbox();
  let flags: string[] = [];
  let internaldate: DateTime | null = null;
  if (lexer.takeSpaceBefore('(')) flags = lexer.flagList();
  if (lexer.takeSpaceBefore('"')) internaldate = lexer.dateTime();
  lexer.space();
  const { size, binary } = lexer.messageLiteral();
  return { name: 'APPEND', mailbox, flags, internaldate, size, binary };
}
