/** MIME entities that scripts make (RFC 5703 §5, §6). All is ASCII, so that it fits into whatever it becomes part of. */

import { isAscii } from 'node:buffer';
import { createHash } from '../../crypto.ts';
import { quotedPrintable } from '../../mime/encode.ts';

/** A text/plain entity of Unicode text, header and content; its line ends become CRLF. */
export function textEntity(text: string): string {
  const lines = text.replace(/\r\n|\r|\n/g, '\r\n');
  if (isPlain(lines)) return `Content-Type: text/plain; charset=us-ascii\r\n\r\n${lines}`;
  return 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n' +
    quotedPrintable(Buffer.from(lines));
}

/** ASCII without controls or lines that may not travel (RFC 5322 §2.1.1). */
function isPlain(text: string): boolean {
  return !/[^\t\r\n\x20-\x7e]/.test(text) && !/[^\n]{997}/.test(text);
}

/** A delimiter that does not stand in any of the contents; the same for the same contents. */
export function boundaryFor(contents: readonly Uint8Array[]): string {
  for (let attempt = 0;; attempt++) {
    const hash = createHash('sha256').update(String(attempt));
    for (const content of contents) hash.update(content);
    const boundary = `=_${hash.digest('base64url').slice(0, 40)}`;
    if (
      !contents.some((content) =>
        Buffer.from(content.buffer, content.byteOffset, content.length).includes(boundary)
      )
    ) {
      return boundary;
    }
  }
}

/** What a message is enclosed in. */
export interface Enclosure {
  /** Fields of the new message, with their line ends, but for those of MIME. */
  readonly fields: readonly Uint8Array[];
  /** Unicode. */
  readonly text: string;
}

/** A multipart/mixed of a text and a message (RFC 5703 §6). */
export function enclosed(message: Uint8Array, { fields, text }: Enclosure): Uint8Array {
  const entity = Buffer.from(textEntity(text));
  const boundary = boundaryFor([entity, message]);
  const encoding = isAscii(message) ? '' : 'Content-Transfer-Encoding: 8bit\r\n';
  return Buffer.concat([
    ...fields,
    Buffer.from(
      `MIME-Version: 1.0\r\n${encoding}Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n--${boundary}\r\n`,
    ),
    entity,
    Buffer.from(
      `\r\n--${boundary}\r\nContent-Type: message/rfc822\r\n${encoding}Content-Disposition: attachment\r\n\r\n`,
    ),
    message,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}
