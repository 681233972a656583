/** The programs of this configuration that scripts may run, so many at once, and fewer of one user. One per process. */

import type { Settings } from '../config/settings.ts';
import { limits } from '../limits.ts';
import type { ProgramCall, ProgramKind, ProgramOutcome } from '../sieve/host.ts';
import { runExternal } from './external.ts';

/** A call that waits for its turn. */
interface Waiting {
  readonly userid: string;
  begin(): void;
}

export class ExternalPrograms {
  readonly #folders: Readonly<Record<ProgramKind, string>>;
  #free: number = limits.delivery_programs_running.value;
  /** How many each user has running; who has none is not in it. */
  readonly #running = new Map<string, number>();
  /** In the order in which they came. */
  readonly #waiting: Waiting[] = [];

  constructor(
    settings: Pick<Settings, 'sieve_pipe_bin_dir' | 'sieve_filter_bin_dir' | 'sieve_execute_bin_dir'>,
  ) {
    this.#folders = {
      pipe: settings.sieve_pipe_bin_dir,
      filter: settings.sieve_filter_bin_dir,
      execute: settings.sieve_execute_bin_dir,
    };
  }

  /** Runs one. Never rejects. @param userid whose script wants it */
  async run(call: ProgramCall, userid: string): Promise<ProgramOutcome> {
    const folder = this.#folders[call.kind];
    if (folder === '') return { failed: `there are no programs for ${call.kind}`, output: new Uint8Array(0) };
    if (this.#may(userid)) this.#count(userid, 1);
    else await new Promise<void>((begin) => this.#waiting.push({ userid, begin }));
    try {
      const seconds = limits.delivery_program_seconds.value;
      return await runExternal(call, { folder, eol: null, seconds, env: { USER: userid } });
    } finally {
      this.#count(userid, -1);
      const next = this.#waiting.findIndex((waiting) => this.#may(waiting.userid));
      const [chosen] = next === -1 ? [] : this.#waiting.splice(next, 1);
      if (chosen !== undefined) {
        this.#count(chosen.userid, 1);
        chosen.begin();
      }
    }
  }

  #may(userid: string): boolean {
    return this.#free > 0 && (this.#running.get(userid) ?? 0) < limits.delivery_programs_user.value;
  }

  #count(userid: string, change: 1 | -1): void {
    this.#free -= change;
    const running = (this.#running.get(userid) ?? 0) + change;
    if (running === 0) this.#running.delete(userid);
    else this.#running.set(userid, running);
  }
}
