import { expect, test } from 'bun:test';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { succeed } from '../harness/command.ts';

const FILE = join(import.meta.dir, '../../src/store/niceness.ts');

test.each([0, 5, 19])(
  'started %i nicer than this, at least 10 and never less than before',
  async (before) => {
    const after = Math.max(10, Math.min(19, getPriority() + before));
    const script =
      `import { getPriority } from 'node:os'; import { standBack } from ${JSON.stringify(FILE)};` +
      'standBack(10); console.log(getPriority());';
    // Nobody may take niceness back; root alone would not notice.
    const args = ['-n', String(before), process.execPath, '-e', script];
    expect((await succeed('nice', args)).stdout.trim()).toBe(String(after));
  },
);
