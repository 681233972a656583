/**
 * System calls that fail: strace makes some calls of one role return an error while everybody works; or writes that are cut
 * short at any byte, by a limit of the size of files. Needs strace and ptrace.
 */

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Round } from './actors.ts';
import { BULK, BYSTANDER, keepSending } from './steps.ts';

export interface Fault {
  readonly role: 'writer' | 'worker' | 'janitor';
  /** `short`: every write, where `when` says which kind of file is cut off. */
  readonly call: string;
  readonly error: string;
  /** Which calls of a thread: "3" the third, "3+" the third and all after it. */
  readonly when: string;
  /** Only calls on the segment of the log that is being written. */
  readonly log?: boolean;
}

const ONCE = ['1', '2', '5', '12'];
const ALWAYS = ['1+', '4+'];

function faults(role: Fault['role'], call: string, errors: string[], when: string[], log = false): Fault[] {
  return errors.flatMap((error) =>
    when.map((at) => ({ role, call, error, when: at, ...(log ? { log } : {}) }))
  );
}

/** Every call by which the store changes or reads files, with what it fails of on real machines. */
export const FAULTS: readonly Fault[] = [
  ...faults('writer', 'fdatasync', ['EIO', 'ENOSPC', 'EDQUOT'], ['1', '3', '1+']),
  ...faults('writer', 'write', ['ENOSPC', 'EIO', 'EDQUOT'], ['1', '3', '1+'], true),
  ...faults('writer', 'openat', ['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'EIO'], [...ONCE, '1+']),
  ...faults('writer', 'pwrite64', ['ENOSPC', 'EIO', 'EDQUOT'], [...ONCE, '30', ...ALWAYS]),
  ...faults('writer', 'pread64', ['EIO'], [...ONCE, ...ALWAYS]),
  ...faults('writer', 'link,linkat', ['ENOSPC', 'EDQUOT', 'EIO'], ['1', '3', '1+']),
  ...faults('writer', 'mkdir,mkdirat', ['ENOSPC', 'EDQUOT', 'EIO'], ['1', '2', '1+']),
  ...faults('writer', 'fsync', ['EIO'], ['1', '2', '1+']),
  ...faults('writer', 'rename,renameat,renameat2', ['ENOSPC', 'EIO'], ['1', '1+']),
  ...faults('writer', 'unlink,unlinkat', ['EIO'], ['1', '1+']),
  ...faults('writer', 'statfs', ['EIO'], ['1', '1+']),
  ...faults('writer', 'short', ['EFBIG'], ['log', 'index', 'message']),
  ...faults('worker', 'openat', ['EMFILE', 'ENFILE', 'ENOSPC', 'EIO'], [...ONCE, '1+']),
  ...faults('worker', 'pread64', ['EIO'], [...ONCE, ...ALWAYS]),
  ...faults('worker', 'fsync', ['EIO', 'ENOSPC'], ['1', '1+']),
  ...faults('worker', 'unlink,unlinkat', ['EIO'], ['1', '1+']),
  ...faults('worker', 'accept4', ['EMFILE', 'ENFILE'], ['1', '1+']),
  ...faults('janitor', 'short', ['EFBIG'], ['checkpoint', 'snapshot']),
  ...faults('janitor', 'openat', ['EMFILE', 'ENFILE', 'ENOSPC', 'EIO'], [...ONCE, '1+']),
  ...faults('janitor', 'pwrite64', ['ENOSPC', 'EIO'], [...ONCE, '1+']),
  ...faults('janitor', 'pread64', ['EIO'], [...ONCE, '1+']),
  ...faults('janitor', 'fsync', ['EIO'], ['1', '1+']),
  ...faults('janitor', 'rename,renameat,renameat2', ['ENOSPC', 'EIO'], ['1', '1+']),
];

/** A name for reports. */
export function nameOf({ role, call, error, when, log }: Fault): string {
  if (call === 'short') return `${role} short writes ${error} ${when}`;
  return `${role} ${call.split(',')[0]}${log === true ? ' of the log' : ''} ${error} ${when}`;
}

/** How long calls fail; the janitor's come with the next checkpoint, or the next snapshot. */
const FAIL_MS = 400;
const JANITOR_MS = 1500;
const SNAPSHOT_MS = 15_000;

/**
 * Lets calls of a role fail for a while; the process may end by it, and the supervisor starts it again. Resolves to how many calls
 * failed.
 */
export async function letFail(round: Round, fault: Fault): Promise<number> {
  const { store, random } = round;
  await sleep(random.below(50));
  const pids = store.roles().get(fault.role) ?? [];
  const pid = pids[random.below(Math.max(1, pids.length))];
  if (pid === undefined) throw new Error(`no ${fault.role} is running`);
  const only: string[] = [];
  if (fault.log === true) {
    const folder = join(store.dir, 'state/log');
    only.push(
      '-P',
      join(folder, readdirSync(folder).filter((name) => name.endsWith('.log')).sort().at(-1) ?? ''),
    );
  }
  round.killed = true;
  if (fault.call === 'short') return await cutWritesShort(round, pid, fault);
  round.unreadable = fault.call === 'pread64';
  const trace = join(store.dir, 'trace');
  const inject = `inject=${fault.call}:error=${fault.error}:when=${fault.when}`;
  const tracer = spawn('strace', ['-f', '-qq', '-o', trace, ...only, '-e', inject, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  tracer.stderr.on('data', (chunk: Buffer) => said += chunk.toString());
  const ended = new Promise<number | null>((resolve) => tracer.on('close', resolve));
  const failed = (): number => readFileSync(trace, 'latin1').match(/\(INJECTED\)/g)?.length ?? 0;
  // It reads and writes databases only for snapshots, which are made when segments go.
  const snapshots = fault.role === 'janitor' && /^p(read|write)64$/.test(fault.call);
  const stop = snapshots ? keepSending(store, BYSTANDER, BULK) : async () => {};
  const lasting = (async () => {
    await sleep(fault.role === 'janitor' ? JANITOR_MS : FAIL_MS);
    for (const begun = performance.now(); snapshots && failed() === 0;) {
      if (performance.now() - begun > SNAPSHOT_MS) break;
      await sleep(100);
    }
    return 'over' as const;
  })();
  if (await Promise.race([ended, lasting]) !== 'over' && /not permitted|Cannot/.test(said)) {
    throw new Error(`strace: ${said.trim()} (a container needs --cap-add SYS_PTRACE)`);
  }
  await stop();
  tracer.kill('SIGINT');
  await ended;
  return failed();
}

/** Where a role's writes are cut off: a little behind what a file of this kind has now. */
function limitFor({ store, random }: Round, file: string): number {
  const state = join(store.dir, 'state');
  if (file === 'message') return 1 + random.below(6000);
  if (file === 'checkpoint') return random.below(300);
  if (file === 'snapshot') return 1 + random.below(100_000);
  if (file === 'index') {
    const journals = readdirSync(state, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('index.db-wal')).map((name) => join(state, name));
    const journal = journals[random.below(Math.max(1, journals.length))];
    const size = journal === undefined ? 0 : statSync(journal, { throwIfNoEntry: false })?.size ?? 0;
    return size + 1 + random.below(9000);
  }
  const segment = readdirSync(join(state, 'log')).filter((name) => name.endsWith('.log')).sort().at(-1) ?? '';
  const bytes = readFileSync(join(state, 'log', segment));
  // What lies behind the last batch is zeros.
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end + 1 + random.below(9000);
}

/** setrlimit(2): a write beyond `bytes` of a file takes what fits, and the next one fails with EFBIG. */
function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  // The process may have ended by it; its successor has no limit.
  spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
}

/** Cuts a role's writes short for a while. Resolves to how many were cut off or failed. */
async function cutWritesShort(round: Round, pid: number, { role, when }: Fault): Promise<number> {
  const trace = join(round.store.dir, 'trace');
  const calls = 'trace=write,pwrite64,pwritev,writev,ftruncate,fallocate';
  const tracer = spawn('strace', ['-f', '-qq', '-s', '0', '-o', trace, '-e', calls, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const state = { ended: false };
  const ended = new Promise<void>((resolve) =>
    tracer.on('close', () => {
      state.ended = true;
      resolve();
    })
  );
  let said = '';
  tracer.stderr.on('data', (chunk: Buffer) => said += chunk.toString());
  await Promise.race([ended, sleep(FAIL_MS / 4)]);
  if (/not permitted|Cannot/.test(said)) {
    throw new Error(`strace: ${said.trim()} (a container needs --cap-add SYS_PTRACE)`);
  }
  limitFiles(pid, limitFor(round, when));
  if (role === 'janitor') {
    // Snapshots are made when segments go.
    const stop = when === 'snapshot' ? keepSending(round.store, BYSTANDER, BULK) : async () => {};
    for (const begun = performance.now(); !state.ended && cutShort(trace) === 0;) {
      if (performance.now() - begun > SNAPSHOT_MS) break;
      await Promise.race([ended, sleep(100)]);
    }
    await stop();
  }
  await Promise.race([ended, sleep(FAIL_MS)]);
  limitFiles(pid, 'unlimited');
  tracer.kill('SIGINT');
  await ended;
  return cutShort(trace);
}

/** How many writes of a trace took less than was asked, or nothing. */
function cutShort(trace: string): number {
  const lines = readFileSync(trace, 'latin1').split('\n');
  return lines.filter((line) => {
    const [, wanted, given] = /, (\d+)(?:, \d+)?\) += (\d+)$/.exec(line) ?? [];
    return line.includes('EFBIG') ||
      wanted !== undefined && Number(given) < Number(wanted) && /write/.test(line);
  }).length;
}
