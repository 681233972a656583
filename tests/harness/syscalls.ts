/**
 * What a server asks of the kernel while a piece of work is done: system calls, syncs and bytes written to files, counted
 * by strace over its whole process tree. Unlike time these are the same on every machine, however busy it is.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTree } from './processes.ts';

/** Calls that make something durable. */
export const SYNCS = ['fsync', 'fdatasync', 'syncfs', 'sync_file_range', 'sync', 'msync'] as const;

/** Calls that put bytes into files or sockets; which of the two, the name of the descriptor says. */
const WRITES = [
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'pwritev2',
  'sendfile',
  'copy_file_range',
] as const;

/** Calls whose number depends on who was faster: waiting, waking, clocks, signals and memory. */
const WAITING = new Set([
  'brk',
  'clock_gettime',
  'clock_nanosleep',
  'epoll_pwait',
  'epoll_pwait2',
  'epoll_wait',
  'futex',
  'getrusage',
  'gettimeofday',
  'madvise',
  'mmap',
  'mprotect',
  'mremap',
  'munmap',
  'nanosleep',
  'poll',
  'ppoll',
  'restart_syscall',
  'rt_sigaction',
  'rt_sigprocmask',
  'rt_sigreturn',
  'rt_sigtimedwait',
  'sched_yield',
  'select',
  'tgkill',
  'timerfd_settime',
  'wait4',
]);

export interface Calls {
  /** Calls by name, those that only wait left out. */
  readonly calls: Readonly<Record<string, number>>;
  /** Syncs by name. */
  readonly syncs: Readonly<Record<string, number>>;
  /** Bytes written to files (sockets and pipes left out). */
  readonly written: number;
}

/**
 * Follows the process tree below `root` while `work` is done. Only syncs and writes are followed unless `all` is asked
 * for, which slows the server down much more.
 */
export async function tracedCalls(
  root: number,
  work: () => Promise<void>,
  all = false,
): Promise<Calls> {
  const dir = mkdtempSync(join(tmpdir(), 'syscalls-'));
  const file = join(dir, 'trace');
  const what = all ? [] : ['-e', `trace=${[...SYNCS, ...WRITES].join(',')}`];
  const pids = processTree(root).flatMap((pid) => ['-p', String(pid)]);
  const tracer = spawn('strace', ['-f', '-y', '-s', '0', '-o', file, ...what, ...pids], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    await attached(tracer, pids.length / 2);
    await work();
    await sleep(SETTLE_MS);
  } finally {
    tracer.kill('SIGINT');
    await new Promise((resolve) => tracer.once('close', resolve));
  }
  try {
    return countCalls(readFileSync(file, 'latin1'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What is done after the answer (a commit to the index, news to others) belongs to the work. */
const SETTLE_MS = 300;

/** strace says so for every process it has attached to, with its threads. */
async function attached(tracer: ChildProcess, count: number): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    tracer.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if ((said.match(/ attached/g)?.length ?? 0) >= count) resolve();
    });
    tracer.on('error', reject);
    tracer.on('close', () => reject(new Error(`strace ended: ${said}`)));
  });
}

/** A call that began and ended in one line, or the end of one that others interrupted. */
const CALL = /^\d+ +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)\) += (-?\d+)/;
/** The beginning of a call whose end stands further down. */
const UNFINISHED = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/;

/** Counts the lines of `strace -f -y`. */
export function countCalls(trace: string): Calls {
  const calls: Record<string, number> = {};
  const syncs: Record<string, number> = {};
  /** Arguments of the call that a thread is in. */
  const open = new Map<string, string>();
  let written = 0;
  for (const line of trace.split('\n')) {
    const begun = UNFINISHED.exec(line);
    if (begun !== null) {
      open.set(begun[1] ?? '', begun[3] ?? '');
      continue;
    }
    const [, name, rest, result] = CALL.exec(line) ?? [];
    if (name === undefined || WAITING.has(name)) continue;
    const resumed = line.includes('<... ');
    const args = resumed ? open.get(line.slice(0, line.indexOf(' '))) ?? '' : rest ?? '';
    calls[name] = (calls[name] ?? 0) + 1;
    if ((SYNCS as readonly string[]).includes(name)) syncs[name] = (syncs[name] ?? 0) + 1;
    if ((WRITES as readonly string[]).includes(name) && toFile(name, args)) {
      written += Math.max(0, Number(result));
    }
  }
  return { calls, syncs, written };
}

/** The descriptor written to comes first (third in copy_file_range), with its name: 5</path> is a file, 7<socket:[1]> none. */
function toFile(name: string, args: string): boolean {
  const descriptor = name === 'copy_file_range' ? args.split(', ')[2] ?? '' : args;
  return /^\d+<\/(?!dev\/)/.test(descriptor);
}
