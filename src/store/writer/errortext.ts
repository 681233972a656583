/** What is said of errors. */
import { MailError, serverError } from '../../errors.ts';

/** The sentence of any thrown value, for log lines and reasons. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What somebody whose change failed is answered. */
export function asAnswer(error: unknown): MailError {
  return error instanceof MailError
    ? error
    : serverError(`the change failed and nothing was changed: ${errorText(error)}`, error);
}
