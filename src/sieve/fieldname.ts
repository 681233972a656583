import { printable } from './lexer.ts';

/** What is wrong with the name of a header field (RFC 5322 §2.2: printable ASCII but the colon), or null. */
export function fieldNameWrong(name: string): string | null {
  if (/^[!-9;-~]{1,76}$/.test(name)) return null;
  return `the field name "${printable(name)}" is invalid: expected printable ASCII without blanks and ':'`;
}
