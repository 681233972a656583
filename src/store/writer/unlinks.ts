/** Files of purged parts on their way out: each waits for the checkpoint that has its purge (DESIGN rule 6). */
import type { Directory, OwnerRow } from '../index/directory.ts';
import type { Summary } from '../log/summary.ts';
import type { Spool } from '../spool/spool.ts';
import { step } from '../step.ts';

/** Files unlinked before other work gets its turn. */
const SLICE = 200;

/** Files to be unlinked, with the LSN of their purge. */
export interface Unlink {
  readonly lsn: number;
  readonly owner: number;
  readonly paths: string[];
}

/** What was purged above the checkpoint. Files of users that are gone go with their folders. */
export function unlinksOf(summary: Summary, directory: Directory, spool: Spool): Unlink[] {
  const unlinks: Unlink[] = [];
  for (const { lsn, owner, files } of summary.purges) {
    const folder = directory.ownerById(owner)?.folder;
    if (folder === undefined) continue;
    unlinks.push({
      lsn,
      owner,
      paths: files.map(([partition, file]) => spool.path(partition, folder, file)),
    });
  }
  return unlinks;
}

export class Unlinks {
  /**
   * @param waiting in the order of their LSNs, from the log
   * @param closed owners whose files stay while they are closed for repair
   */
  constructor(
    private waiting: Unlink[],
    private readonly closed: ReadonlyMap<number, unknown>,
    private readonly remove: (path: string) => void,
  ) {}

  /** @param files of a purge, with the names of their partitions */
  add(spool: Spool, { id, folder }: OwnerRow, lsn: number, files: readonly [string, string][]): void {
    const paths = files.map(([partition, file]) => spool.path(partition, folder, file));
    this.waiting.push({ lsn, owner: id, paths });
  }

  /** Removes what was purged up to `lsn`: few files at a time, changes go on between. */
  async through(lsn: number): Promise<void> {
    for (const unlink of [...this.waiting]) {
      if (unlink.lsn > lsn) break;
      while (unlink.paths.length > 0 && !this.closed.has(unlink.owner)) {
        for (const path of unlink.paths.splice(0, SLICE)) {
          this.remove(path);
          step('unlink.file');
        }
        if (unlink.paths.length > 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    this.waiting = this.waiting.filter(({ paths }) => paths.length > 0);
  }
}
