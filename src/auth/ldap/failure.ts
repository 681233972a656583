/** What can go wrong with a directory, told apart: only `credentials` and `missing` say something about a user. */

import { InvalidCredentialsError, NoSuchObjectError, ResultCodeError, SizeLimitExceededError } from 'ldapts';

export type FailureKind =
  | 'unreachable' // no connection, a time-out, a connection that broke
  | 'credentials' // the bind was refused: the name or the secret is wrong
  | 'missing' // there is no such entry
  | 'many' // more entries than were asked for
  | 'denied' // proxied authorization is not allowed for that user
  | 'refused'; // any other answer that is not success

/** RFC 4370 §6. */
const AUTHORIZATION_DENIED = 123;

export class DirectoryFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, text: string, cause?: unknown) {
    super(text, cause === undefined ? undefined : { cause });
    this.name = 'DirectoryFailure';
    this.kind = kind;
  }
}

/** Whatever an operation threw, with what was being done in front. */
export function directoryFailure(thrown: unknown, doing: string): DirectoryFailure {
  if (thrown instanceof DirectoryFailure) return thrown;
  const text = `${doing}: ${thrown instanceof Error ? thrown.message.trim() : String(thrown)}`;
  if (!(thrown instanceof ResultCodeError)) return new DirectoryFailure('unreachable', text, thrown);
  if (thrown instanceof InvalidCredentialsError) return new DirectoryFailure('credentials', text, thrown);
  if (thrown instanceof NoSuchObjectError) return new DirectoryFailure('missing', text, thrown);
  if (thrown instanceof SizeLimitExceededError) return new DirectoryFailure('many', text, thrown);
  const denied = thrown.code === AUTHORIZATION_DENIED;
  return new DirectoryFailure(denied ? 'denied' : 'refused', `${text} (${thrown.code})`, thrown);
}
