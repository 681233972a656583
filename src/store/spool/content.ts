/** Reading a stored message: positioned reads on the open file, no more in memory than was asked for. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { userError } from '../../errors.ts';
import type { MessageContent } from '../border.ts';
import { errno } from './spool.ts';

export class FileContent implements MessageContent {
  private fd: number;

  /**
   * `size` is what the index says. The file is not asked for its own: that would be one more system call per message, and a
   * file that was cut short shows when it is read. Throws 'nonexistent' when it is gone: the message was expunged and its
   * grace is over.
   */
  constructor(path: string, readonly size: number) {
    try {
      this.fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (errno(error) === 'ENOENT') throw userError('nonexistent', 'The message has been removed');
      throw error;
    }
  }

  read(start: number, end: number): Uint8Array {
    const from = Math.max(0, Math.min(start, this.size));
    const to = Math.max(from, Math.min(end, this.size));
    const bytes = Buffer.allocUnsafe(to - from);
    const count = this.readInto(bytes, from);
    return count === bytes.length ? bytes : bytes.subarray(0, count);
  }

  readInto(target: Uint8Array, start: number): number {
    const wanted = Math.min(target.length, Math.max(0, this.size - start));
    let at = 0;
    while (at < wanted) {
      const count = readSync(this.fd, target, at, wanted - at, start + at);
      if (count === 0) break;
      at += count;
    }
    return at;
  }

  close(): void {
    if (this.fd < 0) return;
    closeSync(this.fd);
    this.fd = -1;
  }
}
