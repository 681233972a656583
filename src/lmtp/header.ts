/** What delivery must know of a message's own header before it puts lines in front. Pure; latin1 strings. */

/** Ranges [start, end) of bytes. */
export type Range = readonly [start: number, end: number];

export interface HeaderFacts {
  /** False when the first line is no header field: everything is body then, and a separating line is due. */
  readonly isHeader: boolean;
  readonly hasMessageId: boolean;
  /** Number of Received fields, or of Delivered-To fields if there are more: the hops so far (RFC 5321 §6.3). */
  readonly hops: number;
  /** Whole Return-Path fields: only the last delivery's own may stay (RFC 5321 §4.4). */
  readonly returnPaths: readonly Range[];
  /** The id by which the newest hop, our client, logged the message, or ''. */
  readonly peerQueueId: string;
  readonly eightBit: boolean;
}

/** RFC 5322 §2.2 field name; obsolete syntax allows white space before the colon. mbox lines pass as header. */
const FIRST_FIELD = /^(?:[\x21-\x39\x3b-\x7e]+[ \t]*:|>?From |\r?\n|$)/;
const FIELDS = /(?:^|\n)(received|return-path|message-id|delivered-to)[ \t]*:/gi;
const QUEUE_ID = /\sid\s+([A-Za-z0-9][A-Za-z0-9._-]{2,63})(?=[\s;]|$)/i;

/**
 * Length of the header at the start of `bytes` with its empty line, or -1 if that has not come. The empty line may
 * end in a bare LF. Looks from `from` on, which may be anywhere before the end of what was looked at already.
 */
export function headerEnd(bytes: Buffer, length: number, from: number): number {
  if (from === 0) {
    if (length >= 1 && bytes[0] === 10) return 1;
    if (length >= 2 && bytes[0] === 13 && bytes[1] === 10) return 2;
  }
  const view = length === bytes.length ? bytes : bytes.subarray(0, length);
  const start = Math.max(0, from - 3);
  const crlf = view.indexOf('\n\r\n', start);
  const lf = view.subarray(0, crlf < 0 ? length : crlf).indexOf('\n\n', start);
  if (lf >= 0) return lf + 2;
  return crlf < 0 ? -1 : crlf + 3;
}

/** Reads the header's text; linear in its length. */
export function readHeader(header: string): HeaderFacts {
  const returnPaths: Range[] = [];
  let hasMessageId = false;
  let hops = 0;
  let deliveries = 0;
  let peerQueueId = '';
  const isHeader = FIRST_FIELD.test(header);
  if (isHeader) {
    FIELDS.lastIndex = 0;
    for (let found = FIELDS.exec(header); found !== null; found = FIELDS.exec(header)) {
      const name = (found[1] as string).toLowerCase();
      if (name === 'message-id') hasMessageId = true;
      else if (name === 'delivered-to') deliveries++;
      else if (name === 'received') {
        hops++;
        if (hops === 1) {
          const start = FIELDS.lastIndex;
          peerQueueId = QUEUE_ID.exec(header.slice(start, fieldEnd(header, start)))?.[1] ?? '';
        }
      } else {
        const start = found[0][0] === '\n' ? found.index + 1 : found.index;
        const end = fieldEnd(header, start);
        returnPaths.push([start, end]);
        // The next field may begin with the line feed that ends this one.
        FIELDS.lastIndex = end - 1;
      }
    }
  }
  hops = Math.max(hops, deliveries);
  return { isHeader, hasMessageId, hops, returnPaths, peerQueueId, eightBit: /[\x80-\xff]/.test(header) };
}

/** Offset behind the field that begins at or before `at`: behind its last folded line (RFC 5322 §2.2.3). */
function fieldEnd(header: string, at: number): number {
  for (;;) {
    const lf = header.indexOf('\n', at);
    if (lf < 0) return header.length;
    at = lf + 1;
    const next = header.charCodeAt(at);
    if (next !== 32 && next !== 9) return at;
  }
}
