/** SETACL, DELETEACL and LISTRIGHTS (RFC 4314 §3). */

import type { AclIdentifierCommand, SetAclCommand } from './command.ts';
import type { Lexer } from './lexer.ts';

/** `setacl = "SETACL" SP mailbox SP identifier SP mod-rights`; `mod-rights = [+/-] rights` as an astring */
export function parseSetAcl(lexer: Lexer): SetAclCommand {
  lexer.space();
  const mailbox = lexer.mailbox();
  lexer.space();
  const identifier = lexer.text('an identifier');
  lexer.space();
  const given = lexer.text('rights');
  const mode = given.startsWith('+') ? 'add' : given.startsWith('-') ? 'remove' : 'replace';
  return { name: 'SETACL', mailbox, identifier, mode, rights: mode === 'replace' ? given : given.slice(1) };
}

/** `name SP mailbox SP identifier` */
export function parseAclIdentifier(lexer: Lexer, name: AclIdentifierCommand['name']): AclIdentifierCommand {
  lexer.space();
  const mailbox = lexer.mailbox();
  lexer.space();
  return { name, mailbox, identifier: lexer.text('an identifier') };
}
