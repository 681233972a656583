/** Names of Sieve scripts (RFC 5804 §1.6). They are rows, never paths, so a slash or dots mean nothing. */
import { userError } from '../errors.ts';
import { limits } from '../limits.ts';

/** Controls, DELETE, and the line and paragraph separators. */
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * @returns the name itself
 * @throws MailError 'cannot', with the reason in words
 */
export function checkScriptName(name: string): string {
  if (name === '') throw userError('cannot', 'The script name is empty');
  if (!name.isWellFormed() || name !== name.normalize('NFC')) {
    throw userError('cannot', 'The script name is not normalized Unicode (NFC)');
  }
  if (FORBIDDEN.test(name)) throw userError('cannot', 'A script name cannot hold control characters');
  if (Buffer.byteLength(name) > limits.store_script_name.value) {
    throw userError('cannot', `The script name is longer than ${limits.store_script_name.value} bytes`);
  }
  return name;
}
