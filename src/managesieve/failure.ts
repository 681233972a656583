/** The one place where an error becomes NO and a response code (RFC 5804 §1.3). */

import type { ErrorCode, MailError } from '../errors.ts';
import { no } from './write.ts';

/** Response codes for our own; what has none of these has none. */
const CODES: Partial<Readonly<Record<ErrorCode, string>>> = {
  nonexistent: 'NONEXISTENT',
  alreadyexists: 'ALREADYEXISTS',
  inuse: 'ACTIVE',
  toobig: 'QUOTA/MAXSIZE',
  limit: 'QUOTA/MAXSCRIPTS',
  overquota: 'QUOTA',
  privacyrequired: 'ENCRYPT-NEEDED',
  unavailable: 'TRYLATER',
};

/** What went wrong inside is for the log. */
const PUBLIC_TEXT: Partial<Readonly<Record<ErrorCode, string>>> = {
  unavailable: 'Temporarily unavailable, try again later',
  config: 'The server is not configured for this',
  corruption: 'The mailbox is damaged, the administrator has been told',
  serverbug: 'Internal server error',
};

/**
 * NO for what a command threw. A limit is one of scripts only where the command that met it has to do with scripts;
 * others say what they are (too many connections).
 */
export function failure(error: MailError, ofScripts: boolean): string {
  const code = !ofScripts && (error.code === 'limit' || error.code === 'inuse')
    ? ''
    : CODES[error.code] ?? '';
  return no(PUBLIC_TEXT[error.code] ?? error.message, error.kind === 'syntax' ? '' : code);
}
