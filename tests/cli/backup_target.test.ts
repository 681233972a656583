/** `mailstore backup` with its actions on a bucket, and what it says when something is wrong. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LmtpClient } from '../harness/lmtp.ts';
import { ACCESS_KEY, S3Server, SECRET_KEY } from '../harness/s3.ts';
import { TestStore } from '../harness/server.ts';
import { emptyStore, letter, look, ok, tool, withoutUidnext } from './saved.ts';

const BUCKET = 's3://backups/of/mail';

let server: S3Server;
let store: TestStore;
let credentials: string;

beforeAll(async () => {
  server = await S3Server.start();
  credentials = join(process.env['TMPDIR'] ?? '/tmp', `mailstore-s3-${process.pid}.credentials`);
  writeFileSync(
    credentials,
    `[default]\naws_access_key_id = ${ACCESS_KEY}\naws_secret_access_key = ${SECRET_KEY}\n`,
    { mode: 0o600 },
  );
  store = await TestStore.start({ users: ['anna', 'bert'], config: { backup: configuration() } });
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  for (let n = 0; n < 5; n++) {
    await lmtp.deliver('x@example.org', ['anna', 'bert'], letter(`m${n}`, 1000 * n + 300));
  }
  await lmtp.quit();
});

afterAll(async () => {
  await store.dispose();
  server.close();
});

function configuration(): Record<string, string> {
  return {
    target: `"${BUCKET}"`,
    s3_endpoint: `"${server.endpoint}"`,
    s3_region: `"${server.region}"`,
    s3_credentials: `"${credentials}"`,
  };
}

test('from the first run to a restore elsewhere', async () => {
  await ok(store, ['backup']);
  await ok(store, ['backup']);
  expect((await ok(store, ['backup', 'list'])).split('\n').length).toBe(4);
  expect(await ok(store, ['backup', 'verify'])).toMatch(
    /^2 runs, \d+ indexes and logs, 5 messages, .*: in order/,
  );
  expect(
    await ok(store, ['backup', 'prune', '--keep', '1', '--keep-daily', '1', '--keep-weekly', '8']),
  ).toStartWith('1 runs removed');
  expect(await ok(store, ['backup', 'verify', '--quick'])).toStartWith('1 runs');
  const fresh = await emptyStore({ config: { backup: configuration() } });
  try {
    await ok(fresh, ['restore']);
    await fresh.run();
    expect(withoutUidnext(await look(fresh, 'anna'))).toEqual(withoutUidnext(await look(store, 'anna')));
  } finally {
    await fresh.dispose();
  }
});

test('a service that refuses is said, and seen in the list until a run succeeds', async () => {
  server.fail = ({ method, key }) => method === 'PUT' && key.includes('/log/') ? 'denied' : undefined;
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  await lmtp.deliver('x@example.org', ['anna'], letter('new'));
  await lmtp.quit();
  const failed = await tool(store, ['backup']);
  expect([failed.code, failed.stderr]).toEqual([75, expect.stringContaining(`${BUCKET}: sending log/`)]);
  server.fail = () => undefined;
  const listed = await tool(store, ['backup', 'list']);
  expect([listed.code, listed.stdout]).toEqual([
    65,
    expect.stringContaining('The last attempt failed at 20'),
  ]);
  await ok(store, ['backup']);
  expect(await ok(store, ['backup', 'list'])).not.toContain('failed');
});

test('credentials for everybody to read are refused', async () => {
  chmodSync(credentials, 0o644);
  try {
    const { code, stderr } = await tool(store, ['backup']);
    expect([code, stderr]).toEqual([78, expect.stringContaining('chmod 640')]);
  } finally {
    chmodSync(credentials, 0o600);
  }
});

test('what does not go together is said before anything is done', async () => {
  const wrong = async (...args: string[]) => {
    const { code, stderr } = await tool(store, ['backup', ...args]);
    expect([args, code]).toEqual([args, 64]);
    return stderr;
  };
  expect(await wrong('prune')).toContain('--keep');
  expect(await wrong('prune', '--keep', 'all')).toContain('is not a number');
  expect(await wrong('list', '--keep', '3')).toContain('backup prune');
  expect(await wrong('--quick')).toContain('backup verify');
  expect(await wrong('/a', '/b')).toContain('takes no "/b"');
  const { code, stderr } = await tool(store, ['backup', 'relative/path']);
  expect([code, stderr]).toEqual([65, expect.stringContaining('an absolute path or s3://BUCKET/PREFIX')]);
});
