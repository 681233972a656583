/** Answers of POP3 (RFC 1939 §3, RFC 2449 §8). */

import { type MailError } from '../errors.ts';

/** Code and message of a login that came too soon (RFC 2449 §8.1.1). */
export const LOGIN_DELAY = 'LOGIN-DELAY';

/** Text of ours is ASCII; what a client sent is never repeated. */
export function ok(text = ''): string {
  return text === '' ? '+OK\r\n' : `+OK ${text}\r\n`;
}

/** @param code extended response code without brackets, '' for none */
export function err(text: string, code = ''): string {
  return code === '' ? `-ERR ${text}\r\n` : `-ERR [${code}] ${text}\r\n`;
}

/** Codes of RFC 2449 §8.1, RFC 3206 and RFC 6856 for our own. */
export function failure(error: MailError): string {
  switch (error.code) {
    case 'authenticationfailed':
    case 'authorizationfailed':
    case 'expired':
      return err(error.message, 'AUTH');
    case 'inuse':
      return err(error.message, 'IN-USE');
    case 'limit':
      return error.message === LOGIN_DELAY
        ? err('Logged in too soon after the last session', LOGIN_DELAY)
        : err(error.message, 'SYS/TEMP');
    default:
      return error.kind === 'server' ? err(serverText(error), codeOf(error)) : err(error.message);
  }
}

function codeOf(error: MailError): string {
  return error.code === 'corruption' ? 'SYS/PERM' : 'SYS/TEMP';
}

/** What went wrong inside is for the log. */
function serverText(error: MailError): string {
  return error.code === 'serverbug' ? 'Internal server error' : ascii(error.message);
}

function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
