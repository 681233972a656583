/** Every *.svtest here: scripts in the language that test the language, extension by extension. */

import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runTestFile } from '../../src/cli/sieve/testsuite/run.ts';

for (const name of readdirSync(import.meta.dir).filter((name) => name.endsWith('.svtest')).sort()) {
  test(name, async () => {
    const log: string[] = [];
    const { blocks, failure } = await runTestFile(join(import.meta.dir, name), {
      log: (text) => log.push(text),
    });
    const failed = blocks.filter(({ reason }) => reason !== null);
    expect({ failed, failure, log: failed.length > 0 || failure !== null ? log : [] }).toEqual({
      failed: [],
      failure: null,
      log: [],
    });
    expect(blocks.length).toBeGreaterThan(0);
  });
}
