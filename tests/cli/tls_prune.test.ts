import { afterAll, expect, test } from 'bun:test';
import { tlsPruneCommand } from '../../src/cli/tls_prune.ts';
import { Folder } from '../config/folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

async function prune(toml: string): Promise<string> {
  let stdout = '';
  const io = {
    stdin: new ReadableStream(),
    stdout: (text: string | Uint8Array) => void (stdout += text),
    stderr() {},
    env: {},
  };
  expect(await tlsPruneCommand.run(['-c', folder.write('m.toml', toml)], io)).toBe(0);
  return stdout;
}

test('tls_prune removes nothing and says how long sessions live', async () => {
  expect(await prune('')).toBe(
    'TLS sessions can be resumed for 1d; clients keep them, there is nothing to remove.\n',
  );
  expect(await prune('[tls]\nsession_timeout = "90m"\n')).toContain('for 90m;');
  expect(await prune('[tls]\nsession_timeout = 0\n')).toStartWith('TLS sessions are not resumed');
});
