/** The process of a checker: does one job after the other, each as long as it takes, and ends with its input. */

import { writeSync } from 'node:fs';
import { libc, PR_SET_PDEATHSIG } from '../../net/libc.ts';
import { checkCrypt } from './crypt.ts';
import { systemGroups } from './groups.ts';
import { checkPam } from './pam.ts';
import type { CheckAnswer, CheckJob } from './protocol.ts';

const SIGKILL = 9;
const STDOUT = 1;

/** Runs until standard input ends; resolves to the exit code. */
export async function runChecker(): Promise<number> {
  // A module that hangs must not outlive the worker.
  libc().prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of Bun.stdin.stream()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) writeSync(STDOUT, `${JSON.stringify(check(JSON.parse(line) as CheckJob))}\n`);
  }
  return 0;
}

function check(job: CheckJob): CheckAnswer {
  try {
    switch (job.kind) {
      case 'crypt':
        return checkCrypt(job.password, job.hash);
      case 'groups':
        return systemGroups(job.user);
      case 'pam':
        return checkPam(job);
    }
  } catch (thrown) {
    return { verdict: 'error', text: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}
