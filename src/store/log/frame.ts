/**
 * The one framing of the store: a JSON head and raw blobs. Log records and the messages between worker and
 * writer are both made of it, so a record can be sent as it was logged.
 *
 *     u32 length of what follows | u32 head length | head (UTF-8 JSON) | u32 count | count x (u32 length, bytes)
 *
 * All numbers are little endian.
 */

/** A head as parsed from JSON; whoever reads it narrows it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A decoded frame. Blobs are views into the buffer they were read from. */
export interface Frame {
  head: unknown;
  blobs: Uint8Array[];
  /** Offset behind the frame. */
  end: number;
}

const HEAD_AT = 8;

/** Encodes one frame. `head` must be JSON-serializable; blobs are copied. */
export function encodeFrame(head: unknown, blobs: readonly Uint8Array[]): Buffer {
  const text = JSON.stringify(head);
  const headLength = Buffer.byteLength(text);
  let total = HEAD_AT + headLength + 4;
  for (const blob of blobs) total += 4 + blob.length;
  const out = Buffer.allocUnsafe(total);
  out.writeUInt32LE(total - 4, 0);
  out.writeUInt32LE(headLength, 4);
  out.write(text, HEAD_AT, 'utf8');
  let at = HEAD_AT + headLength;
  out.writeUInt32LE(blobs.length, at);
  at += 4;
  for (const blob of blobs) {
    out.writeUInt32LE(blob.length, at);
    out.set(blob, at + 4);
    at += 4 + blob.length;
  }
  return out;
}

/** Length of the whole frame starting at `at`, or 0 when its first four bytes are not there yet. */
export function frameLength(buffer: Buffer, at: number): number {
  return buffer.length - at < 4 ? 0 : buffer.readUInt32LE(at) + 4;
}

/** Decodes the frame at `at`. Throws on lengths that do not fit: the bytes are not a frame. */
export function decodeFrame(buffer: Buffer, at: number): Frame {
  const end = at + buffer.readUInt32LE(at) + 4;
  const headLength = buffer.readUInt32LE(at + 4);
  let from = at + HEAD_AT + headLength;
  if (end > buffer.length || from + 4 > end) throw new RangeError('frame lengths do not fit');
  const head: unknown = JSON.parse(buffer.toString('utf8', at + HEAD_AT, from));
  const count = buffer.readUInt32LE(from);
  from += 4;
  const blobs: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    if (from + 4 > end) throw new RangeError('frame lengths do not fit');
    const length = buffer.readUInt32LE(from);
    from += 4;
    if (from + length > end) throw new RangeError('frame lengths do not fit');
    blobs.push(buffer.subarray(from, from + length));
    from += length;
  }
  return { head, blobs, end };
}

/** Splits a byte stream into frames. Bounded: a frame larger than `limit` bytes throws. */
export class FrameReader {
  private chunks: Buffer[] = [];
  private size = 0;
  /** Bytes that have to be there before it is worth looking again. */
  private wanted = 4;

  constructor(private readonly limit: number) {}

  /** Takes the next bytes of the stream and calls `take` for each complete frame, in order. */
  push(chunk: Buffer, take: (frame: Frame) => void): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size < this.wanted) return;
    const buffer = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
    let at = 0;
    for (;;) {
      const length = frameLength(buffer, at);
      if (length > this.limit) throw new RangeError(`frame of ${length} bytes exceeds ${this.limit}`);
      if (length === 0 || buffer.length - at < length) {
        this.wanted = length === 0 ? 4 : length;
        break;
      }
      const frame = decodeFrame(buffer, at);
      at = frame.end;
      take(frame);
    }
    this.chunks = at === buffer.length ? [] : [buffer.subarray(at)];
    this.size = buffer.length - at;
  }
}
