/** ENABLE (RFC 9051 §6.3.1) and ID (RFC 2971). */

import { syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { EnableCommand, IdCommand, IdParam } from './command.ts';
import type { Lexer } from './lexer.ts';

/** `enable = "ENABLE" 1*(SP capability)` */
export function parseEnable(lexer: Lexer): EnableCommand {
  const capabilities: string[] = [];
  do {
    lexer.space();
    capabilities.push(lexer.word('a capability'));
    if (capabilities.length > limits.imap_list_items.value) {
      throw syntaxError(`ENABLE: at most ${limits.imap_list_items.value} capabilities at a time`);
    }
  } while (!lexer.atEndAfterSpaces());
  return { name: 'ENABLE', capabilities };
}

/** `id = "ID" SP ("(" [string SP nstring *(SP string SP nstring)] ")" / nil)`, within the bounds of RFC 2971 §3.3. */
export function parseId(lexer: Lexer): IdCommand {
  lexer.space();
  if (lexer.takeWord('NIL')) return { name: 'ID', params: null };
  const params = lexer.list('fields and values', (): IdParam => {
    const field = lexer.text('the name of a field');
    lexer.space();
    const value = lexer.takeWord('NIL') ? null : lexer.text('a value');
    if (field.length > limits.imap_id_field.value) {
      throw syntaxError(`ID: the name of a field may have at most ${limits.imap_id_field.value} bytes`);
    }
    if (value !== null && value.length > limits.imap_id_value.value) {
      throw syntaxError(`ID: a value may have at most ${limits.imap_id_value.value} bytes`);
    }
    return { field, value };
  }, limits.imap_id_params.value);
  return { name: 'ID', params };
}
