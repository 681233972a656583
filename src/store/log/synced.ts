/**
 * How far the log was synced, kept in a file beside it. A segment that was cut short, or the newest one when it is gone, looks like
 * a log that ends there; this mark tells that it went on (DESIGN rule 5).
 *
 *     "MSSYNC1\n" | u64 LSN | u64 checksum
 *
 * It is written after each sync of the log and without one of its own: after the death of the process it is right, after a loss of
 * power it may be behind or torn, but it is never ahead of what was synced. Where it is missing or damaged it says nothing, so
 * nothing that fails here stops anybody.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const MAGIC = Buffer.from('MSSYNC1\n', 'latin1');
const LENGTH = 24;

function pathIn(folder: string): string {
  return join(folder, 'synced');
}

function checksum(bytes: Buffer): bigint {
  return Bun.hash.xxHash64(bytes.subarray(0, 16), 4n);
}

/** The LSN up to which records of this log were durable; 0 where nobody knows. */
export function readSynced(folder: string): number {
  let bytes: Buffer;
  try {
    bytes = readFileSync(pathIn(folder));
  } catch {
    return 0; // it says nothing
  }
  const whole = bytes.length >= LENGTH && bytes.subarray(0, 8).equals(MAGIC) &&
    bytes.readBigUInt64LE(16) === checksum(bytes);
  return whole ? Number(bytes.readBigUInt64LE(8)) : 0;
}

/** The mark of a log that is open for appending. */
export class SyncedMark {
  private readonly bytes = Buffer.alloc(LENGTH);
  private readonly fd: number | null;

  constructor(folder: string) {
    MAGIC.copy(this.bytes);
    let fd: number | null = null;
    try {
      fd = openSync(pathIn(folder), constants.O_RDWR | constants.O_CREAT, 0o600);
    } catch {
      // It stays behind.
    }
    this.fd = fd;
  }

  /** Everything up to this LSN is durable. */
  note(lsn: number): void {
    if (this.fd === null) return;
    this.bytes.writeBigUInt64LE(BigInt(lsn), 8);
    this.bytes.writeBigUInt64LE(checksum(this.bytes), 16);
    try {
      writeSync(this.fd, this.bytes, 0, LENGTH, 0);
    } catch {
      // It stays behind.
    }
  }

  close(): void {
    if (this.fd !== null) closeSync(this.fd);
  }
}
