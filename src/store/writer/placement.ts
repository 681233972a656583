/**
 * The files of a batch: made together, off the main thread, before the batch's records are written. A creation waits for the
 * file system's journal now and then; one after the other on the main thread they would cost more than everything else.
 *
 * Invariants
 * 1. When `placeFiles` resolves, every file of every context exists; when it rejects, no work on files goes on any more, so that
 *    the caller can remove what was made.
 * 2. Bodies are written first, links are made then, in order: a link may be to a file of the same batch.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { serverError } from '../../errors.ts';
import type { PartData } from '../log/events.ts';
import { errno, type Spool } from '../spool/spool.ts';
import { step } from '../step.ts';

/** A file that has to exist before its record is logged. */
export interface PlannedFile {
  readonly path: string;
  readonly part: PartData;
  /** First file of the record with the same content: shares its blocks. Null when this is the first. */
  readonly shared: string | null;
}

/** What one change wants made; its blobs hold the bodies. */
export interface PlannedFiles {
  readonly planned: readonly PlannedFile[];
  readonly blobs: readonly Uint8Array[];
}

/** Makes all files of a batch. Rejects with the first failure after everything else has ended. */
export async function placeFiles(all: readonly PlannedFiles[], spool: Spool): Promise<void> {
  const writes: Promise<void>[] = [];
  const links: { from: string; to: string; size: number }[] = [];
  for (const { planned, blobs } of all) {
    for (const { path, part, shared } of planned) {
      const { source, size } = part;
      if (shared !== null) links.push({ from: shared, to: path, size });
      else if ('stage' in source) links.push({ from: source.stage, to: path, size });
      else if ('link' in source) links.push({ from: source.link, to: path, size });
      else writes.push(write(path, blobs[source.blob], spool));
    }
  }
  const ended = await Promise.allSettled(writes);
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  for (const { from, to, size } of links) {
    spool.link(from, to, size);
    step('file.linked');
  }
}

async function write(path: string, bytes: Uint8Array | undefined, spool: Spool): Promise<void> {
  if (bytes === undefined) throw serverError(`the record of ${path} lacks its body`);
  for (let made = false;; made = true) {
    try {
      await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
      step('file.written');
      return;
    } catch (error) {
      const code = errno(error);
      if (code === 'ENOENT' && !made) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      else if (code === 'EEXIST') {
        // Left by a record that was never logged: the LSN was not used.
        spool.create(path, bytes);
        return;
      } else throw error;
    }
  }
}
