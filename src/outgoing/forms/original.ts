/** The message that another one answers, reports or forwards. */

import { decodeHeader } from '../../mime/encodedword.ts';
import { eachField, headerField, latin1, unfold } from '../../mime/header.ts';
import { messageIds } from '../../mime/messageid.ts';
import { type Entity, isFieldName } from './draft.ts';

export interface Original {
  /** The header with its final empty line, as it was received; without what was edited since. */
  readonly header: Uint8Array;
  /** All of it, where it is small enough to be returned; null where it is not. */
  readonly whole: Uint8Array | null;
  /** MAIL FROM without brackets, '' for the null path; Unicode. */
  readonly sender: string;
  /** RCPT TO without brackets; Unicode. */
  readonly recipient: string;
}

/** The text of a field, decoded; null where there is none. */
export function textOf(original: Original, name: string): string | null {
  const value = headerField(original.header, name);
  return value === null ? null : decodeHeader(value);
}

/** In-Reply-To and References of an answer (RFC 5322 §3.6.4); lines, or '' where the original has no Message-ID. */
export function threadLines({ header }: Original): string {
  const [id] = messageIds(headerField(header, 'Message-ID'));
  if (id === undefined || !isId(id)) return '';
  const inReplyTo = messageIds(headerField(header, 'In-Reply-To')).filter(isId);
  let references = messageIds(headerField(header, 'References')).filter(isId);
  if (references.length === 0 && inReplyTo.length === 1) references = inReplyTo;
  return `In-Reply-To: ${id}\r\nReferences: ${[...references, id].join('\r\n ')}\r\n`;
}

/** Received fields as they stand (RFC 5436 §2.7). */
export function receivedLines({ header }: Original): string {
  let lines = '';
  eachField(header, (start, nameEnd, _valueStart, end) => {
    if (latin1(header, start, nameEnd).toLowerCase() === 'received') {
      lines += crlf(latin1(header, start, end));
    }
  });
  return lines;
}

/** The message as a part of a report: all of it, else its header (RFC 6522 §3, §4). */
export function returned({ header, whole }: Original, headersOnly = false): Entity {
  const bytes = headersOnly || whole === null ? header : whole;
  const body = crlf(latin1(bytes, 0, bytes.length));
  const encoding = /[^\x00-\x7f]/.test(body) ? '8bit' : '7bit';
  const type = bytes === whole ? 'message/rfc822' : 'text/rfc822-headers';
  return { fields: `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n`, body };
}

/** All fields in order, by name in lower case, with their values; for rules that look at many. */
export function fieldsOf(header: Uint8Array): (readonly [name: string, value: string])[] {
  const fields: (readonly [string, string])[] = [];
  eachField(header, (start, nameEnd, valueStart, end) => {
    const name = latin1(header, start, nameEnd);
    if (isFieldName(name)) fields.push([name.toLowerCase(), unfold(latin1(header, valueStart, end))]);
  });
  return fields;
}

function isId(id: string): boolean {
  return /^<[!-;=?-~]{1,990}>$/.test(id);
}

/** With CRLF at every line's end; a CR or LF alone ends a line, too. */
function crlf(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '\r\n');
}
