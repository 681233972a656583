/** A message on its way to another address (RFC 5228 §4.2): the same bytes, with a line in front that tells of it. */

import { foldedField, oneLine } from '../../mime/encode.ts';
import { eachField, latin1, unfold } from '../../mime/header.ts';
import { isOneOf } from '../responder.ts';

/** Names whose script forwarded the message; by it a loop is known when it comes back. */
const FIELD = 'X-Sieve-Redirected-From';

/**
 * The message to send, in pieces: without Return-Path, which whoever delivers finally writes (RFC 5321 §4.4), and with the line
 * in front; everything else to the byte.
 * @param message its bytes in order; the first piece has the whole header
 * @param owner the address whose script forwards it
 */
export function redirected([first, ...others]: readonly Uint8Array[], owner: string): Uint8Array[] {
  const message = first ?? new Uint8Array(0);
  const fields: Uint8Array[] = [
    Buffer.from(foldedField(FIELD, Buffer.from(oneLine(owner), 'utf8').toString('latin1')), 'latin1'),
  ];
  const rest = eachField(message, (start, nameEnd, _valueStart, end) => {
    if (latin1(message, start, nameEnd).toLowerCase() !== 'return-path') {
      fields.push(message.subarray(start, end));
    }
  });
  return [Buffer.concat(fields), message.subarray(rest), ...others].filter(({ length }) => length > 0);
}

/** True for a message that a script of this address has forwarded before. */
export function wasRedirectedBy(header: Uint8Array, owner: string): boolean {
  let found = false;
  eachField(header, (start, nameEnd, valueStart, end) => {
    if (latin1(header, start, nameEnd).toLowerCase() !== FIELD.toLowerCase()) return true;
    const value = Buffer.from(unfold(latin1(header, valueStart, end)), 'latin1').toString('utf8');
    found = isOneOf(value, [owner]);
    return !found;
  });
  return found;
}
