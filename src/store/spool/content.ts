/** Reading a stored message: positioned reads on the open file, no more in memory than was asked for. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { userError } from '../../errors.ts';
import type { MessageContent } from '../border.ts';
import { errno } from './spool.ts';

export class FileContent implements MessageContent {
  readonly size: number;
  private fd: number;

  /** Throws 'nonexistent' when the file is gone: the message was expunged and its grace is over. */
  constructor(path: string) {
    try {
      this.fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (errno(error) === 'ENOENT') throw userError('nonexistent', 'The message has been removed');
      throw error;
    }
    this.size = fstatSync(this.fd).size;
  }

  read(start: number, end: number): Uint8Array {
    const from = Math.max(0, Math.min(start, this.size));
    const to = Math.max(from, Math.min(end, this.size));
    const bytes = Buffer.allocUnsafe(to - from);
    let at = 0;
    while (at < bytes.length) {
      const count = readSync(this.fd, bytes, at, bytes.length - at, from + at);
      if (count === 0) break;
      at += count;
    }
    return at === bytes.length ? bytes : bytes.subarray(0, at);
  }

  close(): void {
    if (this.fd < 0) return;
    closeSync(this.fd);
    this.fd = -1;
  }
}
