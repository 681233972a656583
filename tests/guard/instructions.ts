/** Instructions that a process tree executes in user mode, where the machine lets them be counted. */

import { spawn } from 'node:child_process';
import { processTree } from '../harness/processes.ts';

/** Instructions while `work` is done; null, without doing the work, where they cannot be counted. */
export async function countInstructions(root: number, work: () => Promise<void>): Promise<number | null> {
  if (!await countable()) return null;
  const counter = perf(['-p', processTree(root).join(',')]);
  await work();
  counter.stop();
  return counted(await counter.output);
}

let known: Promise<boolean> | undefined;

/** Whether this machine has perf and a counter of instructions; virtual machines often have none. */
export function countable(): Promise<boolean> {
  return known ??= perf(['true']).output.then((output) => counted(output) !== null);
}

function perf(args: readonly string[]): { readonly output: Promise<string>; stop(): void } {
  const child = spawn('perf', ['stat', '-x', ',', '-e', 'instructions:u', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const output = new Promise<string>((resolve) => {
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => text += chunk.toString());
    child.on('error', () => resolve('')); // perf is not installed
    child.on('close', () => resolve(text));
  });
  return { output, stop: () => void child.kill('SIGINT') };
}

/** `123456,,instructions:u,...`; `<not supported>` stands where the number would be. */
function counted(output: string): number | null {
  const number = /^(\d+),[^,]*,instructions/m.exec(output)?.[1];
  return number === undefined ? null : Number(number);
}
