/**
 * The one error union of mailstore. The store and every pure part throw it; each protocol turns it into its
 * own words exactly once, at the command boundary (IMAP NO/BAD/BYE, LMTP 4xx/5xx, exit codes of the tools).
 * `code` is also the metric label and the log key.
 */

/** Who is to blame: the user's request, its syntax, a limit, or us. */
export type ErrorKind = 'user' | 'syntax' | 'limit' | 'server';

/** Stable reason of a failure. RFC 5530 names where one exists. */
export type ErrorCode =
  | 'nonexistent' // no such mailbox, or the caller may not know (promise 5: the same answer)
  | 'alreadyexists'
  | 'noperm'
  | 'cannot' // the name or the operation can never be allowed
  | 'haschildren'
  | 'inuse'
  | 'overquota'
  | 'toobig'
  | 'limit'
  | 'readonly'
  | 'nouser' // no such recipient
  | 'authenticationfailed'
  | 'authorizationfailed'
  | 'privacyrequired'
  | 'expired'
  | 'badsyntax'
  | 'badcharset'
  | 'badevent'
  | 'useattr' // a special use the mailbox cannot have (RFC 6154 §3)
  | 'clientbug'
  | 'unavailable' // temporary: try again (disk full, writer restarting, owner quarantined)
  | 'config' // configuration is wrong; the text names file, line and key
  | 'corruption'
  | 'serverbug';

/** An error with a kind, a stable code and one sentence for the person who reads it. */
export class MailError extends Error {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;

  constructor(kind: ErrorKind, code: ErrorCode, text: string, cause?: unknown) {
    super(text, cause === undefined ? undefined : { cause });
    this.name = 'MailError';
    this.kind = kind;
    this.code = code;
  }
}

/** The request cannot be fulfilled, and that is the caller's to change. */
export function userError(code: ErrorCode, text: string): MailError {
  return new MailError('user', code, text);
}

/** The bytes received do not follow the grammar. */
export function syntaxError(text: string, code: ErrorCode = 'badsyntax'): MailError {
  return new MailError('syntax', code, text);
}

/** A bound of `limits.ts` or of the configuration was met. */
export function limitError(text: string, code: ErrorCode = 'limit'): MailError {
  return new MailError('limit', code, text);
}

/** Something on our side failed; the same request may succeed later. */
export function serverError(text: string, cause?: unknown, code: ErrorCode = 'unavailable'): MailError {
  return new MailError('server', code, text, cause);
}

/** The machine is at fault and not this program: a disk that is full or fails, no more files or memory. That passes (RFC 5530 §3). */
const EXHAUSTED = /^(E(NOSPC|DQUOT|IO|MFILE|NFILE|NOMEM|AGAIN|ROFS)$|SQLITE_(FULL|IOERR|CANTOPEN|NOMEM))/;

/** Any thrown value as a MailError; foreign errors become `serverbug` with the original as cause. */
export function asMailError(thrown: unknown): MailError {
  if (thrown instanceof MailError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (code.startsWith('SQLITE_BUSY')) {
    return new MailError('server', 'unavailable', 'the mailbox is busy; try again', thrown);
  }
  if (EXHAUSTED.test(code)) {
    return new MailError('server', 'unavailable', `the system cannot do this now (${code})`, thrown);
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return new MailError('server', 'corruption', 'the mailbox is damaged; it is looked at', thrown);
  }
  return new MailError('server', 'serverbug', `internal error: ${text}`, thrown);
}
