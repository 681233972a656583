/** MAIL and RCPT with the parameters of the extensions the server has. */

import type { DeliverBy, DsnNotify, Envelope, OutgoingMessage, OutgoingRecipient } from '../envelope.ts';

/** Keywords of EHLO in upper case with their parameters. */
export type Extensions = ReadonlyMap<string, string>;

/** How the body is announced. BINARYMIME goes with BDAT alone (RFC 3030 §3). */
export type BodyType = '' | '8BITMIME' | 'BINARYMIME';

/** Whether an address can only be said by SMTPUTF8 (RFC 6531 §3.3). */
export function international(address: string): boolean {
  return /[^\x00-\x7f]/.test(address);
}

/** The MAIL command; one character per byte. */
export function mailCommand(envelope: Envelope, message: OutgoingMessage, extensions: Extensions): string {
  let line = `MAIL FROM:<${bytes(envelope.sender)}>`;
  if (extensions.has('SIZE')) line += ` SIZE=${message.size}`;
  if (message.eightBit && extensions.has('8BITMIME')) line += ' BODY=8BITMIME';
  if (needsSmtpUtf8(envelope, message)) line += ' SMTPUTF8';
  if (extensions.has('DSN')) {
    if (envelope.ret !== undefined) line += ` RET=${envelope.ret}`;
    if (envelope.envid !== undefined) line += ` ENVID=${xtext(envelope.envid)}`;
  }
  const { deliverBy } = envelope;
  if (deliverBy !== undefined && takesDeliverBy(deliverBy, extensions)) line += ` BY=${byValue(deliverBy)}`;
  return line;
}

/** The RCPT command; one character per byte. */
export function rcptCommand(
  recipient: OutgoingRecipient,
  { deliverBy }: Pick<Envelope, 'deliverBy'>,
  extensions: Extensions,
): string {
  let line = `RCPT TO:<${bytes(recipient.address)}>`;
  if (!extensions.has('DSN')) return line;
  const untimed = deliverBy !== undefined && !takesDeliverBy(deliverBy, extensions);
  const notify = untimed ? withDelay(recipient.notify) : recipient.notify;
  if (notify !== undefined) line += ` NOTIFY=${notify.join(',')}`;
  const [type, address] = splitOnce(recipient.originalRecipient ?? '', ';');
  // RFC 3461 §4.2, RFC 6533 §3: an address beyond ASCII has a form of its own.
  if (address !== '' && !international(address)) line += ` ORCPT=${type};${xtext(address)}`;
  else if (address !== '' && extensions.has('SMTPUTF8')) line += ` ORCPT=utf-8;${unitext(address)}`;
  return line;
}

/** Whether the message or a path of it can only go by SMTPUTF8. */
export function needsSmtpUtf8(envelope: Envelope, message: OutgoingMessage): boolean {
  return message.smtputf8 || international(envelope.sender) ||
    envelope.recipients.some(({ address }) => international(address));
}

/** RFC 2852 §4.1.4.2: who cannot have it in time wants to know that it is late. */
function withDelay(notify: DsnNotify | undefined): DsnNotify {
  if (notify === undefined) return ['FAILURE', 'DELAY'];
  return notify.includes('NEVER') || notify.includes('DELAY') ? notify : [...notify, 'DELAY'];
}

/** RFC 2852 §3: the parameter of the extension is the least time the server takes. */
export function takesDeliverBy(by: DeliverBy, extensions: Extensions): boolean {
  const least = extensions.get('DELIVERBY');
  return least !== undefined && (by.mode === 'notify' || by.seconds >= Math.max(1, Number(least) || 0));
}

function byValue({ seconds, mode, trace }: DeliverBy): string {
  return `${seconds};${mode === 'return' ? 'R' : 'N'}${trace ? 'T' : ''}`;
}

/** RFC 3461 §4: everything but printable ASCII, and + and =, as +HH. */
export function xtext(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1').replace(
    /[^!-*,-<>-~]/g,
    (char) => `+${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** RFC 6533 §3 utf-8-addr-unitext: as xtext, with characters beyond ASCII as they are. */
function unitext(text: string): string {
  return bytes(
    text.replace(/[\x00-\x20\x7f+=\\]/g, (char) => `\\x{${char.charCodeAt(0).toString(16).toUpperCase()}}`),
  );
}

/** UTF-8 as a string of one character per byte. Control characters, which would begin another command, do not get through. */
function bytes(text: string): string {
  return Buffer.from(text.replace(/[\x00-\x1f\x7f]/g, ''), 'utf8').toString('latin1');
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? ['rfc822', text] : [text.slice(0, at), text.slice(at + 1)];
}
