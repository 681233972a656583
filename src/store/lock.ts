/** The exclusive lock on the log folder: one writer, whoever it is (DESIGN rule 11). The kernel lets go with the process. */
import { dlopen } from 'bun:ffi';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { serverError } from '../errors.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

export interface StoreLock {
  release(): void;
}

/** glibc's name first, then musl's. */
const NAMES = ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`];

function openLibrary() {
  let failure: unknown;
  for (const name of NAMES) {
    try {
      return dlopen(name, {
        flock: { args: ['int', 'int'], returns: 'int' },
        syncfs: { args: ['int'], returns: 'int' },
        posix_fallocate: { args: ['int', 'i64', 'i64'], returns: 'int' },
      });
    } catch (error) {
      failure = error;
    }
  }
  throw serverError(`the C library could not be opened (${NAMES.join(', ')})`, failure);
}

let library: ReturnType<typeof openLibrary> | null = null;

/** Makes everything written to the file system of `folder` durable; throws when the kernel reports a lost write. */
export function syncFileSystem(folder: string): void {
  library ??= openLibrary();
  const fd = openSync(folder, 'r');
  try {
    if (library.symbols.syncfs(fd) !== 0) throw serverError(`syncfs of ${folder} failed: data may be lost`);
  } finally {
    closeSync(fd);
  }
}

/** Gives a file its blocks on the disk, from the start to `size`; false when there is no space for them. */
export function allocate(fd: number, size: number): boolean {
  library ??= openLibrary();
  return library.symbols.posix_fallocate(fd, 0, size) === 0;
}

/** Takes the lock, or returns null while another process has it. */
export function tryLock(logFolder: string): StoreLock | null {
  mkdirSync(logFolder, { recursive: true, mode: 0o700 });
  return lockFile(join(logFolder, 'lock'));
}

/** Locks a file, made where it is missing; null while another process has it. */
export function lockFile(path: string): StoreLock | null {
  library ??= openLibrary();
  const fd = openSync(path, 'a', 0o600);
  if (library.symbols.flock(fd, LOCK_EX | LOCK_NB) === 0) return { release: () => closeSync(fd) };
  closeSync(fd);
  return null;
}
