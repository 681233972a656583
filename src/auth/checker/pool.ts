/**
 * Checks that block (crypt(3), PAM), done by processes of their own, so that no connection waits for a slow hash and no
 * module of PAM can take a worker with it.
 *
 * Invariants
 * 1. At most `limits.checker_processes` run and `limits.checker_queue` jobs wait; a process has one job at a time.
 * 2. A job that is not done within `limits.checker_seconds` is answered 'unavailable' and its process killed.
 * 3. Passwords go through a pipe: they stand in no argument and no environment.
 */

import type { Subprocess } from 'bun';
import { serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { CheckAnswer, CheckJob } from './protocol.ts';

/** A process without work ends after this time. */
const IDLE_MS = 60_000;

interface Waiting {
  readonly job: CheckJob;
  readonly resolve: (answer: CheckAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Whether a password has this hash of crypt(3). @throws MailError 'unavailable' */
export type Crypt = (password: string, hash: string) => Promise<boolean>;

export class Checkers {
  readonly #command: readonly string[];
  readonly #idle: Checker[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #all = new Set<Checker>();

  /** @param command how this program is started as a checker */
  constructor(command: readonly string[]) {
    this.#command = command;
  }

  /** @throws MailError 'unavailable' where it cannot be told */
  ask(job: CheckJob): Promise<CheckAnswer> {
    if (this.#waiting.length >= limits.checker_queue.value) {
      return Promise.reject(serverError('too many passwords wait to be checked'));
    }
    const { promise, resolve, reject } = Promise.withResolvers<CheckAnswer>();
    this.#waiting.push({ job, resolve, reject });
    this.#next();
    return promise;
  }

  readonly crypt: Crypt = async (password, hash) => {
    const { verdict, text } = await this.ask({ kind: 'crypt', password, hash });
    if (verdict === 'error') throw serverError(`a hash cannot be checked: ${text}`);
    return verdict === 'yes';
  };

  close(): void {
    for (const checker of this.#all) checker.end();
    for (const { reject } of this.#waiting.splice(0)) reject(serverError('the server stops'));
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const checker = this.#idle.pop() ?? this.#another();
      if (checker === undefined) return;
      const { job, resolve, reject } = this.#waiting.shift() as Waiting;
      void checker.do(job).then((answer) => {
        this.#idle.push(checker);
        resolve(answer);
      }, reject).finally(() => this.#next());
    }
  }

  #another(): Checker | undefined {
    if (this.#all.size >= limits.checker_processes.value) return undefined;
    const checker = new Checker(this.#command, () => {
      this.#all.delete(checker);
      const at = this.#idle.indexOf(checker);
      if (at >= 0) this.#idle.splice(at, 1);
      this.#next();
    });
    this.#all.add(checker);
    return checker;
  }
}

class Checker {
  readonly #process: Subprocess<'pipe', 'pipe', 'inherit'>;
  #job: PromiseWithResolvers<CheckAnswer> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(command: readonly string[], onGone: () => void) {
    this.#process = Bun.spawn([...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
      argv0: 'mailstore',
      onExit: () => {
        clearTimeout(this.#timer);
        this.#job?.reject(serverError('the process that checks passwords ended'));
        onGone();
      },
    });
    this.#process.unref();
    void this.#read();
  }

  do(job: CheckJob): Promise<CheckAnswer> {
    clearTimeout(this.#timer);
    const mine = Promise.withResolvers<CheckAnswer>();
    this.#job = mine;
    this.#timer = setTimeout(() => {
      mine.reject(serverError(`a password was not checked within ${limits.checker_seconds.value} seconds`));
      this.#process.kill('SIGKILL');
    }, limits.checker_seconds.value * 1000);
    try {
      void this.#process.stdin.write(`${JSON.stringify(job)}\n`);
      void Promise.resolve(this.#process.stdin.flush()).catch(() => {});
    } catch {
      // It died between two jobs; onExit answers.
    }
    return mine.promise;
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of this.#process.stdout) {
        text += decoder.decode(chunk, { stream: true });
        const end = text.indexOf('\n');
        if (end < 0) continue;
        const answer = JSON.parse(text.slice(0, end)) as CheckAnswer;
        text = text.slice(end + 1);
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.end(), IDLE_MS);
        this.#timer.unref();
        this.#job?.resolve(answer);
        this.#job = undefined;
      }
    } catch {
      this.#process.kill('SIGKILL');
    }
  }
}
