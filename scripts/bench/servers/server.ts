/** A server under measurement: how it is set up, started, found and killed. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchClient } from '../client.ts';
import { isRunning, killTree, processTree } from '../../../tests/harness/processes.ts';

/** Every test user has this password. */
export const PASSWORD = 'secret';

/** A server that did not greet after this time is broken. */
const START_LIMIT_MS = 30_000;

/** What a kind of server says about itself, before anything runs. */
export interface ServerKind {
  readonly name: string;
  /** So many idle connections it is asked to hold: what a process each costs has to fit into this machine. */
  readonly idleAtMost: number;
  /** Version as the program prints it, or undefined when it is not installed here. */
  version(): string | undefined;
  /** Writes configuration and users below `dir` and returns the server, not yet started. */
  prepare(
    dir: string,
    ports: Ports,
    certificate: Certificate,
    users: readonly string[],
  ): Promise<ServerSetup>;
}

export interface Ports {
  readonly imap: number;
  readonly imaps: number;
  readonly pop3: number;
}

/** Files of a certificate with its key. */
export interface Certificate {
  readonly file: string;
  readonly key: string;
}

/** A configured server. */
export interface ServerSetup {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Path of LMTP's unix socket. */
  readonly lmtp: string;
  /** Frees what `prepare` holds outside the server's own processes. */
  dispose?(): void;
}

/** A server with its process, from the first start to the last kill. */
export class RunningServer {
  readonly name: string;
  readonly version: string;
  /** Path of LMTP's unix socket. */
  readonly lmtp: string;
  readonly ports: Ports;
  /** Where everything lies that it keeps. */
  readonly dir: string;
  readonly idleAtMost: number;
  readonly #setup: ServerSetup;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(kind: ServerKind, dir: string, ports: Ports, setup: ServerSetup) {
    this.name = kind.name;
    this.version = kind.version() ?? '';
    this.idleAtMost = kind.idleAtMost;
    this.dir = dir;
    this.lmtp = setup.lmtp;
    this.ports = ports;
    this.#setup = setup;
    this.#logFile = join(dir, 'server.log');
  }

  /** Process id at the root of the server's tree. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.name} is not running`);
    return pid;
  }

  /** Starts the server; resolves to the milliseconds until IMAP greeted. */
  async start(): Promise<number> {
    const begun = performance.now();
    const log = openSync(this.#logFile, 'a');
    const [program, ...args] = this.#setup.command;
    if (program === undefined) throw new Error(`${this.name}: no command`);
    const child = spawn(program, args, {
      stdio: ['ignore', log, log],
      detached: true, // its own session: what it does to its group stays there
      env: { ...process.env, ...this.#setup.environment },
    });
    closeSync(log);
    this.#child = child;
    while (performance.now() - begun < START_LIMIT_MS) {
      try {
        const client = await BenchClient.open(this.ports.imap);
        const took = performance.now() - begun;
        client.close();
        return took;
      } catch {
        if (child.exitCode !== null) break;
        await sleep(1);
      }
    }
    throw new Error(`${this.name} did not greet on port ${this.ports.imap}:\n${this.#lastLog()}`);
  }

  /** A fresh connection, logged in. */
  async login(user: string, tls = false): Promise<BenchClient> {
    const client = await BenchClient.open(tls ? this.ports.imaps : this.ports.imap, tls);
    await client.login(user, PASSWORD);
    return client;
  }

  /** Bytes of disk that everything it keeps takes; a file with several names counts once. */
  diskBytes(): number {
    const asked = spawnSync('du', ['-s', '--block-size=1', this.dir], { encoding: 'utf8' });
    return Number(/^\d+/.exec(asked.stdout)?.[0]);
  }

  /** kill -9 of everything; resolves when nothing of it is left. */
  async kill(): Promise<void> {
    if (this.#child === undefined) return;
    await killTree(this.pid);
    await this.#gone();
  }

  /** Stops the server as its administrator would; what does not end by itself is killed. */
  async stop(): Promise<void> {
    if (this.#child === undefined || !isRunning(this.pid)) return;
    const left = processTree(this.pid);
    process.kill(this.pid, 'SIGTERM');
    const begun = performance.now();
    while (performance.now() - begun < 8_000 && left.some(isRunning)) await sleep(5);
    for (const pid of left) if (isRunning(pid)) await killTree(pid);
    await this.#gone();
  }

  /** Stops it for good, at once when `how` is kill. */
  async dispose(how: 'stop' | 'kill' = 'stop'): Promise<void> {
    await this[how]();
    this.#setup.dispose?.();
  }

  async #gone(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    while (child.exitCode === null && child.signalCode === null) await sleep(1);
    this.#child = undefined;
  }

  #lastLog(): string {
    return readFileSync(this.#logFile, 'utf8').split('\n').slice(-20).join('\n');
  }
}
