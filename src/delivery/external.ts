/** Programs that scripts may run (vnd.dovecot.pipe, filter, execute): files in a folder of the configuration, without a shell. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../limits.ts';
import type { ProgramCall, ProgramOutcome } from '../sieve/host.ts';

export interface ExternalOptions {
  /** Where the programs are. */
  readonly folder: string;
  /** What line ends of the input become; null leaves them. */
  readonly eol: 'crlf' | 'lf' | null;
  /** Seconds a program may take; 0 for as long as it likes. */
  readonly seconds: number;
  /** Variables of its environment besides those of the message. */
  readonly env: Readonly<Record<string, string>>;
}

const NOTHING = new Uint8Array(0);

/** Runs a program and waits for its end. Never rejects. */
export async function runExternal(call: ProgramCall, options: ExternalOptions): Promise<ProgramOutcome> {
  const failed = (reason: string): ProgramOutcome => ({
    failed: `program "${call.name}": ${reason}`,
    output: NOTHING,
  });
  const path = join(options.folder, call.name);
  if (!isProgram(path)) return failed('there is none in the folder of the configuration');
  let child: ReturnType<typeof spawn>;
  try {
    child = spawn(path, call, options);
  } catch (thrown) {
    return failed(thrown instanceof Error ? thrown.message : String(thrown));
  }
  let late = false;
  const timer = options.seconds <= 0 ? null : setTimeout(() => {
    late = true;
    killAll(child.pid);
  }, options.seconds * 1000);
  try {
    const output = await collected(child.stdout, child.exited);
    if (output === null) killAll(child.pid);
    const code = await child.exited;
    if (late) return failed(`it took more than ${options.seconds} seconds`);
    if (output === null) return failed(`it wrote more than ${limits.sieve_program_output.value} octets`);
    return code === 0
      ? { failed: null, output }
      : failed(`it ended with ${child.signalCode ?? `code ${code}`}`);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

function isProgram(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.isFile() && (stat.mode & 0o111) !== 0;
}

/** A program and all it has started, which are a group of processes of their own. */
function killAll(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // They have ended already.
  }
}

function spawn(
  path: string,
  { args, input, sender, recipient, originalRecipient }: ProgramCall,
  options: ExternalOptions,
) {
  return Bun.spawn([path, ...args], {
    stdin: withLineEnds(input, options.eol),
    stdout: 'pipe',
    stderr: 'ignore',
    detached: true,
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      ...options.env,
      SENDER: sender,
      RECIPIENT: recipient,
      ORIG_RECIPIENT: originalRecipient,
    },
  });
}

/** What a program writes until it ends, null if that is too much. What its own children still write is not waited for. */
async function collected(
  stream: ReadableStream<Uint8Array>,
  exited: Promise<number>,
): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  const ended = exited.then(() => null);
  for (;;) {
    const read = reader.read();
    const first = await Promise.race([read, ended]);
    // After the end there may be something in the pipe still, but nobody waits for more.
    const next = first ?? await Promise.race([read, Bun.sleep(50).then(() => null)]);
    if (next === null || next.done) break;
    size += next.value.length;
    if (size > limits.sieve_program_output.value) {
      void reader.cancel();
      return null;
    }
    chunks.push(next.value);
  }
  void reader.cancel();
  return Buffer.concat(chunks);
}

function withLineEnds(input: Uint8Array, eol: ExternalOptions['eol']): Uint8Array {
  if (eol === null) return input;
  const text = Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1');
  return Buffer.from(text.replace(/\r?\n/g, eol === 'crlf' ? '\r\n' : '\n'), 'latin1');
}
