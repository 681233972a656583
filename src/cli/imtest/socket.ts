/**
 * The session after the login over a unix socket in place of standard input and output (-x), also of a process that goes on
 * in the background (-X): one login, and the commands of a script.
 */

import { spawn } from 'node:child_process';
import { closeSync, lstatSync, openSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { serverError, userError } from '../../errors.ts';
import { selfProgram } from '../../server/self.ts';
import type { CommandIo } from '../command.ts';
import type { ProgramName } from './programs.ts';

/** Names the descriptor on which a process in the background tells that it can be spoken with. */
export const DETACHED = 'MAILSTORE_TEST_CLIENT_DETACHED';
const READY_FD = 3;

/**
 * Waits at a socket of this path for whoever connects first. Nobody but the user of this process can: there somebody is
 * logged in.
 * @param listening is called once one can connect
 * @param over resolves when there is nothing to connect for any more
 * @throws MailError 'cannot' where the socket cannot be made, 'unavailable' where it was over before
 */
export async function acceptOne(path: string, listening: () => void, over: Promise<void>): Promise<Socket> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSocket()) {
    throw userError('cannot', `${path} is there and is no socket; name another one`);
  }
  if (there !== undefined) rmSync(path);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, resolve);
  const mask = process.umask(0o177);
  server.once('error', (error) => reject(userError('cannot', `no socket can be made: ${error.message}`)));
  server.listen(path, () => {
    process.umask(mask);
    listening();
  });
  void over.then(() =>
    reject(serverError('the server closed the connection before anybody came to the socket'))
  );
  try {
    return await promise;
  } finally {
    process.umask(mask);
    server.close();
    rmSync(path, { force: true });
  }
}

/** The same command in a process that goes on by itself; resolves to 0 once it can be spoken with, or to its exit code. */
export async function inBackground(
  name: ProgramName,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const [program = '', ...before] = selfProgram();
  const child = spawn(program, [...before, name, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    detached: true,
    env: { ...env, [DETACHED]: '1' },
  });
  const stop = () => void child.kill();
  process.once('SIGINT', stop);
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (ended) => resolve(ended ?? 1));
    child.stdio[READY_FD]?.once('data', () => resolve(0));
  });
  process.off('SIGINT', stop);
  child.unref();
  return code;
}

/** Output by the descriptors themselves: the runtime's streams keep copies, which a reader at the other end would wait for. */
export function bareOutput(io: CommandIo): CommandIo {
  const write = (fd: number, text: string | Uint8Array) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  };
  return {
    get stdin() {
      return io.stdin;
    },
    stdout: (text) => write(1, text),
    stderr: (text) => write(2, text),
    env: io.env,
  };
}

/** Tells who started this process that it goes on alone, and lets go of the terminal. */
export function goOnAlone(): void {
  writeSync(READY_FD, 'ready');
  closeSync(READY_FD);
  for (const [fd, mode] of [[0, 'r'], [1, 'w'], [2, 'w']] as const) {
    closeSync(fd);
    // The lowest number that is free.
    openSync('/dev/null', mode);
  }
}
