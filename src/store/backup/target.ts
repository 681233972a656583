/**
 * Where backups go: a flat set of immutable files under names with slashes, whatever keeps them.
 *
 *     objects/ab/<sha256>            one message, stored once however many users have it
 *     index/ab/<sha256>              a verified copy of an owner's index.db or of directory.db
 *     log/<first>-<last>-<hash>      records of the redo log
 *     runs/<time>-<lsn>              the manifest of a complete backup, written last
 *
 * Invariants
 * 1. Under a name stands either the whole file or nothing; a file is never changed.
 * 2. What `put` was given has the hash it was announced with, else nothing is stored.
 * 3. After `settle` everything put before is durable.
 */
import { createReadStream } from 'node:fs';

/** One file of a target. */
export interface TargetEntry {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** What is put: a local file, or bytes that are in memory anyway. */
export type Source = { readonly path: string } | { readonly bytes: Uint8Array };

/** Held while somebody changes the target. */
export interface TargetLock {
  release(): Promise<void>;
}

export interface Target {
  /** As the administrator wrote it; never holds a secret. */
  readonly text: string;
  /** Bytes of a file, or null where there is none. */
  size(name: string): Promise<number | null>;
  /** Stores a file. Throws 'corruption' when the source has another hash, 'unavailable' when it cannot be stored. */
  put(name: string, source: Source, sha256: string): Promise<void>;
  /** The bytes of a file in order. Throws 'nonexistent' where there is none, 'unavailable' when it cannot be read. */
  read(name: string): AsyncIterable<Uint8Array>;
  /** Files whose names begin with `prefix`, in the order of their names. */
  list(prefix: string): AsyncIterable<TargetEntry>;
  remove(name: string): Promise<void>;
  settle(): Promise<void>;
  /** Throws 'inuse' while another backup or prune works on the target. */
  lock(): Promise<TargetLock>;
}

const BLOCK = 256 * 1024;

/** The bytes of a source, a block at a time. */
export function blocksOf(source: Source): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return 'bytes' in source ? [source.bytes] : createReadStream(source.path, { highWaterMark: BLOCK });
}

/** SHA-256 of a source, hex, and its size. */
export async function digestOf(source: Source): Promise<{ sha256: string; size: number }> {
  const hash = new Bun.CryptoHasher('sha256');
  let size = 0;
  for await (const block of blocksOf(source)) {
    hash.update(block);
    size += block.length;
  }
  return { sha256: hash.digest('hex'), size };
}

/** Name of a message by the hash of its bytes. */
export function objectName(sha256: string): string {
  return `objects/${sha256.slice(0, 2)}/${sha256}`;
}

/** Name of the copy of a database by the hash of its bytes. */
export function indexName(sha256: string): string {
  return `index/${sha256.slice(0, 2)}/${sha256}`;
}
