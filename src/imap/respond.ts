/**
 * The one place where an error becomes IMAP: `MailError` to NO or BAD with the response code of RFC 9051 §7.1.
 * Commands throw; nobody else writes BAD.
 */

import { asMailError, type ErrorCode, MailError } from '../errors.ts';

/** How a command ended when it did not end with OK. */
export interface Refusal {
  readonly word: 'NO' | 'BAD';
  /** With brackets' content only, or '' for none. */
  readonly code: string;
  readonly text: string;
}

/** Response codes by error code (RFC 9051 §7.1, RFC 5530 §3, RFC 7889 §4 for TOOBIG). */
const RESPONSE_CODES: Readonly<Record<ErrorCode, string>> = {
  nonexistent: 'NONEXISTENT',
  alreadyexists: 'ALREADYEXISTS',
  noperm: 'NOPERM',
  cannot: 'CANNOT',
  haschildren: 'HASCHILDREN',
  inuse: 'INUSE',
  overquota: 'OVERQUOTA',
  toobig: 'TOOBIG',
  limit: 'LIMIT',
  readonly: 'READ-ONLY',
  nouser: 'NONEXISTENT',
  authenticationfailed: 'AUTHENTICATIONFAILED',
  authorizationfailed: 'AUTHORIZATIONFAILED',
  privacyrequired: 'PRIVACYREQUIRED',
  expired: 'EXPIRED',
  badsyntax: '',
  badcharset: 'BADCHARSET (US-ASCII UTF-8)',
  badevent: 'BADEVENT',
  useattr: 'USEATTR',
  clientbug: 'CLIENTBUG',
  unavailable: 'UNAVAILABLE',
  config: 'CONTACTADMIN',
  corruption: 'CORRUPTION',
  serverbug: 'SERVERBUG',
};

/**
 * Said instead of the error's own text: where that text speaks of our insides, which belong into the log, and where
 * it has to be the same whatever went wrong.
 */
const PUBLIC_TEXT: Partial<Readonly<Record<ErrorCode, string>>> = {
  authenticationfailed: 'Authentication failed.',
  unavailable: 'Temporarily unavailable, try again later',
  config: 'The server is not configured for this',
  corruption: 'The mailbox is damaged, the administrator has been told',
  serverbug: 'Internal server error',
};

/** Longest text of a refusal; the rest belongs into the log. */
const MAX_TEXT = 200;

/** An error whose response code depends on the command it happened in. */
export class CodedError extends MailError {
  readonly responseCode: string;

  constructor(error: MailError, responseCode: string) {
    super(error.kind, error.code, error.message, error.cause);
    this.responseCode = responseCode;
  }
}

/** The answer to whatever a command threw. `badcharset` is NO although it is found while parsing (RFC 9051 §6.4.4). */
export function refusal(thrown: unknown): Refusal {
  const error: MailError = asMailError(thrown);
  const bad = error.kind === 'syntax' && error.code !== 'badcharset';
  return {
    word: bad ? 'BAD' : 'NO',
    code: error instanceof CodedError ? error.responseCode : RESPONSE_CODES[error.code],
    text: respText(PUBLIC_TEXT[error.code] ?? error.message),
  };
}

/** `NO [CODE] text` or `BAD text`, without tag and line end. */
export function renderRefusal(refused: Refusal): string {
  return `${refused.word} ${refused.code === '' ? '' : `[${refused.code}] `}${refused.text}`;
}

/**
 * Text that is safe on a response line: printable ASCII, no leading bracket that would read as a response code
 * (RFC 9051 §9 resp-text), and never markup a browser would run when tricked into talking to us (ALPACA).
 */
export function respText(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?').replace(/[<>]/g, '').replace(/^\[+/, '').trim();
  if (plain === '') return 'Failed';
  const cut = plain.length > MAX_TEXT ? `${plain.slice(0, MAX_TEXT - 3)}...` : plain;
  return cut.charAt(0).toUpperCase() + cut.slice(1);
}
