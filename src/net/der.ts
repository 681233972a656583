/** DER (X.690), as far as certificates and lists of revoked ones are made of it. */

import { syntaxError } from '../errors.ts';

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

export const SEQUENCE = 0x30;

/** The content of the one element there is, of this tag. @throws MailError 'badsyntax' */
export function only(bytes: Uint8Array, tag: number): Uint8Array {
  const found = elements(bytes);
  if (found.length !== 1 || found[0]?.tag !== tag) throw syntaxError('not what a certificate is made of');
  return found[0].content;
}

/** The first element, of this tag. @throws MailError 'badsyntax' */
export function first(bytes: Uint8Array, tag: number): Element {
  const found = elements(bytes)[0];
  if (found === undefined || found.tag !== tag) throw syntaxError('not what a certificate is made of');
  return found;
}

/** The elements in a row of bytes (X.690 §8.1): definite lengths, tags of one byte. @throws MailError 'badsyntax' */
export function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] as number;
    let length = bytes[at++];
    if (length === undefined || (tag & 0x1f) === 0x1f) throw syntaxError('not DER');
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 3 || at + count > bytes.length) throw syntaxError('not DER');
      length = 0;
      for (let index = 0; index < count; index++) length = length << 8 | (bytes[at++] as number);
    }
    if (at + length > bytes.length) throw syntaxError('not DER');
    found.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}
