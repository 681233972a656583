/** What reports have in common: the part for programs (RFC 3464, RFC 8098), and how it names addresses (RFC 6533). */

import { foldedField, messageDate, oneLine } from '../../mime/encode.ts';
import { headerField } from '../../mime/header.ts';
import { international } from '../smtp/parameters.ts';
import type { Entity, Stamp } from './draft.ts';
import type { Original } from './original.ts';

/** The fields about the message, with the empty line behind them (RFC 3464 §2.2). @param envid of MAIL, RFC 3461 §4.4 */
export function messageStatus({ servername, now }: Stamp, envid?: string): string {
  return (envid === undefined ? '' : foldedField('Original-Envelope-Id', envid)) +
    foldedField('Reporting-MTA', `dns; ${servername}`) + `Arrival-Date: ${messageDate(now)}\r\n\r\n`;
}

/** RFC 6533 §3, §4: an address beyond ASCII needs a form and a media type of its own. */
export function machinePart(subtype: string, fields: string, address: string): Entity {
  const global = international(address) ? 'global-' : '';
  const encoding = global === '' ? '7bit' : '8bit';
  return {
    fields: `Content-Type: message/${global}${subtype}\r\nContent-Transfer-Encoding: ${encoding}\r\n`,
    body: fields,
  };
}

/** Type and address (RFC 3464 §2.3). */
export function addressField(name: string, address: string): string {
  const type = international(address) ? 'utf-8' : 'rfc822';
  return foldedField(name, `${type}; ${Buffer.from(oneLine(address), 'utf8').toString('latin1')}`);
}

/** A reference to the message that is reported on, or nothing where it has no id. */
export function referenceLines({ header }: Original): string {
  const id = headerField(header, 'Message-ID');
  return id === null || !/^<[!-~]{1,900}>$/.test(id) ? '' : `References: ${id}\r\n`;
}
