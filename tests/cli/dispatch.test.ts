import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../../src/cli/commands.ts';
import { findCommand, usage } from '../../src/cli/dispatch.ts';

test('the name it was called by decides, else the first argument', () => {
  expect(findCommand('/usr/local/bin/deliver', ['-e', 'django'])).toEqual({
    name: 'deliver',
    args: ['-e', 'django'],
  });
  expect(findCommand('mailstore', ['deliver', '-e'])).toEqual({ name: 'deliver', args: ['-e'] });
  expect(findCommand('/opt/mailstore-linux-x64', ['serve'])).toEqual({ name: 'serve', args: [] });
  expect(findCommand('mailstore', [])).toEqual({ name: '--help', args: [] });
  // No property every object has is a command.
  expect(findCommand('/bin/toString', ['x'])).toEqual({ name: 'x', args: [] });
});

test('every command can be loaded and is listed', async () => {
  for (const name in COMMANDS) {
    expect(usage()).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    expect(typeof (await COMMANDS[name]?.load())?.run).toBe('function');
  }
});

test('the program answers from source as from the executable', () => {
  const main = join(import.meta.dir, '../../src/main.ts');
  const built = process.env['MAILSTORE_BIN'] ?? '';
  for (const program of [[process.execPath, main], ...(existsSync(built) ? [[built]] : [])]) {
    const run = (...args: string[]) => {
      const done = Bun.spawnSync([...program, ...args], { stdout: 'pipe', stderr: 'pipe' });
      return { code: done.exitCode, out: done.stdout.toString(), err: done.stderr.toString() };
    };
    expect(run('--version')).toEqual({
      code: 0,
      out: expect.stringMatching(/^mailstore \d+\.\d+\.\d+\n$/),
      err: '',
    });
    expect(run('--help')).toEqual({ code: 0, out: usage(), err: '' });
    expect(run('sevre').err).toBe("mailstore: there is no command 'sevre'; 'mailstore --help' lists them\n");
    expect(run('sevre').code).toBe(64);
    expect(run('serve', '--nonsense').code).toBe(64);
    expect(run('serve', '-c', '/nonexistent.toml').code).toBe(78);
  }
});
