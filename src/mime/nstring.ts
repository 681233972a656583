/**
 * Strings as IMAP writes them. Everything here is latin1: one char stands for one byte, so that a rendered
 * ENVELOPE can be stored and sent without an encoding step.
 */
import { limits } from '../limits.ts';

/** Longer strings travel as literals: readers of quoted strings often have a line buffer behind them. */
const LONGEST_QUOTED = 1024;

/**
 * RFC 9051 §4.3 `string`: quoted where that is possible, else a literal `{n}\r\n...`. NUL may stand in neither
 * (§9 CHAR8), so it becomes a space. Beyond `limits.mime_string` the string is cut.
 */
export function imapString(value: string): string {
  let text = value;
  if (text.length > LONGEST_QUOTED) {
    if (text.length > limits.mime_string.value) text = text.slice(0, limits.mime_string.value);
    return literal(text);
  }
  let escapes = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 126 || (c < 32 && c !== 9)) return literal(text);
    if (c === 34 || c === 92) escapes = true;
  }
  return escapes ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}

/** RFC 9051 §4.5 `nstring`: NIL for null. */
export function nstring(value: string | null): string {
  return value === null ? 'NIL' : imapString(value);
}

function literal(text: string): string {
  return `{${text.length}}\r\n${text.includes('\0') ? text.replaceAll('\0', ' ') : text}`;
}

/**
 * ASCII letters in upper case, other bytes as they are. (String.toUpperCase takes 0xFF or 0xB5 beyond what is a byte.)
 */
export function upperAscii(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
  }
  return text.toUpperCase();
}
