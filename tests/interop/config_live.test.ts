/** `config check --live` against a running store: the certificates it shows are those in the files, or that is told. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '../harness/authority.ts';
import { run } from '../harness/command.ts';
import { mailstoreCommand, TestStore } from '../harness/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-live-'));
let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start();
});
afterAll(async () => {
  await store.dispose();
  rmSync(folder, { recursive: true });
});

test('it shows what the files hold, from the first byte and after STARTTLS', () => {
  const { code, stdout, stderr } = store.tool(['config', 'check', '--live']);
  for (const service of ['imap', 'imaps', 'lmtp']) {
    expect(stdout + stderr).toMatch(
      new RegExp(`^${service} \\(127\\.0\\.0\\.1:\\d+\\): shows the certificate in the files, good to `, 'm'),
    );
  }
  expect(code).toBe(0);
});

test('another certificate in the files than the server shows, and a server that is not there', async () => {
  const other = new Authority(folder, 'localhost');
  const config = join(folder, 'other.toml');
  writeFileSync(
    config,
    readFileSync(store.configFile, 'utf8').replaceAll(store.certificate, other.cert)
      .replaceAll(join(store.dir, 'server.key'), other.key),
  );
  const [program = '', ...before] = mailstoreCommand();
  const check = () => run(program, [...before, 'config', 'check', '--live', '-c', config]);
  const changed = await check();
  expect(changed.stderr).toMatch(/^imaps \(.*\): shows another certificate than the files hold; reload/m);
  expect(changed.code).toBe(69);
  await store.stop();
  const stopped = await check();
  expect(stopped.stdout).toMatch(/^imap \(.*\): nothing listens there$/m);
  expect(stopped.code).toBe(0);
});
