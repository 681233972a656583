/**
 * A server as the kernel sees it: the process that was started and everything below it. Memory, processor time
 * and kill -9 are taken over the whole tree, so that a server of many processes and one of few compare fairly.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Clock ticks per second in /proc/PID/stat; fixed at 100 on Linux for every architecture in use. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly ppid: number;
  readonly state: string;
  /** User and system time of the process and of the children it has waited for, in clock ticks. */
  readonly ticks: number;
}

function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // gone meanwhile
  }
  // The command name stands in parentheses and may hold spaces; fields are counted behind the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const number = (index: number): number => Number(fields[index] ?? 0);
  return {
    state: fields[0] ?? '',
    ppid: number(1),
    ticks: number(11) + number(12) + number(13) + number(14),
  };
}

/** The living processes at and below `root`, parents first. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const stat = readStat(pid);
    if (stat === undefined || stat.state === 'Z') continue;
    const siblings = children.get(stat.ppid);
    if (siblings === undefined) children.set(stat.ppid, [pid]);
    else siblings.push(pid);
  }
  const tree = readStat(root) === undefined ? [] : [root];
  for (let at = 0; at < tree.length; at++) tree.push(...(children.get(tree[at] ?? 0) ?? []));
  return tree;
}

/** Proportional set size of the tree in KB: private memory plus each process's share of what is shared. */
export function memoryOf(root: number): number {
  let total = 0;
  for (const pid of processTree(root)) {
    try {
      const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
      total += Number(match?.[1] ?? 0);
    } catch {
      // gone meanwhile
    }
  }
  return total;
}

/** Processor seconds the tree has used so far, with those of children that have already ended. */
export function processorSeconds(root: number): number {
  let ticks = 0;
  for (const pid of processTree(root)) ticks += readStat(pid)?.ticks ?? 0;
  return ticks / TICKS_PER_SECOND;
}

/** kill -9 of the whole tree at once: stopped first, so that no parent restarts a child. Resolves when all are gone. */
export async function killTree(root: number): Promise<void> {
  let pids = processTree(root);
  for (const pid of pids) signal(pid, 'SIGSTOP');
  pids = processTree(root); // children forked between the two looks
  for (const pid of pids) signal(pid, 'SIGKILL');
  await gone(pids);
}

/** Suspends the processes of one of mailstore's roles; the returned function lets them go on. */
export function suspendRole(root: number, role: string): () => void {
  const pids = processTree(root).filter((pid) =>
    commandLine(pid).includes(`--role\0${role}`) || commandLine(pid).includes(`--role=${role}`)
  );
  if (pids.length === 0) throw new Error(`no ${role} is running`);
  for (const pid of pids) signal(pid, 'SIGSTOP');
  return () => {
    for (const pid of pids) signal(pid, 'SIGCONT');
  };
}

/** The arguments of a process, each ended by NUL; empty when it is gone. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** Resolves when none of the processes runs any more. */
export async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some(isRunning)) await sleep(1);
}

/** Whether a process runs; one that has ended and only waits for its parent does not. */
export function isRunning(pid: number): boolean {
  const state = readStat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** The name of the user who runs this. */
export function userName(): string {
  return spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim();
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // gone meanwhile
  }
}
