/**
 * Modified UTF-7, the form of mailbox names before ENABLE (RFC 3501 §5.1.3): printable ASCII stands for itself, `&-` for
 * `&`, everything else is UTF-16 in base64 with `,` for `/`, between `&` and `-`.
 *
 * The codec is strict: each name has exactly one encoded form, so two encoded names never mean one mailbox.
 */

/** Printable ASCII, the characters that stand for themselves; `&` is among them and is written `&-`. */
const DIRECT = /^[\x20-\x7e]*$/;
const SHIFT = /&([A-Za-z0-9+,]*)-/g;
const ENCODED = /[^\x20-\x7e]+/g;

/** The name behind its encoded form (latin1), or null where that is not what `encodeMutf7` would write. */
export function decodeMutf7(encoded: string): string | null {
  if (!DIRECT.test(encoded)) return null;
  if (!encoded.includes('&')) return encoded;
  const name = encoded.replace(SHIFT, (_shift, base64: string) => base64 === '' ? '&' : utf16(base64));
  return name.isWellFormed() && encodeMutf7(name) === encoded ? name : null;
}

/** The encoded form of a name, ASCII. The name must be well-formed Unicode. */
export function encodeMutf7(name: string): string {
  if (DIRECT.test(name)) return name.includes('&') ? name.replaceAll('&', '&-') : name;
  return name.replaceAll('&', '&-').replace(ENCODED, (run) => {
    const base64 = Buffer.from(run, 'utf16le').swap16().toString('base64');
    return `&${base64.replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}

/** UTF-16 big-endian in modified base64. What is cut or padded wrongly does not survive the way back. */
function utf16(base64: string): string {
  const bytes = Buffer.from(base64.replaceAll(',', '/'), 'base64');
  return bytes.subarray(0, bytes.length & ~1).swap16().toString('utf16le');
}
