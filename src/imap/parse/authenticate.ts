/** AUTHENTICATE, LOGIN (RFC 9051 §6.2). */

import { syntaxError } from '../../errors.ts';
import { decodeBase64 } from './base64.ts';
import type { AuthenticateCommand, LoginCommand } from './command.ts';
import type { Lexer } from './lexer.ts';

/** `authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]`; the initial response is base64 or `=` (RFC 4959 §3). */
export function parseAuthenticate(lexer: Lexer): AuthenticateCommand {
  lexer.space();
  const mechanism = lexer.word('the name of a SASL mechanism');
  if (lexer.atEndAfterSpaces()) return { name: 'AUTHENTICATE', mechanism, initial: null };
  lexer.space();
  const text = lexer.astring('the initial response in base64');
  const initial = text === '=' ? new Uint8Array(0) : decodeBase64(text);
  if (initial === null) throw syntaxError('AUTHENTICATE: the initial response is not base64');
  return { name: 'AUTHENTICATE', mechanism, initial };
}

/** `login = "LOGIN" SP userid SP password` */
export function parseLogin(lexer: Lexer): LoginCommand {
  lexer.space();
  const user = lexer.text('a user name');
  lexer.space();
  const password = lexer.text('a password');
  return { name: 'LOGIN', user, password };
}
