/**
 * The files of a batch: made together before the batch's records are written. Making a small file takes some 40 us, less than
 * to have it done by another thread: two thirds of a creation are the file system's work, and its locks let one through at a time.
 *
 * Invariants
 * 1. When `placeFiles` returns, every file of every context exists; when it throws, the caller removes what was made.
 * 2. Files of one record come in order: a link may be to a file of the same batch.
 */
import { serverError } from '../../errors.ts';
import type { PartData } from '../log/events.ts';
import type { Spool } from '../spool/spool.ts';
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

/** Makes all files of a batch. Throws with the first failure. */
export function placeFiles(all: readonly PlannedFiles[], spool: Spool): void {
  for (const { planned, blobs } of all) {
    for (const { path, part: { source, size }, shared } of planned) {
      if (shared === null && 'blob' in source) {
        const bytes = blobs[source.blob];
        if (bytes === undefined) throw serverError(`the record of ${path} lacks its body`);
        spool.create(path, bytes);
        step('file.written');
      } else {
        const from = shared ?? ('stage' in source ? source.stage : 'link' in source ? source.link : '');
        spool.link(from, path, size);
        step('file.linked');
      }
    }
  }
}
