import type { MessageContent } from '../../store/border.ts';
import type { Pop3Session } from '../session.ts';
import { DotEncoder } from '../stuffing.ts';
import { asciiHeader } from '../surrogate.ts';

/** Bytes read and sent at a time. */
const PIECE = 64 * 1024;
/** A header longer than this is sent as it is: nobody's mail program wrote it. */
const LONGEST_HEADER = 1024 * 1024;
const END_OF_HEADER = Buffer.from('\r\n\r\n');

/**
 * A message from its beginning up to octet `end`, dot-stuffed and with its end; the header in ASCII unless the client speaks
 * UTF8 (RFC 6856 §2.1). One piece at a time, as fast as the client takes them.
 */
export async function writeContent(
  session: Pop3Session,
  content: MessageContent,
  end: number,
): Promise<void> {
  const encoder = new DotEncoder();
  let at = 0;
  if (!session.utf8) {
    const length = headerLength(content, end);
    if (length <= LONGEST_HEADER) {
      const header = Buffer.from(content.read(0, length));
      at = length;
      if (!await session.send(encoder.push(asciiHeader(header)))) return;
    }
  }
  while (at < end) {
    const piece = content.read(at, Math.min(end, at + PIECE));
    if (piece.length === 0) break;
    at += piece.length;
    if (!await session.send(encoder.push(piece))) return;
  }
  session.write(encoder.end());
}

/** Octets up to and with the empty line; all of the message where there is none. */
export function headerLength(content: MessageContent, end: number): number {
  for (let at = 0; at < end; at += PIECE - 3) {
    const piece = Buffer.from(content.read(at, Math.min(end, at + PIECE)));
    if (at === 0 && piece[0] === 13 && piece[1] === 10) return 2;
    const found = piece.indexOf(END_OF_HEADER);
    if (found >= 0) return at + found + 4;
  }
  return end;
}

/** The octet behind the first `lines` lines of the body (TOP). */
export function endOfLines(content: MessageContent, lines: number): number {
  let at = headerLength(content, content.size);
  let left = lines;
  while (left > 0 && at < content.size) {
    const piece = Buffer.from(content.read(at, Math.min(content.size, at + PIECE)));
    if (piece.length === 0) break;
    let from = 0;
    while (left > 0) {
      const lf = piece.indexOf(10, from);
      if (lf < 0) break;
      from = lf + 1;
      left--;
    }
    at += left === 0 ? from : piece.length;
  }
  return at;
}
