/** The scheduled backup: a process of its own that ends with its work, and with the server. */

import { expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../harness/command.ts';

/** What the server's supervisor answered to these jobs. */
async function jobs(root: string, ...lines: string[]): Promise<string[]> {
  const program = join(import.meta.dir, 'backup_program.ts');
  const { code, stdout, stderr } = await run(process.execPath, [program, root], {
    input: `${lines.join('\n')}\n`,
    limitMs: 50_000,
  });
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  return stdout.trim().split('\n');
}

test('is made, its failure is told, and it ends with the server', async () => {
  const root = mkdtempSync(join(tmpdir(), 'mailstore-scheduled-'));
  try {
    expect(await jobs(root, 'backup', 'checkpoint', 'stop')).toEqual([
      'events backup checkpoint expire',
      'backup null',
      'checkpoint null',
      'stopped the process of the backup died (SIGKILL)',
      'after the server stops',
    ]);
    expect(readdirSync(join(root, 'target/runs')).length).toBe(1);
    rmSync(join(root, 'target'), { recursive: true });
    writeFileSync(join(root, 'target'), 'no folder');
    const [, failed] = await jobs(root, 'backup', 'stop');
    expect(failed).toStartWith(`backup the folder ${root}/target cannot be made or used`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
