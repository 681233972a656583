/** Administrative commands over a real store in a folder of their own, and a terminal that answers from a list. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Surroundings } from '../../src/cli/administration.ts';
import type { Command, CommandIo } from '../../src/cli/command.ts';
import { ctlDeliverCommand } from '../../src/cli/ctl_deliver.ts';
import { cyrExpireCommand } from '../../src/cli/cyr_expire.ts';
import { mailboxCommand } from '../../src/cli/mailbox.ts';
import { sasldblistusers2Command } from '../../src/cli/sasldblistusers2.ts';
import { saslpasswd2Command } from '../../src/cli/saslpasswd2.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { importCommand } from '../../src/cli/sieve/import.ts';
import { userCommand } from '../../src/cli/user.ts';
import type { Settings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';
import type { Store } from '../../src/store/border.ts';
import { reconstructCommand } from '../../src/cli/reconstruct.ts';
import { acceptLogLoss } from '../../src/store/reconstruct/acceptloss.ts';
import { openStore } from '../../src/store/open.ts';
import { silentLog } from '../../src/telemetry/log.ts';

export interface Outcome {
  /** Exit code, or the code of the MailError that decides it. */
  readonly result: number | string;
  readonly stdout: string;
  readonly stderr: string;
  /** Text of the MailError. */
  readonly error: string;
}

/** Somebody at the terminal who says these lines and writes down what was asked. */
export class Person implements Terminal {
  readonly asked: { question: string; echo: boolean }[] = [];
  readonly #answers: string[];

  constructor(...answers: string[]) {
    this.#answers = answers;
  }

  ask(question: string, { echo }: { readonly echo: boolean }): Promise<string> {
    this.asked.push({ question, echo });
    const answer = this.#answers.shift();
    if (answer === undefined) return Promise.reject(new Error(`nobody answers ${question}`));
    return Promise.resolve(answer);
  }

  async *typed(): AsyncGenerator<Uint8Array> {
    for (const line of this.#answers.splice(0)) yield Buffer.from(`${line}\n`);
  }
}

const COMMANDS: Readonly<Record<string, (surroundings: Surroundings) => Command>> = {
  user: userCommand,
  saslpasswd2: saslpasswd2Command,
  sasldblistusers2: sasldblistusers2Command,
  reconstruct: reconstructCommand,
  cyr_expire: cyrExpireCommand,
  ctl_deliver: ctlDeliverCommand,
  'sieve import': importCommand,
};

/** A store with its configuration. */
export class TestStore {
  readonly folder = mkdtempSync(join(tmpdir(), 'mailstore-cli-'));
  readonly config = join(this.folder, 'mailstore.toml');
  #settings: Settings | undefined;
  /** How often a command opened the store. */
  opened = 0;

  /** @param mailbox lines of the [mailbox] section */
  constructor(mailbox = '', auth = '') {
    writeFileSync(
      this.config,
      `[server]\nadmins = ["cyrus"]\nservername = "imap.nausch.org"\n[mailbox]\n${mailbox}\n[auth]\n${auth}\n` +
        `[store]\nconfigdirectory = "${this.folder}/conf"\npartition = { default = "${this.folder}/spool" }\n`,
    );
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs `mailstore user ...`, `mailstore mailbox ...` or `mailstore reconstruct ...`. */
  async run(line: readonly string[], more: { stdin?: string; person?: Person } = {}): Promise<Outcome> {
    const surroundings: Surroundings = {
      open: (settings) => {
        this.#settings = settings;
        this.opened++;
        return openStore(settings, silentLog, 'direct');
      },
      acceptLogLoss: (settings) => acceptLogLoss(settings, silentLog),
      terminal: () => more.person ?? null,
    };
    let [stdout, stderr] = ['', ''];
    const io: CommandIo = {
      stdin: new Blob([more.stdin ?? '']).stream(),
      stdout: (text) => void (stdout += text),
      stderr: (text) => void (stderr += text),
      env: {},
    };
    const [name, ...args] = line;
    const command = (COMMANDS[name ?? ''] ?? mailboxCommand)(surroundings);
    try {
      const code = await command.run(['--config', this.config, ...args], io);
      return { result: code, stdout, stderr, error: '' };
    } catch (thrown) {
      if (!(thrown instanceof MailError)) throw thrown;
      return { result: thrown.code, stdout, stderr, error: thrown.message };
    }
  }

  /** Runs a command that has to succeed; answers what it printed. */
  async ok(line: string, more: { stdin?: string; person?: Person } = {}): Promise<string> {
    const outcome = await this.run(line.split(' '), more);
    if (outcome.result !== 0) throw new Error(`${line}: ${outcome.result} ${outcome.error}`);
    return outcome.stdout;
  }

  /** Looks into the store between two commands. */
  async look<T>(work: (store: Store) => T | Promise<T>): Promise<T> {
    if (this.#settings === undefined) throw new Error('no command has run yet');
    const store = await openStore(this.#settings, silentLog, 'direct');
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }
}
