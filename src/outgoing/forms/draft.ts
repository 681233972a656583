/** A message of our own in the making: fields, then a body; every line ends with CRLF and no text can add a field. */

import { foldedField, messageDate, phrase, quotedPrintable, textField } from '../../mime/encode.ts';
import { messageOf, type OutgoingMessage } from '../envelope.ts';
import { international } from '../smtp/parameters.ts';

/** When and as what a message is made. */
export interface Stamp {
  readonly now: Date;
  /** Without brackets; never given twice. */
  readonly messageId: string;
  readonly servername: string;
}

/** An address with the name of its owner; Unicode. */
export interface Mailbox {
  readonly name: string;
  /** addr-spec */
  readonly address: string;
}

/** A body with the fields that describe it. */
export interface Entity {
  /** Whole lines of ASCII, each with its CRLF. */
  readonly fields: string;
  /** Bytes as characters. */
  readonly body: string;
}

export class Draft {
  /** Bytes as characters. */
  #header = '';
  #smtputf8 = false;

  /** A field of text. Of a name that is none nothing is added. */
  text(name: string, text: string): this {
    if (isFieldName(name)) this.#header += textField(name, text);
    return this;
  }

  /** A field of ASCII words. */
  words(name: string, value: string): this {
    this.#header += foldedField(name, value);
    return this;
  }

  /** Addresses. Those beyond ASCII make the message one for SMTPUTF8 (RFC 6532). */
  addresses(name: string, mailboxes: readonly Mailbox[]): this {
    const list = mailboxes.map((mailbox) => {
      const address = mailbox.address.replace(/[\x00-\x20\x7f<>,;]/g, '');
      return mailbox.name === '' ? address : `${phrase(mailbox.name)} <${address}>`;
    }).join(', ');
    this.#smtputf8 ||= international(list);
    this.#header += foldedField(name, Buffer.from(list, 'utf8').toString('latin1'));
    return this;
  }

  /** Date and Message-ID. */
  stamp({ now, messageId, servername }: Stamp): this {
    this.#header += `Date: ${messageDate(now)}\r\nMessage-ID: <${messageId}@${servername}>\r\n`;
    return this;
  }

  /** Lines that are fields already. @param lines bytes as characters, each with its CRLF */
  lines(lines: string): this {
    this.#header += lines;
    return this;
  }

  finish({ fields, body }: Entity): OutgoingMessage {
    const bytes = Buffer.from(`${this.#header}MIME-Version: 1.0\r\n${fields}\r\n${body}`, 'latin1');
    return { ...messageOf(bytes), smtputf8: this.#smtputf8 };
  }
}

/** Text as a part of its own: 7bit where that does, else quoted-printable. */
export function textEntity(text: string): Entity {
  const lines = text.replace(/\r\n|\r|\n/g, '\r\n').replace(/\0/g, '');
  const ended = lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
  const plain = /^[\x01-\x7f]*$/.test(ended) && !/[^\r\n]{999}/.test(ended);
  const encoding = plain ? '7bit' : 'quoted-printable';
  return {
    fields: `Content-Type: text/plain; charset=${plain ? 'us-ascii' : 'utf-8'}\r\n` +
      `Content-Transfer-Encoding: ${encoding}\r\n`,
    body: plain ? ended : quotedPrintable(Buffer.from(ended, 'utf8')),
  };
}

/** Parts together. @param type subtype and parameters of multipart/… without the boundary */
export function multipart(type: string, parts: readonly Entity[], stamp: Stamp): Entity {
  let boundary = `=_${stamp.messageId.replace(/[^A-Za-z0-9]/g, '')}`.slice(0, 60);
  // A message that is returned may hold anything, also our own boundary.
  while (parts.some(({ body }) => body.includes(`--${boundary}`))) boundary += 'x';
  const eightBit = parts.some(({ body }) => /[^\x00-\x7f]/.test(body));
  return {
    fields: `Content-Type: multipart/${type};\r\n boundary="${boundary}"\r\n` +
      `Content-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}\r\n`,
    body: parts.map(({ fields, body }) => `--${boundary}\r\n${fields}\r\n${body}\r\n`).join('') +
      `--${boundary}--\r\n`,
  };
}

/** RFC 5322 §3.6.8 */
export function isFieldName(name: string): boolean {
  return /^[!-9;-~]{1,76}$/.test(name);
}
