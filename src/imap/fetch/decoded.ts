/**
 * A part with its transfer encoding undone, in pieces: the whole of it never stands in memory. The length of a
 * literal stands in front of it, so a part is gone through twice, once to count.
 */

import type { TransferEncoding } from '../../mime/bodystructure.ts';
import { decodeQuotedPrintable } from '../../mime/transfer.ts';
import type { MessageContent } from '../../store/border.ts';

/** Encoded bytes taken at a time. */
const BLOCK = 256 * 1024;

/** Longest line of quoted-printable kept together; RFC 2045 §6.7 allows 76 characters. */
const MAX_LINE = 64 * 1024;

const LF = 10;

/** The decoded bytes of [start, end) of a message, piece by piece. A piece is valid until the next is asked for. */
export function* decodedPieces(
  content: MessageContent,
  start: number,
  end: number,
  encoding: TransferEncoding,
): Generator<Uint8Array> {
  if (encoding === 'BASE64') yield* base64Pieces(content, start, end);
  else if (encoding === 'QUOTED-PRINTABLE') yield* quotedPrintablePieces(content, start, end);
  else for (let at = start; at < end; at += BLOCK) yield content.read(at, Math.min(end, at + BLOCK));
}

/** RFC 2045 §6.8: characters outside the alphabet are ignored, padding ends the data. */
function* base64Pieces(content: MessageContent, start: number, end: number): Generator<Uint8Array> {
  let rest = '';
  for (let at = start; at < end; at += BLOCK) {
    const block = content.read(at, Math.min(end, at + BLOCK));
    let text = rest + Buffer.from(block.buffer, block.byteOffset, block.length).toString('latin1');
    const padding = text.indexOf('=');
    if (padding >= 0) text = text.slice(0, padding);
    text = text.replace(/[^A-Za-z0-9+/]+/g, '');
    const whole = padding >= 0 || at + BLOCK >= end ? text.length : text.length - (text.length % 4);
    rest = text.slice(whole);
    yield Buffer.from(text.slice(0, whole), 'base64');
    if (padding >= 0) return;
  }
}

/** Lines are decoded each by itself, so blocks are cut at line ends. */
function* quotedPrintablePieces(content: MessageContent, start: number, end: number): Generator<Uint8Array> {
  let at = start;
  while (at < end) {
    const block = content.read(at, Math.min(end, at + BLOCK));
    let length = block.length;
    if (length === 0) return;
    if (at + length < end) {
      const cut = block.lastIndexOf(LF) + 1;
      // A line longer than that is cut anywhere: at worst one escape of garbage stays undecoded.
      if (cut > 0 && length - cut < MAX_LINE) length = cut;
    }
    yield decodeQuotedPrintable(block.subarray(0, length));
    at += length;
  }
}

/**
 * The number of decoded bytes, and whether one of them is NUL (then only a literal8 can carry them). `pause` is awaited
 * between pieces: a large part takes longer than one turn.
 */
export async function measure(
  pieces: Iterable<Uint8Array>,
  pause: () => Promise<void> | undefined,
): Promise<{ size: number; hasNul: boolean }> {
  let size = 0;
  let hasNul = false;
  for (const piece of pieces) {
    size += piece.length;
    hasNul ||= piece.includes(0);
    await pause();
  }
  return { size, hasNul };
}
