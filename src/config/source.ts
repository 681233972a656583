import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { limits } from '../limits.ts';
import { ConfigError } from './finding.ts';

/** A configuration file as it was read. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** Permission bits, to see who else can read secrets. */
  readonly mode: number;
}

/**
 * Reads a configuration file. Old imapd.conf files have comments in Latin-1: with `latin1` such a file is read
 * as that where it is not UTF-8. Throws a `config` error that names the file and the reason.
 */
export function readSource(file: string, latin1 = false): Source {
  const fail = (text: string) => new ConfigError([{ file, line: 0, key: '', text }]);
  let fd: number;
  try {
    // A fifo must not hold up the start.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    throw fail(openProblem(thrown));
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw fail('is not a file');
    const bytes = Buffer.alloc(limits.config_file.value + 1);
    let length = 0;
    for (;;) {
      const count = readSync(fd, bytes, length, bytes.length - length, null);
      length += count;
      if (count === 0 || length === bytes.length) break;
    }
    if (length > limits.config_file.value) {
      throw fail(`is larger than ${limits.config_file.value} bytes; this is not a configuration file`);
    }
    return { file, text: decode(bytes.subarray(0, length), latin1, fail), mode: stat.mode & 0o7777 };
  } finally {
    closeSync(fd);
  }
}

function decode(bytes: Uint8Array, latin1: boolean, fail: (text: string) => Error): string {
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    let line = 1;
    for (let at = 0; at < nul; at++) if (bytes[at] === 0x0a) line++;
    throw fail(`has a NUL byte in line ${line}; this is not a text file`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    if (latin1) return Buffer.from(bytes).toString('latin1');
    throw fail('is not UTF-8');
  }
}

function openProblem(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'cannot be read: permission denied';
  return `cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
}
