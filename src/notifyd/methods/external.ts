import { spawn } from 'node:child_process';
import { limits } from '../../limits.ts';
import type { Method } from '../method.ts';

/**
 * A program of the administrator's, called as Cyrus's `notify_external` is: -c class -p priority -u user -m mailbox and, where
 * there is one, -f file; the message on its standard input. No shell reads any of it.
 */
export const externalMethod: Method = {
  name: 'external',
  unusable: ({ notify_external: program }) => program === '' ? 'notify.external names no program' : null,
  notify({ class: className, priority, user, mailbox, message, file }, { settings }) {
    // What begins with a dash is still the value of the option in front of it, in every getopt there is.
    const args = [
      '-c',
      className,
      '-p',
      priority,
      '-u',
      user,
      '-m',
      mailbox,
      ...(file === '' ? [] : ['-f', file]),
    ];
    return runToItsEnd(settings.notify_external, args, `${message}\n`);
  },
};

async function runToItsEnd(program: string, args: readonly string[], input: string): Promise<void> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new Error(`${program} does not end`));
  }, limits.notify_seconds.value * 1000);
  child.once('error', reject);
  child.once('exit', (code, signal) => {
    if (code === 0) resolve();
    else reject(new Error(`${program} ended with ${code ?? signal}`));
  });
  // It may end without reading all.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
