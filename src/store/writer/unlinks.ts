/** Files of purged parts on their way out: each waits for the checkpoint that has its purge (DESIGN rule 6). */
import { step } from '../step.ts';

/** Files unlinked before other work gets its turn. */
const SLICE = 200;

/** Files to be unlinked, with the LSN of their purge. */
export interface Unlink {
  readonly lsn: number;
  readonly paths: string[];
}

export class Unlinks {
  /** @param waiting in the order of their LSNs, from the log */
  constructor(private readonly waiting: Unlink[], private readonly remove: (path: string) => void) {}

  add(unlink: Unlink): void {
    this.waiting.push(unlink);
  }

  /** Removes what was purged up to `lsn`: few files at a time, changes go on between. */
  async through(lsn: number): Promise<void> {
    for (let first = this.waiting[0]; first !== undefined && first.lsn <= lsn; first = this.waiting[0]) {
      for (const path of first.paths.splice(0, SLICE)) {
        this.remove(path);
        step('unlink.file');
      }
      if (first.paths.length === 0) this.waiting.shift();
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
