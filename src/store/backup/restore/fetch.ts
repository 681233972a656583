/** Bringing files of a target here, with their hashes compared on the way. */
import { mkdirSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MailError } from '../../../errors.ts';
import type { Target } from '../target.ts';

function damaged(target: Target, name: string): MailError {
  return new MailError(
    'server',
    'corruption',
    `${name} in ${target.text} does not have the bytes that were saved; "mailstore backup verify" finds all such files`,
  );
}

/**
 * Fetches a file under its final name, whole or not at all; not synced, that comes for all together. `fresh` is a path on the
 * same file system to write it to.
 */
export async function fetchFile(
  target: Target,
  name: string,
  sha256: string,
  path: string,
  fresh = `${path}.restoring`,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const hash = new Bun.CryptoHasher('sha256');
  const file = await open(fresh, 'w', 0o600);
  try {
    try {
      for await (const block of target.read(name)) {
        hash.update(block);
        for (let at = 0; at < block.length;) {
          at += (await file.write(block, at, block.length - at)).bytesWritten;
        }
      }
    } finally {
      await file.close();
    }
    if (hash.digest('hex') !== sha256) throw damaged(target, name);
    await rename(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

/** Fetches a file into memory: a piece of the log, which is as large as a segment at most. */
export async function fetchBytes(target: Target, name: string, sha256: string): Promise<Buffer> {
  const blocks: Uint8Array[] = [];
  for await (const block of target.read(name)) blocks.push(block);
  const bytes = Buffer.concat(blocks);
  if (new Bun.CryptoHasher('sha256').update(bytes).digest('hex') !== sha256) throw damaged(target, name);
  return bytes;
}

/** The hash that is the last part of a content's name. */
export function hashOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
