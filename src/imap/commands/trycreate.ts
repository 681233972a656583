import { asMailError } from '../../errors.ts';
import { CodedError } from '../respond.ts';

/**
 * Says [TRYCREATE] where APPEND, COPY or MOVE failed because the destination is not there (RFC 9051 §6.3.12, §6.4.7):
 * also where the user may not know that it is, so that the two cannot be told apart.
 */
export function tryCreate(thrown: unknown): unknown {
  const error = asMailError(thrown);
  return error.code === 'nonexistent' ? new CodedError(error, 'TRYCREATE') : thrown;
}
