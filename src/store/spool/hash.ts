/** The SHA-256 of a file, read in blocks: messages can be larger than memory should be. */
import { closeSync, constants, openSync, readSync } from 'node:fs';

const BLOCK = 1024 * 1024;

/** Hex digest and size; null where the file is missing or cannot be read. */
export function hashOfFile(path: string): { hash: string; size: number } | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return null;
  }
  try {
    const hasher = new Bun.CryptoHasher('sha256');
    const block = Buffer.allocUnsafe(BLOCK);
    let size = 0;
    for (;;) {
      const count = readSync(fd, block, 0, BLOCK, size);
      if (count === 0) return { hash: hasher.digest('hex'), size };
      hasher.update(block.subarray(0, count));
      size += count;
    }
  } catch {
    return null; // a sector that cannot be read
  } finally {
    closeSync(fd);
  }
}
