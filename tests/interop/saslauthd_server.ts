/** Debian's saslauthd for a test, with a socket of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gone } from '../harness/processes.ts';

export class Saslauthd {
  /** Where its socket is, `mux`. */
  readonly folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.folder = folder;
    this.#child = child;
  }

  /**
   * @param args which way it checks passwords: `-a`, and `-O` for that way
   * @param pam a folder it sees as /etc/pam.d, in a mount namespace of its own; needs root
   */
  static async start(folder: string, args: readonly string[], pam?: string): Promise<Saslauthd> {
    mkdirSync(folder, { recursive: true });
    const command = ['/usr/sbin/saslauthd', '-d', '-m', folder, '-n', '1', ...args];
    const [program = '', ...rest] = pam === undefined
      ? command
      : ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/pam.d && exec "$@"', pam, ...command];
    // At its end it sends a signal to all of its process group.
    const child = spawn(program, rest, { stdio: 'ignore', detached: true });
    while (!existsSync(join(folder, 'mux'))) {
      if (child.exitCode !== null) throw new Error(`saslauthd ${args.join(' ')} does not start`);
      await sleep(10);
    }
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'mux'), 0o666);
    return new Saslauthd(folder, child);
  }

  /** Ends it; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.pid !== undefined) await gone([this.#child.pid]);
    rmSync(join(this.folder, 'mux'), { force: true });
  }
}
