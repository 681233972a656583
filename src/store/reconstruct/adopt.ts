/** Adding message files that no row names to an owner's INBOX. */
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { Change } from '../writer/requests.ts';
import { foundMessages } from './fromspool.ts';

/** What asks the writer for a change. */
export type Asking = (change: Change, blobs: readonly Uint8Array[]) => Promise<unknown>;

/** Adopts files of all partitions. Returns how many became messages, and those whose bytes are not what they were. */
export async function adoptFiles(
  settings: Settings,
  { userid, folder }: Pick<OwnerRow, 'userid' | 'folder'>,
  ask: Asking,
  wanted?: (path: string) => boolean,
): Promise<{ adopted: number; damaged: string[] }> {
  const damaged: string[] = [];
  let adopted = 0;
  for (const [partition, root] of Object.entries(settings.partition)) {
    const found = foundMessages(partition, join(root, folder), (path) => damaged.push(path), wanted);
    for (const { messages, structures } of found) {
      const answer = await ask({ op: 'adopt', userid, path: '', messages }, structures) as {
        adopted: number;
      };
      adopted += answer.adopted;
    }
  }
  return { adopted, damaged };
}
