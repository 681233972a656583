/**
 * The batch: unit of writing, syncing and checking of the redo log (DESIGN rule 5).
 *
 *     u32 magic | u32 payload length | u64 first LSN | u32 records | u32 0 | u64 checksum | payload
 *
 * The checksum covers the 24 bytes before it and the payload and is seeded with the segment's random id, so
 * neither an older batch left in a reused block nor message text that looks like a batch can pass for one.
 */

export const BATCH_MAGIC = 0x4854_4142; // "BATH"
export const BATCH_HEADER = 32;

/** One checked batch inside a segment's bytes. */
export interface Batch {
  firstLsn: number;
  count: number;
  payload: Buffer;
  end: number;
}

function checksum(header: Uint8Array, payload: Uint8Array, segmentId: bigint): bigint {
  return Bun.hash.xxHash64(payload, Bun.hash.xxHash64(header, segmentId));
}

/** Encodes a batch of already framed records. */
export function encodeBatch(records: readonly Buffer[], firstLsn: number, segmentId: bigint): Buffer {
  let length = 0;
  for (const record of records) length += record.length;
  const out = Buffer.allocUnsafe(BATCH_HEADER + length);
  out.writeUInt32LE(BATCH_MAGIC, 0);
  out.writeUInt32LE(length, 4);
  out.writeBigUInt64LE(BigInt(firstLsn), 8);
  out.writeUInt32LE(records.length, 16);
  out.writeUInt32LE(0, 20);
  let at = BATCH_HEADER;
  for (const record of records) {
    out.set(record, at);
    at += record.length;
  }
  out.writeBigUInt64LE(checksum(out.subarray(0, 24), out.subarray(BATCH_HEADER), segmentId), 24);
  return out;
}

/** The batch at `at` if it is whole and its checksum is right, else null. */
export function decodeBatch(bytes: Buffer, at: number, segmentId: bigint): Batch | null {
  if (bytes.length - at < BATCH_HEADER || bytes.readUInt32LE(at) !== BATCH_MAGIC) return null;
  const length = bytes.readUInt32LE(at + 4);
  const end = at + BATCH_HEADER + length;
  if (end > bytes.length) return null;
  const payload = bytes.subarray(at + BATCH_HEADER, end);
  const sum = checksum(bytes.subarray(at, at + 24), payload, segmentId);
  if (sum !== bytes.readBigUInt64LE(at + 24)) return null;
  return {
    firstLsn: Number(bytes.readBigUInt64LE(at + 8)),
    count: bytes.readUInt32LE(at + 16),
    payload,
    end,
  };
}

/**
 * Offset of the next valid batch behind `at` that follows on records which are missing, or -1. Used to tell damage from the end of
 * the log: space that was never synced may hold anything after a loss of power, also a batch that stands before, or the one that
 * was being written.
 * @param expected the LSN that the next record has
 */
export function findBatchBehind(bytes: Buffer, at: number, segmentId: bigint, expected: number): number {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(BATCH_MAGIC, 0);
  for (let next = bytes.indexOf(magic, at + 1); next !== -1; next = bytes.indexOf(magic, next + 1)) {
    const batch = decodeBatch(bytes, next, segmentId);
    if (batch !== null && batch.firstLsn > expected) return next;
  }
  return -1;
}
