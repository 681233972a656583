/** One program of a script: what it gets, what becomes of its output, and that nothing of it stays behind. */

import { afterAll, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExternalOptions, runExternal } from '../../src/delivery/external.ts';
import type { ProgramCall } from '../../src/sieve/host.ts';

const folder = mkdtempSync(join(tmpdir(), 'external-'));
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, script: string): string {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  return name;
}

function start(name: string, options: Partial<ExternalOptions> = {}, call: Partial<ProgramCall> = {}) {
  return runExternal(
    {
      kind: 'execute',
      name,
      args: [],
      input: Buffer.from('a\r\nb\n'),
      sender: 'from@example.com',
      recipient: 'to@example.com',
      originalRecipient: 'first@example.com',
      ...call,
    },
    { folder, eol: null, seconds: 10, env: { USER: 'django' }, ...options },
  );
}

function text({ failed, output }: { failed: string | null; output: Uint8Array }): string {
  expect(failed).toBeNull();
  return Buffer.from(output).toString();
}

test('arguments are arguments, whatever stands in them, and the environment is the message', async () => {
  program('show', 'printf "%s|" "$@" "$SENDER" "$RECIPIENT" "$ORIG_RECIPIENT" "$USER"');
  expect(text(await start('show', {}, { args: ['$(id)', '; ls', 'a b'] })))
    .toBe('$(id)|; ls|a b|from@example.com|to@example.com|first@example.com|django|');
});

test('line ends of the input as they are, or all alike', async () => {
  program('copy', 'cat');
  expect(text(await start('copy'))).toBe('a\r\nb\n');
  expect(text(await start('copy', { eol: 'lf' }))).toBe('a\nb\n');
  expect(text(await start('copy', { eol: 'crlf' }))).toBe('a\r\nb\r\n');
});

test('a program that reads nothing, and one that writes a lot', async () => {
  program('deaf', 'exit 0');
  expect(text(await start('deaf', {}, { input: new Uint8Array(4 << 20) }))).toBe('');
  program('loud', 'head -c 3000000 /dev/zero');
  expect((await start('loud')).output.length).toBe(3_000_000);
});

test('what is no program, or fails, says so', async () => {
  expect((await start('none')).failed).toContain('there is none in the folder');
  writeFileSync(join(folder, 'plain'), '');
  expect((await start('plain')).failed).toContain('there is none in the folder');
  program('fails', 'exit 7');
  expect((await start('fails')).failed).toContain('code 7');
});

test('one that hangs is ended with all that it started', async () => {
  const file = join(folder, 'pid');
  program('hangs', `sleep 600 & echo $! > ${file}; wait`);
  expect((await start('hangs', { seconds: 1 })).failed).toContain('more than 1 seconds');
  const child = readFileSync(file, 'utf8').trim();
  // A process that has ended may still wait to be collected.
  const status = `/proc/${child}/status`;
  const runs = () => existsSync(status) && !/State:\s+Z/.test(readFileSync(status, 'utf8'));
  // It was killed, and is on its way.
  while (runs()) await new Promise((resolve) => setTimeout(resolve, 1));
});

test('what a program leaves behind in the background holds nobody up', async () => {
  program('leaves', 'sleep 5 & echo done');
  expect(text(await start('leaves'))).toBe('done\n');
});
