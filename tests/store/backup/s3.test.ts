/** Backups in a bucket: signed, resumed after every kind of failure, locked without locks. */

import { afterAll, afterEach, beforeEach, expect, test } from 'bun:test';
import { openTarget } from '../../../src/store/backup/open.ts';
import { pruneTarget } from '../../../src/store/backup/prune.ts';
import { restorePoint } from '../../../src/store/backup/restore/point.ts';
import { restoreStore } from '../../../src/store/backup/restore/whole.ts';
import { runBackup } from '../../../src/store/backup/run.ts';
import { S3Target } from '../../../src/store/backup/s3.ts';
import { verifyTarget } from '../../../src/store/backup/verify.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { ACCESS_KEY, S3Server, SECRET_KEY } from '../../harness/s3.ts';
import { message, type TestFolders } from '../teststore.ts';
import { cleanUp, contents, folders, populate, withStore } from './saved.ts';

let server: S3Server;
let from: TestFolders;

beforeEach(async () => {
  server = await S3Server.start();
  from = folders();
  await withStore(from, populate);
});
afterEach(() => server.close());
afterAll(cleanUp);

function target(beat = 200): S3Target {
  return new S3Target({
    bucket: server.bucket,
    prefix: 'mail/store',
    endpoint: server.endpoint,
    region: server.region,
    accessKeyId: ACCESS_KEY,
    secretAccessKey: SECRET_KEY,
    sessionToken: null,
  }, { request: 600, pauses: [5, 10], beat });
}

const backup = () => runBackup(from.settings, target(), silentLog);

async function restored(): Promise<string> {
  const to = folders();
  const place = target();
  const options = { force: false, newUidvalidity: false };
  const report = await restoreStore(to.settings, place, await restorePoint(place, {}), options, silentLog);
  expect(report.unsaved).toEqual([]);
  return contents(to);
}

test('saved, verified, pruned and restored, every request with the right signature', async () => {
  // Beyond one part of an upload.
  await withStore(from, (store) => store.deliver(message('huge', 12_000_000), 'anna'));
  await backup();
  expect([...server.objects.keys()].every((key) => key.startsWith('mail/store/'))).toBe(true);
  await withStore(from, (store) => store.deliver(message('more'), 'bert'));
  server.received = 0;
  expect((await backup()).figures.objects).toBe(1);
  expect(server.received).toBeLessThan(200_000);
  const layout = layoutOf(from.settings);
  expect(await verifyTarget(target(), layout, { quick: false })).toMatchObject({ runs: 2, findings: [] });
  const policy = { newest: 1, daily: 0, weekly: 0, monthly: 0 };
  expect((await pruneTarget(target(), layout, policy)).removed.length).toBe(1);
  expect(await verifyTarget(target(), layout, { quick: false })).toMatchObject({ runs: 1, findings: [] });
  expect(await restored()).toBe(contents(from));
  expect(server.refused).toBe(0);
  expect([...server.objects.keys()].filter((key) => key.includes('/locks/'))).toEqual([]);
});

test('each request may fail once', async () => {
  const seen = new Set<string>();
  let failures = 0;
  server.fail = ({ method, key, query }) => {
    const request = `${method} ${key} ${query}`;
    if (seen.has(request)) return undefined;
    seen.add(request);
    return failures++ % 7 === 0 && method === 'GET' ? 'truncate' : '500';
  };
  await backup();
  seen.clear();
  expect(await restored()).toBe(contents(from));
  expect(failures).toBeGreaterThan(50);
});

for (const failure of ['500', 'silence', 'lossy'] as const) {
  test(`a service that begins to answer with ${failure} ends the run, the next one goes on`, async () => {
    await backup();
    const whole = contents(from);
    await withStore(from, async (store) => {
      for (let n = 0; n < 12; n++) await store.deliver(message(`new ${n}`, 5_000), 'anna');
    });
    let sent = 0;
    server.fail = ({ method, key }) => {
      if (method === 'PUT' && key.includes('/objects/')) sent++;
      return sent > 5 && key.includes('/objects/') && (method === 'PUT' || failure !== 'lossy')
        ? failure
        : undefined;
    };
    await expect(backup()).rejects.toThrow(/^s3:\/\/backups\/mail\/store: .*(failed 3 times|did not arrive)/);
    server.fail = () => undefined;
    // The last good one is whole.
    expect(await restored()).toBe(whole);
    const { figures, unsaved } = await backup();
    expect(unsaved).toEqual([]);
    expect(figures.objects).toBeGreaterThan(0);
    expect(figures.objects).toBeLessThan(12);
    expect(await restored()).toBe(contents(from));
  });
}

test('an ETag that says nothing costs one look at the bytes, a part with a wrong one fails', async () => {
  server.fail = ({ method }) => method === 'HEAD' ? 'etag' : undefined;
  await backup();
  server.fail = () => undefined;
  expect(await restored()).toBe(contents(from));
  await withStore(from, (store) => store.deliver(message('huge', 12_000_000), 'anna'));
  server.fail = ({ query }) => query.has('partNumber') ? 'etag' : undefined;
  await expect(backup()).rejects.toThrow('InvalidPart');
  expect([...server.objects.keys()].some((key) => (server.objects.get(key)?.length ?? 0) > 10_000_000)).toBe(
    false,
  );
});

test('wrong credentials are named and not tried again', async () => {
  const wrong = new S3Target({
    bucket: server.bucket,
    prefix: '',
    endpoint: server.endpoint,
    region: server.region,
    accessKeyId: ACCESS_KEY,
    secretAccessKey: 'wrong',
    sessionToken: null,
  }, { request: 1500, pauses: [5, 10], beat: 200 });
  await expect(runBackup(from.settings, wrong, silentLog)).rejects.toThrow(
    'failed 1 times: SignatureDoesNotMatch',
  );
  expect(() => openTarget({ ...from.settings, backup_target: 's3://bucket/x' }, undefined, {})).toThrow(
    'AWS_ACCESS_KEY_ID',
  );
});

test('who is at work is not disturbed, a dead one is', async () => {
  const held = await target(50).lock();
  await expect(target(50).lock()).rejects.toThrow('another backup or prune works on');
  await held.release();
  server.objects.set('mail/store/locks/dead', Buffer.from('dead 7\n'));
  const lock = await target(50).lock();
  expect(server.objects.has('mail/store/locks/dead')).toBe(false);
  await lock.release();
});

test('whose lock was taken away puts no manifest', async () => {
  await backup();
  await withStore(from, (store) => store.deliver(message('more'), 'bert'));
  server.fail = ({ method, key }) => {
    // Somebody who took it for dead removed it before it looked.
    if (method === 'HEAD' && key.includes('/locks/')) server.objects.delete(key);
    return undefined;
  };
  const slow = target(5);
  const put = slow.put.bind(slow);
  slow.put = async (name, source, sha256) => {
    await put(name, source, sha256);
    if (name.startsWith('log/')) await new Promise((resolve) => setTimeout(resolve, 100));
  };
  await expect(runBackup(from.settings, slow, silentLog)).rejects.toThrow(
    'somebody else began to work there',
  );
  expect([...server.objects.keys()].filter((key) => key.includes('/runs/')).length).toBe(1);
});
