/**
 * What recovery has to know of a closed segment whose records are all applied: which owners it has records of, and which files
 * were purged in it. It lies beside the segment so that a restart need not read the segment itself.
 *
 * It says nothing the segment does not say. One that is missing, torn or not of this segment is made anew from the segment, so
 * it is written without a sync.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RecordHead } from './record.ts';

/** Files whose parts were purged: [partition, file] each. They go when a checkpoint has the purge (DESIGN rule 6). */
export interface Purge {
  readonly lsn: number;
  readonly owner: number;
  readonly files: readonly (readonly [string, string])[];
}

interface Written {
  readonly segment: string;
  readonly last: number;
  readonly directory: number;
  readonly owners: readonly (readonly [number, number])[];
  readonly purges: readonly Purge[];
}

export class Summary {
  /** The LSN of each owner's last record. */
  readonly owners = new Map<number, number>();
  /** The LSN of the last record of directory.db. */
  directory = 0;
  /** In the order of their LSNs. */
  readonly purges: Purge[] = [];

  /** Takes the next record. */
  note(head: RecordHead): void {
    if (head.d !== undefined) this.directory = head.l;
    for (const { o: owner, e } of head.s) {
      this.owners.set(owner, head.l);
      for (const event of e) {
        if (event.k !== 'purge' || event.files.length === 0) continue;
        this.purges.push({ lsn: head.l, owner, files: event.files });
      }
    }
  }

  /** Takes what a later segment says, as far as it is above a checkpoint. */
  take(later: Summary, checkpoint: number): void {
    for (const [owner, lsn] of later.owners) if (lsn > checkpoint) this.owners.set(owner, lsn);
    if (later.directory > this.directory) this.directory = later.directory;
    for (const purge of later.purges) if (purge.lsn > checkpoint) this.purges.push(purge);
  }
}

function pathOf(segment: string): string {
  return segment.replace(/\.log$/, '.sum');
}

/** What the text is checked against: a summary that was not written to its end must not pass. */
function checksum(text: string): string {
  return Bun.hash.xxHash64(text, 3n).toString(16).padStart(16, '0');
}

/** @param id the segment's own @param last LSN of its last record @throws what the file system says: nothing depends on it */
export function writeSummary(segment: string, id: bigint, last: number, summary: Summary): void {
  const { directory, owners, purges } = summary;
  const written: Written = { segment: id.toString(16), last, directory, owners: [...owners], purges };
  const text = JSON.stringify(written);
  writeFileSync(pathOf(segment), `${checksum(text)}\n${text}`, { mode: 0o600 });
}

/** The summary of a segment that ends with this LSN; null where there is none that can be believed. */
export function readSummary(segment: string, id: bigint, last: number): Summary | null {
  let bytes: string;
  try {
    bytes = readFileSync(pathOf(segment), 'utf8');
  } catch {
    return null; // it is made anew
  }
  const text = bytes.slice(17);
  if (bytes.slice(0, 17) !== `${checksum(text)}\n`) return null;
  const written = JSON.parse(text) as Written;
  if (written.segment !== id.toString(16) || written.last !== last) return null;
  const summary = new Summary();
  for (const [owner, lsn] of written.owners) summary.owners.set(owner, lsn);
  summary.directory = written.directory;
  summary.purges.push(...written.purges);
  return summary;
}

/** Of a segment that is removed. */
export function removeSummary(segment: string): void {
  rmSync(pathOf(segment), { force: true });
}
