/** A message on its way to another address (RFC 5228 §4.2): the same bytes, with a line in front that tells of it. */

import { foldedField, oneLine } from '../../mime/encode.ts';
import { eachField, latin1, unfold } from '../../mime/header.ts';
import { isOneOf } from '../responder.ts';

/** Names whose script forwarded the message; by it a loop is known when it comes back. */
const FIELD = 'X-Sieve-Redirected-From';

/**
 * The header to send in the place of the message's own: without Return-Path, which whoever delivers finally writes (RFC 5321
 * §4.4), and with the line in front.
 * @param header with its final empty line; as edited by the script
 * @param owner the address whose script forwards it
 */
export function redirectHeader(header: Uint8Array, owner: string): Buffer {
  const pieces: Uint8Array[] = [
    Buffer.from(foldedField(FIELD, Buffer.from(oneLine(owner), 'utf8').toString('latin1')), 'latin1'),
  ];
  const rest = eachField(header, (start, nameEnd, _valueStart, end) => {
    if (latin1(header, start, nameEnd).toLowerCase() !== 'return-path') {
      pieces.push(header.subarray(start, end));
    }
  });
  pieces.push(header.subarray(rest));
  return Buffer.concat(pieces);
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
