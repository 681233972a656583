import { afterAll, expect, test } from 'bun:test';
import { checkCommand } from '../../src/cli/check.ts';
import type { CommandIo } from '../../src/cli/command.ts';
import { Folder } from '../config/folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

async function run(...args: string[]): Promise<{ code: number; stdout: string }> {
  let stdout = '';
  const io: CommandIo = {
    stdin: new ReadableStream(),
    stdout: (text) => void (stdout += text),
    stderr: () => {},
    env: {},
  };
  return { code: await checkCommand.run(args, io), stdout };
}

test('--last shows what the server found by itself', async () => {
  const root = folder.write('unused', '').replace(/\/unused$/, '');
  const config = folder.write('store.toml', `[store]\nconfigdirectory = "${root}"\n`);
  expect(await run('--last', '-c', config)).toEqual({
    code: 0,
    stdout: 'the server has not read everything yet\n',
  });
  const finding = { severity: 'damage', userid: 'anna', place: '/spool/file', text: 'the file is missing' };
  const report = { started: 0, finished: 60, after: 'anna', users: 1, findings: [finding] };
  folder.write('scrub.json', JSON.stringify(report));
  const { code, stdout } = await run('--last', '-c', config);
  expect(code).toBe(65);
  expect(stdout).toMatch(/damage +anna +\/spool\/file +the file is missing/);
  expect(stdout).toContain(
    '1 users, begun 1970-01-01T00:00:00.000Z, finished 1970-01-01T00:01:00.000Z: damage found\n',
  );
  expect(JSON.parse((await run('--last', '--json', '-c', config)).stdout)).toEqual(report);
});
