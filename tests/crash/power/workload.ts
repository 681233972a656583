/** Running the store under strace with clients at work, from its first start on, and reading what was recorded. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NO_OWN_TLS } from '../../../src/config/services.ts';
import { makeSettings, type Settings } from '../../../src/config/settings.ts';
import { userName } from '../../harness/processes.ts';
import { freePorts } from '../../harness/ports.ts';
import { Random } from '../../harness/random.ts';
import { deliver, type Place, Reader } from './client.ts';
import type { Acknowledged } from './expected.ts';
import type { Recording } from './operation.ts';
import { Recorder } from './recording.ts';
import type { Order } from './server.ts';
import { TARGET } from './saved.ts';
import { straceCommand } from './trace.ts';

/** Whatever folder a process runs in is its store: the paths in the log are right wherever an image is put. */
export const HERE = '/proc/self/cwd';

/** Small, so that segments come and go within seconds. */
const SEGMENT_BYTES = 64 * 1024;

/** How long each fdatasync is held up: a kill finds batches that are written and not synced. */
const SYNC_DELAY_US = 6000;

/** A partition on a file system of its own: that of all users but the first ones. */
const OTHER = 'other';

/** The settings of the recorded store and of everything that opens its images. */
export function settingsOf(imap: number, lmtp: number): Settings {
  const common = {
    maxchild: 0,
    proxy_protocol: false,
    tls: false,
    trusted: true,
    ...NO_OWN_TLS,
  };
  const on = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port, family: 'ipv4' }) as const;
  return makeSettings({
    configdirectory: `${HERE}/state`,
    // Not beside configdirectory: its own name has to become durable as well.
    partition: { default: `${HERE}/mail/spool`, [OTHER]: `${HERE}/${OTHER}` },
    defaultpartition: OTHER,
    servername: 'imap.example.org',
    user: userName(),
    workers: 2,
    admins: ['admin'],
    allowplaintext: true,
    altnamespace: true,
    unixhierarchysep: true,
    createonpost: true,
    autocreatequota: -1,
    expunge_retention: 0,
    delete_retention: 0,
    log_segment_size: SEGMENT_BYTES,
    loglevel: 'warn',
    events: [],
    services: [
      { ...common, name: 'imap', protocol: 'imap', listen: on(imap) },
      { ...common, name: 'lmtp', protocol: 'lmtp', listen: on(lmtp) },
    ],
  });
}

export interface Recorded {
  readonly settings: Settings;
  readonly recording: Recording;
  readonly acknowledged: readonly Acknowledged[];
  /** Bytes of the trace. */
  readonly traceBytes: number;
}

export interface WorkloadOptions {
  readonly seed: number;
  /** How many times the clients work through their changes. */
  readonly rounds: number;
  report(text: string): void;
}

/** The program under strace, taking orders. */
class Program {
  private readonly child: Bun.Subprocess<'pipe', 'pipe', 'pipe'>;
  private output = '';
  private waiting: { word: string; done: () => void } | undefined;
  private count = 0;
  private readonly ended: Promise<number>;
  /** What it and all roles wrote to standard error. */
  private readonly said: Promise<string>;

  constructor(root: string, trace: string, settings: Settings) {
    const delay = `fdatasync:delay_enter=${SYNC_DELAY_US}`;
    const program = join(import.meta.dir, 'server.ts');
    this.child = Bun.spawn([
      ...straceCommand(trace),
      '-e',
      `inject=${delay}`,
      // A server that was stopped exits with 75: the next one takes its place and waits for its orders.
      'sh',
      '-c',
      'while "$@"; code=$?; [ $code -eq 75 ]; do :; done; exit $code',
      'sh',
      process.execPath,
      program,
      JSON.stringify(settings),
    ], { cwd: root, stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' });
    this.said = new Response(this.child.stderr).text();
    this.ended = this.child.exited;
    void this.listen();
  }

  private async listen(): Promise<void> {
    for await (const chunk of this.child.stdout) {
      this.output += new TextDecoder().decode(chunk);
      if (this.waiting !== undefined && this.output.includes(`recorded ${this.waiting.word}\n`)) {
        this.waiting.done();
      }
    }
  }

  /** Has it do something; resolves to the word under which the recording names the moment it was done. */
  async order(what: Order['do'], name = ''): Promise<string> {
    const word = `${what}-${++this.count}`;
    const done = new Promise<void>((resolve) => (this.waiting = { word, done: resolve }));
    void this.child.stdin.write(`${JSON.stringify({ do: what, word, name })}\n`);
    void this.child.stdin.flush();
    const died = this.ended.then(async (code) => {
      throw new Error(`the recorded store ended (${code}) in ${word}: ${await this.said}`);
    });
    await Promise.race([done, died]);
    return word;
  }

  async end(): Promise<void> {
    await this.child.stdin.end();
    await this.ended;
  }
}

function system(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}; this needs root`);
}

/** Records a run. */
export async function record(options: WorkloadOptions): Promise<Recorded> {
  const folder = mkdtempSync(join(tmpdir(), 'mailstore-power-'));
  try {
    const root = join(folder, 'root');
    const mounted = join(root, OTHER);
    mkdirSync(mounted, { recursive: true });
    mkdirSync(join(root, TARGET));
    system('mount', '-t', 'tmpfs', '-o', 'size=1g', 'mailstore', mounted);
    const [imap = 0, lmtp = 0] = await freePorts(2);
    const settings = settingsOf(imap, lmtp);
    const trace = join(folder, 'trace');
    const acknowledged: Acknowledged[] = [];
    const place: Place = { imap, lmtp, seed: options.seed, random: new Random(options.seed), acknowledged };
    try {
      const store = new Program(root, trace, settings);
      await work(store, place, options);
      await store.end();
    } finally {
      system('umount', '-l', mounted);
    }
    const bytes = readFileSync(trace);
    const recording = Recorder.record(root, bytes, new Map([[OTHER, null], [TARGET, null]]));
    return { settings, recording, acknowledged, traceBytes: bytes.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const USERS = ['anna', 'bert', 'cora'] as const;

async function work(store: Program, place: Place, options: WorkloadOptions): Promise<void> {
  const told = async (kind: 'added' | 'purged', user: string): Promise<void> => {
    const word = await store.order(kind === 'added' ? 'adduser' : 'purge', user);
    place.acknowledged.push({ kind, user, caller: 0, bytes: 0, word });
  };
  let texts = 0;
  const filter = async (user: string): Promise<void> => {
    const text = `text-${++texts}`;
    const word = await store.order('filter', `${user} ${text}`);
    place.acknowledged.push({ kind: 'filtered', user, text, caller: 0, bytes: 0, word });
  };
  await store.order('start', 'default');
  for (const user of [...USERS, 'admin']) await told('added', user);
  const readers = [
    new Reader(place, 'anna', 'a', 'bert'),
    new Reader(place, 'bert', 'b', null),
    new Reader(place, 'cora', 'c', null),
  ];
  const [, bert] = readers;
  for (const reader of readers) if (reader !== bert) await reader.connect();
  // Bert comes to be on the other partition: what goes to him and others is copied, not linked.
  await store.order('stop');
  await store.order('start');
  for (const reader of readers) reader.disconnect();
  for (const reader of readers) await reader.connect();
  await bert?.share('anna');
  for (const reader of readers) await reader.takeOver();
  // The first large body: the folder of the stage comes into being for it.
  await deliver(place, ['bert'], 1, { padding: 100_000 });
  const traffic = async (changes: number): Promise<void> => {
    await Promise.all([
      ...readers.map((reader) => reader.work(changes)),
      deliver(place, USERS, changes >> 1),
      deliver(place, USERS, changes >> 1),
    ]);
  };
  const again = async (): Promise<void> => {
    for (const reader of readers) reader.disconnect();
    for (const reader of readers) await reader.connect();
  };
  for (let round = 0; round < options.rounds; round++) {
    options.report(`recording, round ${round + 1} of ${options.rounds}`);
    await Promise.all([traffic(5), filter('anna').then(() => filter('bert'))]);
    await told('added', 'dora');
    await deliver(place, ['dora', 'anna'], 3);
    // Nobody changes anything meanwhile: the journals are folded back as a whole and begin anew.
    await store.order('checkpoint');
    await store.order('giveupreserve');
    for (let kills = 0; kills < 3; kills++) await killed(store, place, 'killwriter');
    await told('purged', 'dora');
    await store.order('backup');
    await Promise.all([traffic(5), store.order('expire')]);
    await store.order('checkpoint');
    await told('added', 'dora');
    await deliver(place, ['dora', 'bert'], 2);
    await store.order('checkpoint');
    await store.order('stop');
    // The next start makes it anew; what the log has of it lies below the checkpoint.
    await store.order('damagedirectory');
    await store.order('start');
    await again();
    // What others copied from her has to stay when she goes.
    const dora = new Reader(place, 'dora', 'd', null);
    await dora.connect();
    await dora.lend('anna', 'bert');
    await deliver(place, ['dora'], 3);
    for (const reader of readers.slice(0, 2)) await reader.takeFrom('dora');
    dora.disconnect();
    await told('purged', 'dora');
    // What the log has of her behind her snapshot lies below the checkpoint: nobody replays it.
    await store.order('checkpoint');
    await deliver(place, ['cora'], 2);
    await store.order('checkpoint');
    await store.order('rebuild', 'cora');
    await told('added', 'eve');
    await deliver(place, ['eve'], 3);
    await filter('eve');
    await store.order('fromspool', 'eve');
    await Promise.all([traffic(4), filter('cora').then(() => store.order('checkpoint'))]);
    await filter('cora');
    await killed(store, place, 'killall');
    await again();
    // More than the segments that stay in any case: those that go reach beyond the checkpoint before.
    await deliver(place, ['cora'], 20, { padding: 50_000 });
    await store.order('expire');
    // What the first run sent is not sent again.
    await Promise.all([traffic(3), store.order('backup')]);
    if (round > 0) continue;
    await store.order('restore');
    await traffic(2);
    await store.order('backup');
    await store.order('restore', 'force');
  }
  for (const reader of readers) reader.disconnect();
}

/** kill -9 while mail arrives; then waits until the store takes mail again. */
async function killed(store: Program, place: Place, what: 'killwriter' | 'killall'): Promise<void> {
  const over = new AbortController();
  const busy = Promise.all([
    deliver(place, USERS, 100, { until: over.signal }),
    deliver(place, USERS, 100, { until: over.signal }),
  ]);
  await sleep(60 + place.random.below(60));
  await store.order(what);
  over.abort();
  await busy;
  const before = place.acknowledged.length;
  for (let tries = 0; place.acknowledged.length === before; tries++) {
    if (tries === 200) throw new Error(`the store takes no mail after ${what}`);
    await deliver(place, ['cora'], 1);
    await sleep(25);
  }
}
