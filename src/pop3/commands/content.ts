import { MailError } from '../../errors.ts';
import type { MessageContent } from '../../store/border.ts';
import type { Pop3Session } from '../session.ts';
import { DotEncoder } from '../stuffing.ts';
import { asciiHeader } from '../surrogate.ts';

/** Bytes read and sent at a time; a message of at most this many goes out in one piece, without a turn of its own. */
const PIECE = 64 * 1024;
/** A header longer than this is sent as it is: nobody's mail program wrote it. */
const LONGEST_HEADER = 1024 * 1024;
const END_OF_HEADER = Buffer.from('\r\n\r\n');

/** What small messages are read into: its bytes have left or been copied before the next one comes. */
const scratch = Buffer.allocUnsafeSlow(PIECE);

/**
 * An answer and a message up to octet `end`, dot-stuffed and with its end; the header in ASCII unless the client speaks UTF8
 * (RFC 6856 §2.1). As fast as the client takes it: a promise only where that is not at once.
 */
export function writeContent(
  session: Pop3Session,
  answer: string,
  content: MessageContent,
  end: number,
): Promise<void> | undefined {
  if (end > PIECE) return writeLarge(session, answer, content, end);
  const bytes = scratch.subarray(0, end);
  if (content.readInto(bytes, 0) < end) throw damaged();
  const encoder = new DotEncoder();
  session.write(answer);
  let body: Buffer = bytes;
  if (!session.utf8) {
    const header = bytes.subarray(0, headerEnd(bytes));
    const ascii = asciiHeader(header);
    if (ascii !== header) {
      session.write(encoder.push(ascii));
      body = bytes.subarray(header.length);
    }
  }
  session.write(encoder.push(body));
  return session.send(encoder.end());
}

async function writeLarge(
  session: Pop3Session,
  answer: string,
  content: MessageContent,
  end: number,
): Promise<void> {
  session.write(answer);
  const encoder = new DotEncoder();
  let at = 0;
  if (!session.utf8) {
    const length = headerLength(content, end);
    if (length <= LONGEST_HEADER) {
      const header = Buffer.from(content.read(0, length));
      at = length;
      await session.send(encoder.push(asciiHeader(header)));
    }
  }
  while (at < end && session.open) {
    const piece = content.read(at, Math.min(end, at + PIECE));
    if (piece.length === 0) {
      // The client must not take for whole what is not: no end is sent, the connection is.
      session.connection.destroy();
      throw damaged();
    }
    at += piece.length;
    await session.send(encoder.push(piece));
  }
  session.write(encoder.end());
}

function damaged(): MailError {
  return new MailError('server', 'corruption', 'The file of the message is shorter than it was');
}

/** Octets up to and with the empty line; all of the message where there is none. */
export function headerLength(content: MessageContent, end: number): number {
  for (let at = 0; at < end; at += PIECE - 3) {
    const piece = Buffer.from(content.read(at, Math.min(end, at + PIECE)));
    const found = at === 0 ? headerEnd(piece) : piece.indexOf(END_OF_HEADER) + END_OF_HEADER.length;
    if (found < piece.length && found >= (at === 0 ? 0 : END_OF_HEADER.length)) return at + found;
  }
  return end;
}

/** The same within bytes; their length where the header does not end in them. */
function headerEnd(bytes: Buffer): number {
  if (bytes[0] === 13 && bytes[1] === 10) return 2;
  const found = bytes.indexOf(END_OF_HEADER);
  return found < 0 ? bytes.length : found + END_OF_HEADER.length;
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
