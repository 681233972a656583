/** Whether a script may be stored, and what is said about it (RFC 5804 §2.6, §2.12). */

import { limitError, type MailError } from '../errors.ts';
import { formatDiagnostic } from '../sieve/diagnostic.ts';
import type { Language } from './language.ts';
import { no, ok } from './write.ts';

/** More than so many findings nobody reads at once. */
const TOLD = 50;

/** OK, OK (WARNINGS) or NO, with the findings by line and column, one a line. */
export function checkScript(language: Language, script: Uint8Array): string {
  if (script.length === 0) return no('The script is empty');
  const found = language.check(script);
  const errors = found.filter(({ severity }) => severity === 'error');
  const text = (errors.length > 0 ? errors : found).slice(0, TOLD).map(formatDiagnostic).join('\r\n');
  if (errors.length > 0) return no(text);
  return text === '' ? ok() : ok(text, 'WARNINGS');
}

/** @throws MailError 'toobig' where a script of this many bytes is too long (§1.3 QUOTA/MAXSIZE) */
export function refuseTooLong(bytes: number, most: number): void {
  if (bytes > most) throw tooLong(most);
}

export function tooLong(most: number): MailError {
  return limitError(`A script has at most ${most} bytes`, 'toobig');
}
