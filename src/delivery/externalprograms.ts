/** The programs of this configuration that scripts may run, so many at once. One per process. */

import type { Settings } from '../config/settings.ts';
import { limits } from '../limits.ts';
import type { ProgramCall, ProgramKind, ProgramOutcome } from '../sieve/host.ts';
import { runExternal } from './external.ts';

export class ExternalPrograms {
  readonly #folders: Readonly<Record<ProgramKind, string>>;
  #free: number = limits.delivery_programs_running.value;
  readonly #waiting: (() => void)[] = [];

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
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      const seconds = limits.delivery_program_seconds.value;
      return await runExternal(call, { folder, eol: null, seconds, env: { USER: userid } });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
