/** Giving a message file its bytes back: found by whoever asks (reconstruct/mend.ts), put in place here, between two batches. */
import { chmodSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../log/segment.ts';
import type { Writer } from './writer.ts';

export interface Mending {
  owner: number;
  part: number;
  partition: string;
  /** Name of the file in the owner's folder. */
  file: string;
  /** A durable file with the bytes, verified. */
  stage: string;
}

/** Puts a file back between two batches. False, and nothing is changed, when the part has gone meanwhile. */
export function mend(writer: Writer, mending: Mending): Promise<boolean> {
  return new Promise((resolve, reject) => {
    writer.betweenBatches(() => {
      try {
        resolve(mendFile(writer, mending));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function mendFile(writer: Writer, { owner: id, part, partition, file, stage }: Mending): boolean {
  const { directory, owners, spool } = writer.state;
  const owner = directory.ownerById(id);
  const known = owner !== null &&
    owners.open(owner).sql('SELECT 1 FROM part WHERE id = ? AND file = ?').get(part, file) !== null;
  if (!known) {
    spool.remove(stage);
    return false;
  }
  const path = spool.path(partition, owner.folder, file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  chmodSync(stage, 0o600);
  // Over the damaged one: who reads that reads on, and other names of it stay as they are.
  renameSync(stage, path);
  syncFolder(dirname(path));
  return true;
}
