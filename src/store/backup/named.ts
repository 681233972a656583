/** Everything the manifests of some runs name: files by name, messages by the hash of their content. */
import { join } from 'node:path';
import { Contents } from '../index/contents.ts';
import { CopiedDatabase } from '../index/copied.ts';
import type { Manifest } from './manifest.ts';
import { fetchBytes, fetchFile, hashOf } from './restore/fetch.ts';
import { Tail } from './tail.ts';
import type { Target } from './target.ts';

/** What whoever looks through the runs may look at beside. `userid` is '' for directory.db. */
export interface Looker {
  /** A copy, fetched with the right hash. */
  database?(path: string, userid: string, name: string): void;
  /** Something could not be read or is not what was saved. Without this it is thrown. */
  failed?(name: string, error: unknown): void;
}

/** @param work an empty folder; what is returned is in a file there */
export async function namedBy(
  target: Target,
  runs: readonly Manifest[],
  work: string,
  looker: Looker = {},
): Promise<{ files: Map<string, number>; contents: Contents }> {
  const files = new Map<string, number>();
  const contents = new Contents(join(work, 'contents.db'));
  const path = join(work, 'copy.db');
  const attempt = async (name: string, look: () => Promise<void>) => {
    try {
      await look();
    } catch (error) {
      if (looker.failed === undefined) throw error;
      looker.failed(name, error);
    }
  };
  try {
    for (const { head, owners } of runs) {
      const databases = [
        { ...head.directory, userid: '' },
        ...owners.map(({ index, userid }) => ({ ...index, userid })),
      ];
      for (const { name, size, userid } of databases) {
        // Most runs name the same copies of most users.
        if (files.has(name)) continue;
        files.set(name, size);
        await attempt(name, async () => {
          await fetchFile(target, name, hashOf(name), path);
          looker.database?.(path, userid, name);
          if (userid === '' && name === head.directory.name) return;
          const copy = new CopiedDatabase(path);
          try {
            for (const page of copy.parts(0)) for (const part of page) contents.add(part);
          } finally {
            copy.close();
          }
        });
      }
      const tail = new Tail(owners, owners, head.directory.lsn);
      const found: { owner: number; id: number; hash: string; size: number }[] = [];
      for (const { name, sha256, size } of head.log) {
        files.set(name, size);
        await attempt(name, async () => {
          for (const { owner, part } of tail.take(name, await fetchBytes(target, name, sha256))) {
            found.push({ owner: owner.id, id: part.id, hash: part.hash, size: part.size });
          }
        });
      }
      for (const part of found) if (!tail.isPurged(part.owner, part.id)) contents.add(part);
    }
    return { files, contents };
  } catch (error) {
    contents.close();
    throw error;
  }
}
