/** One role's process as the supervisor sees it. */

import type { Subprocess } from 'bun';
import type { LoginAnswer, LoginQuestion } from '../auth/abuse/book.ts';
import type { Log } from '../telemetry/log.ts';
import { encodeMessage, type FromRole, lineReader, type Role, type ToRole } from './control.ts';

/** How a process of this program is started again in another role: `[execPath, entry?, 'serve']`. */
export type SelfCommand = readonly string[];

export interface ChildOptions {
  readonly role: Role;
  readonly number: number;
  readonly command: SelfCommand;
  /** Listening sockets it inherits, as 3, 4, ... */
  readonly fds: readonly number[];
  readonly log: Log;
  readonly onReady: () => void;
  readonly onDone: (id: number, error: string | null) => void;
  readonly onLogin: (question: LoginQuestion) => LoginAnswer;
  /** `code` is null when a signal ended it. */
  readonly onExit: (code: number | null, signal: string | null) => void;
}

/** First descriptor behind the standard ones. */
export const FIRST_INHERITED_FD = 3;

/**
 * How the runtime compiles. Its last and dearest compiler works on what ran often; serving mail is a little of very much code,
 * and by the runtime's own measure a fifth to a third of a worker's processor time went into compiling. Loops over many
 * messages still come to it.
 */
const RUNTIME = { BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: '1000000' };

/** The environment of a role: ours without what changes the runtime or speaks for the service. */
export function childEnvironment(environment: Record<string, string | undefined>): Record<string, string> {
  const without = new Set([
    // Either would turn the executable into a general JavaScript runtime with other options.
    'BUN_OPTIONS',
    'BUN_BE_BUN',
    'NODE_OPTIONS',
    'NOTIFY_SOCKET',
    'WATCHDOG_PID',
    'WATCHDOG_USEC',
    'LISTEN_FDS',
    'LISTEN_PID',
  ]);
  const kept: Record<string, string> = { ...RUNTIME };
  for (const name in environment) {
    const value = environment[name];
    if (value !== undefined && !without.has(name)) kept[name] = value;
  }
  return kept;
}

export class Child {
  readonly role: Role;
  readonly number: number;
  readonly startedAt = performance.now();
  #ready = false;
  #exited = false;
  readonly #gone = Promise.withResolvers<void>();
  #askedAt = 0;
  #answeredAt = 0;
  readonly #process: Subprocess<'pipe', 'pipe', 'inherit'>;
  readonly #options: ChildOptions;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.role = options.role;
    this.number = options.number;
    this.#process = Bun.spawn([...options.command, `--role=${options.role}`], {
      stdio: ['pipe', 'pipe', 'inherit', ...options.fds],
      env: childEnvironment(process.env),
      // The name in process lists.
      argv0: 'mailstore',
      onExit: (process, code) => {
        this.#exited = true;
        this.#gone.resolve();
        options.onExit(code, process.signalCode as string | null);
      },
    }) as Subprocess<'pipe', 'pipe', 'inherit'>;
    void this.#read();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** It has said that it does its work. */
  get ready(): boolean {
    return this.#ready && !this.#exited;
  }

  /** Resolves when the process is gone. */
  get whenExited(): Promise<void> {
    return this.#gone.promise;
  }

  get exited(): boolean {
    return this.#exited;
  }

  get name(): string {
    return this.role === 'worker' ? `worker ${this.number}` : this.role;
  }

  async #read(): Promise<void> {
    const { log, onReady, onDone, onLogin } = this.#options;
    const read = lineReader<FromRole>((message) => {
      switch (message.type) {
        case 'ready':
          this.#ready = true;
          onReady();
          break;
        case 'pong':
          this.#answeredAt = performance.now();
          break;
        case 'login':
          this.send({ type: 'login', id: message.id, answer: onLogin(message.question) });
          break;
        case 'done':
          onDone(message.id, message.error);
          break;
      }
    }, (line) => log.warn('unexpected output of a role', { of: this.name, line }));
    try {
      for await (const chunk of this.#process.stdout) read(chunk);
    } catch {
      // It died in the middle of a line; onExit says so.
    }
  }

  send(message: ToRole): void {
    if (this.#exited) return;
    try {
      void this.#process.stdin.write(encodeMessage(message));
      void Promise.resolve(this.#process.stdin.flush()).catch(() => {});
    } catch {
      // Dying between two turns; onExit follows.
    }
  }

  /** Asks for a sign of life. */
  ping(): void {
    // An answer that is still owed keeps its first time, so that silence adds up.
    if (this.#answeredAt >= this.#askedAt) this.#askedAt = performance.now();
    this.send({ type: 'ping' });
  }

  /** Milliseconds for which an answer to `ping` has been owed, 0 if none is. */
  get silence(): number {
    return this.#answeredAt >= this.#askedAt ? 0 : performance.now() - this.#askedAt;
  }

  kill(): void {
    if (!this.#exited) this.#process.kill('SIGKILL');
  }
}
