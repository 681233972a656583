/** Every *.svtest here: scripts in the language that test the language, extension by extension. */

import { expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mayRunPrograms, runTestFile } from '../../src/cli/sieve/testsuite/run.ts';

for (const name of readdirSync(import.meta.dir).filter((name) => name.endsWith('.svtest')).sort()) {
  test(name, async () => {
    const log: string[] = [];
    const { blocks, failure } = await runTestFile(join(import.meta.dir, name), {
      log: (text) => log.push(text),
      programs: true,
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

test('root runs no programs for test files of others', async () => {
  expect([mayRunPrograms(0, 1000), mayRunPrograms(0, 0), mayRunPrograms(1000, 1000), mayRunPrograms(1000, 0)])
    .toEqual([false, true, true, true]);
  const folder = mkdtempSync(join(tmpdir(), 'mailstore-svtest-'));
  const file = join(folder, 'evil.svtest');
  writeFileSync(
    file,
    `require ["vnd.dovecot.testsuite", "vnd.dovecot.execute"];
     test_config_set "sieve_plugins" "sieve_extprograms"; test_config_set "sieve_execute_bin_dir" "/bin";
     test_config_reload :extension "vnd.dovecot.execute";
     test "runs" { if not execute "sh" ["-c", "echo > ${folder}/pwned"] { test_fail "it was not run"; } }`,
  );
  const outcome = await runTestFile(file, { log: () => {}, programs: false });
  expect(outcome.failure).toBeNull();
  expect(outcome.blocks.map(({ reason }) => reason)).toEqual(['it was not run']);
  expect(existsSync(join(folder, 'pwned'))).toBe(false);
  expect((await runTestFile(file, { log: () => {}, programs: true })).blocks[0]?.reason).toBeNull();
  expect(existsSync(join(folder, 'pwned'))).toBe(true);
  rmSync(folder, { recursive: true });
});
