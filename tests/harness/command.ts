/** Foreign programs a test runs: mail clients, tools, scripts. */

import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After this time the program is killed and the run fails. */
  readonly limitMs?: number;
}

/** How a program ended and what it said. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. Output is read as one byte per character. */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  const child = spawn(program, args, { cwd: options.cwd, env: { ...process.env, ...options.env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout += chunk.toString('latin1'));
  child.stderr.on('data', (chunk: Buffer) => stderr += chunk.toString('latin1'));
  child.stdin.on('error', () => {}); // it may end without reading all
  child.stdin.end(options.input ?? '', 'latin1');
  const limit = options.limitMs ?? 30_000;
  const timer = setTimeout(() => child.kill('SIGKILL'), limit);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
    child.on('close', resolve);
  });
  clearTimeout(timer);
  if (code === null) {
    throw new Error(`${program} was killed, after ${limit} ms at most:\n${stdout}\n${stderr}`);
  }
  return { code, stdout, stderr };
}

/** Runs a program that must succeed. */
export async function succeed(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  const ended = await run(program, args, options);
  if (ended.code !== 0) {
    throw new Error(
      `${program} ${args.join(' ')} ended with ${ended.code}:\n${ended.stdout}\n${ended.stderr}`,
    );
  }
  return ended;
}
