import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { succeed } from '../harness/command.ts';

const FILE = join(import.meta.dir, '../../src/store/niceness.ts');

test.each([[0, 10], [5, 10], [19, 19]])('started with niceness %i ends with %i', async (before, after) => {
  const script = `import { getPriority } from 'node:os'; import { standBack } from ${JSON.stringify(FILE)};` +
    'standBack(10); console.log(getPriority());';
  // Nobody may take niceness back; root alone would not notice.
  const args = ['-n', String(before), process.execPath, '-e', script];
  expect((await succeed('nice', args)).stdout.trim()).toBe(String(after));
});
