import { afterAll, expect, test } from 'bun:test';
import type { CommandIo } from '../../src/cli/command.ts';
import { ptexpireCommand } from '../../src/cli/ptexpire.ts';
import { Folder } from '../config/folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

async function run(...args: string[]): Promise<string> {
  let stdout = '';
  const io: CommandIo = {
    stdin: new ReadableStream(),
    stdout: (text) => void (stdout += text),
    stderr: () => {},
    env: {},
  };
  expect(await ptexpireCommand.run(args, io)).toBe(0);
  return stdout;
}

test('what is kept in memory is said with its time, as Cyrus configures it', async () => {
  const file = folder.write('imapd.conf', 'ptscache_timeout: 600\n');
  expect(await run('-C', file, '-E', '3600')).toContain('for 600 s (auth.ptscache_timeout)');
});

test('what it does not know is refused', () => {
  expect(() => ptexpireCommand.run(['anna'], {} as CommandIo)).toThrow('takes no names');
});
