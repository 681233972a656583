/**
 * A whole store for a test: its own folder, ports, certificate and users, started as an administrator would start
 * it. From source, or from the executable MAILSTORE_BIN names.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gone, killTree, processTree, userName } from './processes.ts';
import type { Finished } from './command.ts';
import { ImapClient } from './imap.ts';
import { freePorts } from './ports.ts';

const ROOT = join(import.meta.dir, '../..');
/** The password of every user a test adds. */
export const PASSWORD = 'test-password';
/** A store that has not greeted by then is broken. */
const START_LIMIT_MS = 20_000;
/** A line that is not in the log by then is not written. */
const LOG_LIMIT_MS = 10_000;
/** A clean stop takes no longer. */
const STOP_LIMIT_MS = 8_000;

/** The command line of the program under test. */
export function mailstoreCommand(): readonly string[] {
  const binary = process.env['MAILSTORE_BIN'];
  return binary === undefined ? [process.execPath, join(ROOT, 'src/main.ts')] : [binary];
}

export interface StoreOptions {
  readonly users?: readonly string[];
  /** Lines of TOML by section, added to or replacing what the harness writes: {mailbox: {altnamespace: 'true'}}. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Address the ports listen on. */
  readonly host?: string;
  /** Added to the environment of the server, not to that of tools. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the server is started with, by its folder: a command that runs the rest of its arguments. Tools run without it. */
  readonly within?: (dir: string) => readonly string[];
}

export class TestStore {
  readonly dir: string;
  readonly configFile: string;
  readonly certificate: string;
  readonly lmtpSocket: string;
  readonly ports: {
    readonly imap: number;
    readonly imaps: number;
    readonly lmtp: number;
    readonly pop3: number;
    readonly pop3s: number;
    readonly sieve: number;
  };
  #child: ChildProcess | undefined;
  #env: Readonly<Record<string, string>> = {};
  #within: readonly string[] = [];

  private constructor(dir: string, ports: TestStore['ports']) {
    this.dir = dir;
    this.ports = ports;
    this.configFile = join(dir, 'mailstore.toml');
    this.certificate = join(dir, 'server.pem');
    this.lmtpSocket = join(dir, 'lmtp.sock');
  }

  /** Makes a folder with a configuration, a certificate and users, and starts the store in it. */
  static async start(options: StoreOptions = {}): Promise<TestStore> {
    const dir = mkdtempSync(join(tmpdir(), 'mailstore-test-'));
    chmodSync(dir, 0o755);
    const [imap = 0, imaps = 0, lmtp = 0, pop3 = 0, pop3s = 0, sieve = 0] = await freePorts(6);
    const store = new TestStore(dir, { imap, imaps, lmtp, pop3, pop3s, sieve });
    store.#env = options.env ?? {};
    store.#within = options.within?.(dir) ?? [];
    store.#makeCertificate();
    store.#writeConfig(options);
    for (const user of options.users ?? []) store.addUser(user);
    await store.run();
    return store;
  }

  /** Process id of the supervisor. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the store is not running');
    return pid;
  }

  /** What the store has logged so far. */
  get log(): string {
    return readFileSync(join(this.dir, 'log'), 'utf8');
  }

  /** Resolves once the log has a line like this: roles write theirs together, a moment behind what they tell of. */
  async logged(line: RegExp): Promise<void> {
    const begun = performance.now();
    while (!line.test(this.log)) {
      if (performance.now() - begun > LOG_LIMIT_MS) {
        throw new Error(`no line like ${line} in the log:\n${this.log}`);
      }
      await sleep(5);
    }
  }

  /** Starts the store; resolves once IMAP greets. */
  async run(): Promise<void> {
    const log = openSync(join(this.dir, 'log'), 'a');
    const [program = '', ...args] = [...this.#within, ...mailstoreCommand()];
    const child = spawn(program, [...args, 'serve', '-c', this.configFile], {
      stdio: ['ignore', log, log],
      detached: true,
      env: { ...process.env, ...this.#env },
    });
    this.#child = child;
    await this.greets();
  }

  /** Resolves once IMAP greets; after a role was killed, once its successor serves. */
  async greets(): Promise<void> {
    const begun = performance.now();
    while (performance.now() - begun < START_LIMIT_MS) {
      if (this.#child?.exitCode !== null) break;
      try {
        (await ImapClient.connect({ port: this.ports.imap })).destroy();
        return;
      } catch {
        await sleep(5);
      }
    }
    throw new Error(`the store does not greet:\n${this.log}`);
  }

  /** A connection that is logged in. */
  async login(user: string, password: string = PASSWORD): Promise<ImapClient> {
    const client = await ImapClient.connect({ port: this.ports.imap });
    try {
      await client.login(user, password);
    } catch (error) {
      client.destroy();
      throw error;
    }
    return client;
  }

  /** Runs a command of the program with this store's configuration: `tool(['check'])`. */
  tool(args: readonly string[], input = ''): Finished {
    const [program = '', ...before] = mailstoreCommand();
    const [command = '', ...rest] = args;
    const ended = spawnSync(program, [...before, command, '-c', this.configFile, ...rest], {
      input,
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr };
  }

  addUser(user: string): void {
    const [program = '', ...before] = mailstoreCommand();
    const args = [...before, 'user', 'add', '-c', this.configFile, user];
    const ended = spawnSync(program, args, { input: `${PASSWORD}\n`, encoding: 'utf8', timeout: 30_000 });
    if (ended.status !== 0) {
      throw new Error(`user add ${user}: ${ended.status} ${ended.stdout}${ended.stderr}`);
    }
  }

  /** Process ids of the roles by name: writer, worker, janitor. */
  roles(): Map<string, number[]> {
    const roles = new Map<string, number[]>();
    for (const pid of processTree(this.pid)) {
      const role = /--role[=\0](\w+)/.exec(commandLine(pid))?.[1];
      if (role === undefined) continue;
      roles.set(role, [...roles.get(role) ?? [], pid]);
    }
    return roles;
  }

  /** kill -9 of one process of a role; resolves to its process id. */
  killRole(role: string, index = 0): number {
    const pid = this.roles().get(role)?.[index];
    if (pid === undefined) throw new Error(`no ${role} is running`);
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  /** kill -9 of everything at once; resolves when it is gone. */
  async killAll(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    await killTree(this.pid);
    while (child.exitCode === null && child.signalCode === null) await sleep(1);
    this.#child = undefined;
  }

  /** kill -9 of the supervisor alone; resolves when its roles, which must not outlive it, are gone, too. */
  async killSupervisor(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const all = processTree(child.pid);
    child.kill('SIGKILL');
    while (child.exitCode === null && child.signalCode === null) await sleep(1);
    this.#child = undefined;
    await gone(all);
  }

  /** Whether `run` was called and nothing has ended the store since. */
  get running(): boolean {
    return this.#child !== undefined;
  }

  /** SIGTERM; resolves to the exit code when everything has ended, or throws when that takes too long. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child?.pid === undefined) return null;
    const begun = performance.now();
    const all = processTree(child.pid);
    child.kill('SIGTERM');
    while (child.exitCode === null && child.signalCode === null) {
      if (performance.now() - begun > STOP_LIMIT_MS) {
        await this.killAll();
        throw new Error(`the store did not stop within ${STOP_LIMIT_MS} ms:\n${this.log}`);
      }
      await sleep(5);
    }
    this.#child = undefined;
    await gone(all);
    return child.exitCode;
  }

  /** Stops the store and removes its folder. */
  async dispose(): Promise<void> {
    try {
      await this.stop();
    } finally {
      rmSync(this.dir, { recursive: true, force: true });
    }
  }

  #makeCertificate(): void {
    const key = join(this.dir, 'server.key');
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '30',
    ];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const made = spawnSync('openssl', [...args, ...names, '-keyout', key, '-out', this.certificate], {
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  }

  #writeConfig(options: StoreOptions): void {
    const host = options.host ?? '127.0.0.1';
    const sections: Record<string, Record<string, string>> = {
      server: { servername: '"imap.example.org"', user: `"${userName()}"`, workers: '2' },
      store: {
        configdirectory: `"${this.dir}/state"`,
        partition: `{ default = "${this.dir}/spool" }`,
      },
      auth: { allowplaintext: 'true' },
      mailbox: { autocreatequota: '-1', createonpost: 'true', altnamespace: 'true' },
      tls: { server_cert: `"${this.certificate}"`, server_key: `"${join(this.dir, 'server.key')}"` },
      'services.imap': { listen: `"${host}:${this.ports.imap}"` },
      'services.imaps': { listen: `"${host}:${this.ports.imaps}"` },
      'services.pop3': { listen: `"${host}:${this.ports.pop3}"` },
      'services.pop3s': { listen: `"${host}:${this.ports.pop3s}"` },
      'services.lmtp': { listen: `"${host}:${this.ports.lmtp}"` },
      'services.sieve': { listen: `"${host}:${this.ports.sieve}"` },
      'services.lmtpunix': { listen: `"${this.lmtpSocket}"`, mode: '"0666"' },
    };
    for (const [section, lines] of Object.entries(options.config ?? {})) {
      sections[section] = { ...sections[section], ...lines };
    }
    const text = Object.entries(sections).map(([section, lines]) =>
      `[${section}]\n${Object.entries(lines).map(([key, value]) => `${key} = ${value}\n`).join('')}`
    );
    writeFileSync(this.configFile, text.join('\n'), { mode: 0o640 });
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return ''; // gone meanwhile
  }
}
