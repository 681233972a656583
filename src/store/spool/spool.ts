/**
 * The spool: one immutable file per message and owner, in `<partition>/<owner folder>/<group>/<hash>.<unique>`.
 *
 * Invariants
 * 1. A name is never used twice: the unique part is made of the LSN. A file is created under its final name with
 *    O_EXCL and never written again; it counts only once a row names it (DESIGN, what is on disk).
 * 2. Durability of small bodies comes from the redo log; `syncPartition` makes everything in a partition durable before
 *    the log lets go of it (DESIGN rules 6 and 7). Large bodies lie durably in the stage and are hard-linked.
 * 3. Only the writer creates final names and unlinks.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { serverError } from '../../errors.ts';
import { syncFolder } from '../log/segment.ts';

/** Code of a failed system call, '' for other errors. */
export function errno(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Parts whose files share a folder: few folders to make (each is an inode and a block), none that is slow to list. */
const GROUP = 4096;

/**
 * Name of a new part's file inside the owner's folder: `<group>/<hash>.<unique>`. The unique part is LSN and part id in base 36.
 * Stores of before have `<2 hex of the hash>/` in its place; every part keeps the name its row has.
 */
export function partFile(hash: string, lsn: number, part: number): string {
  const group = Math.floor(part / GROUP).toString(16).padStart(4, '0');
  return `${group}/${hash.slice(0, 40)}.${lsn.toString(36)}-${part.toString(36)}`;
}

/** The LSN of the record a message file was made for, from its name; NaN where it is not of that form. */
export function partFileLsn(path: string): number {
  const match = /\.([0-9a-z]+)-[0-9a-z]+$/.exec(path);
  return match?.[1] === undefined ? NaN : parseInt(match[1], 36);
}

/** Whether an entry of an owner's folder is a folder of message files. */
export function isPartFolder(name: string): boolean {
  return /^([0-9a-f]{2}|[0-9a-f]{4,})$/.test(name);
}

export class Spool {
  constructor(private readonly partitions: Readonly<Record<string, string>>) {}

  /** Absolute folder of a partition. */
  partition(name: string): string {
    const folder = this.partitions[name];
    if (folder === undefined) {
      throw serverError(`partition ${name} is named by a message but not by the configuration`);
    }
    return folder;
  }

  /** Absolute folders of all partitions. */
  get folders(): readonly string[] {
    return Object.values(this.partitions);
  }

  /** A partition may be new; a large body in it is durable before the first checkpoint only if its folder's name is. */
  syncNames(): void {
    for (const folder of this.folders) syncFolder(dirname(folder));
  }

  /** Absolute path of a part's file. */
  path(partition: string, ownerFolder: string, file: string): string {
    return join(this.partition(partition), ownerFolder, file);
  }

  /** The same of a place as the index names it: partition, slash, file. No partition has a slash in its name. */
  placed(place: string, ownerFolder: string): string {
    const slash = place.indexOf('/');
    return `${this.partition(place.slice(0, slash))}/${ownerFolder}/${place.slice(slash + 1)}`;
  }

  /** Writes a new file. An existing one of the same size is the same file (replay); any other is an error. */
  create(path: string, bytes: Uint8Array): void {
    let fd: number;
    try {
      fd = openSync(path, 'wx', 0o600);
    } catch (error) {
      if (errno(error) === 'ENOENT') {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        fd = openSync(path, 'wx', 0o600);
      } else if (errno(error) === 'EEXIST') {
        if (statSync(path).size === bytes.length) return;
        // A file of a record that was being written when the power went: the name is this record's alone.
        fd = openSync(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600);
      } else throw error;
    }
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
    } catch (error) {
      unlinkSync(path);
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** Gives an existing file a second name: shared blocks where the file system can, a copy where not. */
  link(from: string, to: string, size: number): void {
    for (let made = false;; made = true) {
      try {
        linkSync(from, to);
        return;
      } catch (error) {
        const code = errno(error);
        if (code === 'ENOENT' && !made && existsSync(from)) {
          mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
        } else if (code === 'EEXIST') {
          if (statSync(to).size === size) return;
          unlinkSync(to);
        } else if (code === 'EXDEV' || code === 'EMLINK') {
          try {
            // Not synced, as little as a link or a small body is: the source stays until a checkpoint has this one.
            copyFileSync(from, to, constants.COPYFILE_EXCL);
          } catch (failure) {
            this.remove(to);
            throw failure;
          }
          return;
        } else throw error;
      }
    }
  }

  /** Removes a file; that it is gone already is fine. */
  remove(path: string): void {
    try {
      unlinkSync(path);
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error;
    }
  }
}
