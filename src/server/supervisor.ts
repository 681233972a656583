/**
 * The supervisor: the process an administrator starts and systemd watches. It holds the listening sockets and
 * starts, watches, restarts and stops the roles; it handles no mail and reads nothing a client sent. Of logins it keeps
 * what the workers must know together (auth/abuse/book.ts), by digests.
 *
 * Invariants:
 * 1. Every address is bound before anything else is started; if one fails, nothing starts.
 * 2. Workers greet clients while the writer recovers, but reach no owner's data before it answers, so that none is readable
 *    before its replay (DESIGN rule 2). They keep running while a dead writer is replaced.
 * 3. What dies is started again, at first at once, then with growing pauses; what hangs is killed first.
 * 4. Stopping goes workers and janitor, then writer, and is over within STOP_TOTAL_MS.
 * 5. No role outlives the supervisor: its input ends and the kernel kills it.
 */

import { availableParallelism } from 'node:os';
import { randomBytes } from '../crypto.ts';
import { LoginBook, NOTHING_KNOWN } from '../auth/abuse/book.ts';
import type { EventJob } from '../config/services.ts';
import type { Settings } from '../config/settings.ts';
import { type ErrorCode, serverError } from '../errors.ts';
import { type Listener, removeListener } from '../net/listen.ts';
import type { TlsMaterial } from '../net/tlsmaterial.ts';
import { type LogLevel, logLevel, type RootLog } from '../telemetry/log.ts';
import { Child, FIRST_INHERITED_FD, type SelfCommand } from './child.ts';
import type { Role } from './control.ts';
import { monotonicMicros, type Notifier } from './notify.ts';
import { Schedule } from './schedule.ts';

/** A listening socket and the service it belongs to. */
export interface ServiceListener extends Listener {
  readonly service: string;
}

export interface SupervisorOptions {
  readonly settings: Settings;
  readonly command: SelfCommand;
  readonly listeners: readonly ServiceListener[];
  readonly tls: TlsMaterial | undefined;
  readonly log: RootLog;
  readonly notifier: Notifier;
  /** Replaces PING_MS and HUNG_MS in tests. */
  readonly pingMs?: number;
  readonly hungMs?: number;
}

/** Workers and janitor get this long to end, then the writer gets its own time; together below 8 s. */
const STOP_WORKERS_MS = 4500;
const STOP_WRITER_MS = 2500;

/** How often roles are asked for a sign of life, and after how much silence one is killed. */
const PING_MS = 2000;
const HUNG_MS = 30_000;

/** Pauses before a restart: none at first, doubling up to the last; a role that ran for STABLE_MS begins anew. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const STABLE_MS = 30_000;

/**
 * Exit codes by which a role says that starting it again changes nothing: its configuration is wrong (EX_CONFIG),
 * the store is damaged (EX_DATAERR; DESIGN rule 5).
 */
const HOPELESS: ReadonlyMap<number, ErrorCode> = new Map([[78, 'config'], [65, 'corruption']]);

/** A role that has not become ready even once is given up after so many attempts. */
const FIRST_ATTEMPTS = 5;

/**
 * So long the first worker and the writer have the processors to themselves, and this process has time for their questions: who
 * waited for the start is served within it. A recovery may take longer; then the other workers take their share of those who come.
 */
const ALONE_MS = 80;

/** While the writer recovers, systemd is asked for so much more time, this often. */
const EXTEND_MS = 20_000;

/** One place for a role; processes come and go in it. */
interface Slot {
  readonly role: Role;
  readonly number: number;
  child: Child | undefined;
  failures: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  everReady: boolean;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #log: RootLog;
  readonly #slots: Slot[] = [];
  readonly #jobs = new Map<number, (error: string | null) => void>();
  readonly #backups = new Set<Child>();
  /** Asked whenever a role has become ready. */
  readonly #lookers = new Set<() => void>();
  readonly #schedule: Schedule;
  readonly #workers: number;
  readonly #logins: LoginBook;
  readonly #loginKey = randomBytes(32).toString('base64');
  #nextJob = 1;
  #tls: TlsMaterial | undefined;
  #level: LogLevel;
  #pinger: ReturnType<typeof setInterval> | undefined;
  #watchdog: ReturnType<typeof setInterval> | undefined;
  #stopping: Promise<void> | undefined;
  #fail: (reason: Error) => void;
  /** Rejects when the server cannot go on; never resolves. */
  readonly failed: Promise<never>;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#tls = options.tls;
    this.#level = logLevel(options.settings.loglevel);
    this.#workers = options.settings.workers || availableParallelism();
    this.#logins = new LoginBook(options.settings);
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    promise.catch(() => {});
    this.#fail = reject;
    this.#schedule = new Schedule(
      options.settings.events,
      async (event) => {
        const started = performance.now();
        const error = await this.runJob(event.job);
        const fields = { name: event.name, job: event.job, ms: Math.round(performance.now() - started) };
        if (error === null) this.#log.info('event done', fields);
        else this.#log.error('event failed', { ...fields, error });
      },
      (event) => this.#log.warn('event still running, skipped', { name: event.name }),
    );
  }

  /**
   * Starts all roles; resolves when every one of them does its work.
   * @param check what else must be right, asked when the first clients are greeted; the start fails with what it throws
   */
  async start(check: () => void = () => {}): Promise<void> {
    const { notifier, log } = this.#options;
    notifier.send('STATUS=Starting the writer: recovering the store');
    // One worker at once, so that clients are greeted; the others behind the first answers.
    const first = this.#addSlot('worker', 0);
    const writer = this.#addSlot('writer', 0);
    const extend = setInterval(() => notifier.send(`EXTEND_TIMEOUT_USEC=${3 * EXTEND_MS * 1000}`), EXTEND_MS);
    const recovered = this.#whenReady([writer]).finally(() => clearInterval(extend));
    recovered.catch(() => {});
    await this.#whenReady([first]);
    await new Promise((resolve) => setTimeout(resolve, ALONE_MS));
    check();
    const rest: Slot[] = [];
    for (let number = 1; number < this.#workers; number++) rest.push(this.#addSlot('worker', number));
    await recovered;
    notifier.send('STATUS=Starting the workers');
    await this.#whenReady(rest);
    // What can wait does: on two cores a further process would hold up the first greeting.
    await this.#whenReady([this.#addSlot('janitor', 0)]);

    this.#pinger = setInterval(() => this.#ping(), this.#options.pingMs ?? PING_MS);
    if (notifier.watchdogMs > 0) {
      this.#watchdog = setInterval(() => this.#feedWatchdog(), Math.max(100, notifier.watchdogMs / 3));
    }
    this.#schedule.start();
    notifier.send('READY=1', `STATUS=Serving with ${this.#workers} worker${this.#workers === 1 ? '' : 's'}`);
    log.info('ready', { workers: this.#workers, listening: this.#options.listeners.length });
  }

  /** Process ids by role, for tests and `status`. */
  pids(role: Role): number[] {
    return this.#slots.filter((slot) => slot.role === role && slot.child?.exited === false)
      .map((slot) => (slot.child as Child).pid);
  }

  /** Has a job done now, by the janitor or, a backup, by a process of its own; resolves to null or what went wrong. */
  runJob(job: EventJob): Promise<string | null> {
    if (job === 'backup') {
      return this.#stopping === undefined ? this.#runBackup() : Promise.resolve('the server stops');
    }
    const janitor = this.#slots.find((slot) => slot.role === 'janitor')?.child;
    if (janitor === undefined || !janitor.ready) return Promise.resolve('the janitor is not running');
    const id = this.#nextJob++;
    return new Promise((resolve) => {
      this.#jobs.set(id, resolve);
      janitor.send({ type: 'job', id, job });
    });
  }

  /** Makes a backup in a process that ends with it, and with the server. */
  #runBackup(): Promise<string | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const child = new Child({
      role: 'backup',
      number: 0,
      command: this.#options.command,
      fds: [],
      log: this.#log,
      onReady: () => child.send({ type: 'job', id: 0, job: 'backup' }),
      onDone: (_id, error) => {
        resolve(error);
        child.send({ type: 'stop' });
      },
      onLogin: () => NOTHING_KNOWN,
      onExit: (code, signal) => {
        this.#backups.delete(child);
        resolve(`the process of the backup died (${signal ?? code})`);
      },
    });
    this.#backups.add(child);
    this.#sendStart(child, 0);
    return promise;
  }

  /** Hands new certificates to the workers. */
  setTls(material: TlsMaterial): void {
    this.#tls = material;
    this.#broadcast('worker', { type: 'tls', material });
  }

  setLevel(level: LogLevel): void {
    this.#level = level;
    this.#log.setLevel(level);
    for (const slot of this.#slots) slot.child?.send({ type: 'level', level });
  }

  /** Frames a reload for systemd: `reload` runs between RELOADING=1 and READY=1. */
  reload(work: () => void): void {
    this.#options.notifier.send('RELOADING=1', `MONOTONIC_USEC=${monotonicMicros()}`);
    try {
      work();
    } finally {
      this.#options.notifier.send('READY=1');
    }
  }

  /** Ends everything in order (invariant 4). Calling it again waits for the same end. */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    const { notifier, listeners } = this.#options;
    notifier.send('STOPPING=1', 'STATUS=Stopping');
    this.#schedule.stop();
    clearInterval(this.#pinger);
    for (const slot of this.#slots) clearTimeout(slot.timer);
    for (const backup of this.#backups) backup.kill();
    // Nobody queues up for a server that is leaving.
    for (const listener of listeners) removeListener(listener);
    await this.#end(this.#slots.filter((slot) => slot.role !== 'writer'), STOP_WORKERS_MS);
    await this.#end(this.#slots.filter((slot) => slot.role === 'writer'), STOP_WRITER_MS);
    clearInterval(this.#watchdog);
  }

  /** Asks roles to end and kills what has not after `ms`. */
  async #end(slots: readonly Slot[], ms: number): Promise<void> {
    for (const slot of slots) slot.child?.send({ type: 'stop' });
    const gone = slots.map((slot) => slot.child?.whenExited ?? Promise.resolve());
    const late = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
    await Promise.race([Promise.all(gone), late]);
    for (const slot of slots) {
      if (slot.child === undefined || slot.child.exited) continue;
      this.#log.warn('role did not stop in time, killed', { role: slot.child.name, pid: slot.child.pid });
      slot.child.kill();
    }
    await Promise.all(gone);
  }

  #addSlot(role: Role, number: number): Slot {
    const slot: Slot = { role, number, child: undefined, failures: 0, timer: undefined, everReady: false };
    this.#slots.push(slot);
    this.#spawn(slot);
    return slot;
  }

  /** Resolves when all are ready; rejects when `failed` does. */
  async #whenReady(slots: readonly Slot[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => slots.every((slot) => slot.child?.ready) && resolve();
    this.#lookers.add(look);
    look();
    await Promise.race([promise, this.failed]).finally(() => this.#lookers.delete(look));
  }

  #spawn(slot: Slot): void {
    const { command, listeners } = this.#options;
    const sockets = slot.role === 'worker' ? listeners : [];
    const child = new Child({
      role: slot.role,
      number: slot.number,
      command,
      fds: sockets.map((listener) => listener.fd),
      log: this.#log,
      onReady: () => {
        slot.everReady = true;
        this.#log.debug('role ready', { role: child.name, pid: child.pid });
        for (const look of this.#lookers) look();
      },
      onDone: (id, error) => {
        this.#jobs.get(id)?.(error);
        this.#jobs.delete(id);
      },
      onLogin: (question) => this.#logins.answer(slot.number, question),
      onExit: (code, signal) => this.#exited(slot, child, code, signal),
    });
    slot.child = child;
    this.#sendStart(child, slot.number);
  }

  /** The word to start. A role that died meanwhile gets it with its next process. */
  #sendStart(child: Child, number: number): void {
    const worker = child.role === 'worker';
    child.send({
      type: 'start',
      role: child.role,
      number,
      workers: this.#workers,
      settings: this.#options.settings,
      level: this.#level,
      tls: worker ? this.#tls ?? null : null,
      sockets: worker
        ? this.#options.listeners.map(({ service, path }, index) => ({
          service,
          path,
          fd: FIRST_INHERITED_FD + index,
        }))
        : [],
      loginKey: worker ? this.#loginKey : '',
    });
  }

  #exited(slot: Slot, child: Child, code: number | null, signal: string | null): void {
    if (slot.role === 'worker') this.#logins.workerGone(slot.number);
    if (slot.role === 'janitor') {
      for (const done of this.#jobs.values()) done('the janitor died');
      this.#jobs.clear();
    }
    if (this.#stopping !== undefined) return;
    const fields = { role: child.name, pid: child.pid, code: code ?? undefined, signal: signal ?? undefined };
    const hopeless = code === null ? undefined : HOPELESS.get(code);
    if (!slot.everReady && (hopeless !== undefined || slot.failures + 1 >= FIRST_ATTEMPTS)) {
      this.#log.error('role cannot start', fields);
      this.#fail(
        serverError(`the ${child.name} cannot start; its log line above says why`, undefined, hopeless),
      );
      return;
    }
    if (performance.now() - child.startedAt > STABLE_MS) slot.failures = 0;
    const pause = slot.failures === 0
      ? 0
      : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (slot.failures - 1));
    slot.failures++;
    this.#log.error('role died, starting it again', { ...fields, pause_ms: pause });
    slot.timer = setTimeout(() => this.#spawn(slot), pause);
  }

  #ping(): void {
    for (const { child } of this.#slots) {
      if (child === undefined || !child.ready) continue;
      if (child.silence > (this.#options.hungMs ?? HUNG_MS)) {
        this.#log.error('role hangs, killed', {
          role: child.name,
          pid: child.pid,
          ms: Math.round(child.silence),
        });
        child.kill();
      } else child.ping();
    }
  }

  /** systemd hears of us only while every role that runs has answered within the watchdog's time. */
  #feedWatchdog(): void {
    const { notifier } = this.#options;
    const silent = this.#slots.find(({ child }) =>
      child !== undefined && child.silence > notifier.watchdogMs
    );
    if (silent === undefined) notifier.send('WATCHDOG=1');
    else this.#log.warn('watchdog not fed: a role does not answer', { role: silent.child?.name });
  }

  #broadcast(role: Role, message: Parameters<Child['send']>[0]): void {
    for (const slot of this.#slots) {
      if (slot.role === role) slot.child?.send(message);
    }
  }
}
