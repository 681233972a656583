/** APPEND (RFC 9051 §6.3.12) with one message or several (RFC 3502). */

import type { AnnouncedMessage, AppendCommand, DateTime, ParseMode } from './command.ts';
import { Lexer } from './lexer.ts';
import type { ReceivedCommand } from './received.ts';

/**
 * `append = "APPEND" SP mailbox 1*append-message` (RFC 4466 §3). Read when the first message is announced, so that it
 * can be refused before it is sent, and when the command is complete.
 */
export function parseAppend(lexer: Lexer): AppendCommand {
  lexer.space();
  const mailbox = lexer.mailbox();
  const messages: AnnouncedMessage[] = [];
  do messages.push(message(lexer)); while (!lexer.atEndAfterSpaces());
  return { name: 'APPEND', mailbox, messages };
}

/** The line that announces a further message, as the receiver hands it over. Throws a syntax error. */
export function parseFurtherMessage(received: ReceivedCommand, mode: ParseMode): AnnouncedMessage {
  const lexer = new Lexer(received, mode);
  const announced = message(lexer);
  lexer.end();
  return announced;
}

/** `append-message = [SP flag-list] [SP date-time] SP literal` */
function message(lexer: Lexer): AnnouncedMessage {
  let flags: string[] = [];
  let internaldate: DateTime | null = null;
  if (lexer.takeSpaceBefore('(')) flags = lexer.flagList();
  if (lexer.takeSpaceBefore('"')) internaldate = lexer.dateTime();
  lexer.space();
  const { size, binary } = lexer.messageLiteral();
  return { flags, internaldate, size, binary };
}
