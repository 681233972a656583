/** A program as a stream: what is written is its standard input, what it writes to standard output is read. */

import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { serverError } from '../../errors.ts';

/** How long a program that was told to end may take before it is killed. */
const GRACE_MS = 10_000;

/** @throws MailError 'unavailable' naming the program, where it cannot be run */
export async function runProgram(program: string, args: readonly string[]): Promise<Duplex> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('spawn', resolve);
  child.once('error', reject);
  await promise.catch((thrown: Error) => {
    throw serverError(`${program} cannot be run: ${thrown.message}`, thrown);
  });
  const { stdin, stdout } = child;
  const stream = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk, _encoding, done) => void stdin.write(chunk, done),
    final(done) {
      stdin.end(done);
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      child.once('exit', () => clearTimeout(timer));
    },
    destroy(error, done) {
      child.kill('SIGKILL');
      done(error);
    },
  });
  stdout.on('data', (chunk) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stdout.on('end', () => stream.push(null));
  // A program that closed its input has said why on its output, or nothing can be said.
  stdin.on('error', () => {});
  return stream;
}
