/** Secrets in directory.db: of those who would set one at once, one wins. */

import { afterEach, beforeEach, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { EmbeddedSecrets, makeSecret } from '../../src/auth/secrets/embedded.ts';
import { makeHashedSecret } from '../../src/auth/secrets/hashed.ts';
import { learning } from '../../src/auth/secrets/transition.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { TestFolders, TestStore } from './teststore.ts';

let folders: TestFolders;
let t: TestStore;
beforeEach(() => {
  folders = new TestFolders();
  t = new TestStore(folders);
});
afterEach(async () => {
  await t.close();
  rmSync(folders.root, { recursive: true });
});

test('replace sets only over what was seen', async () => {
  const { secrets } = t.store;
  expect(await secrets.replace('anna', 'first', 'second')).toBe(false);
  expect(await secrets.replace('anna', null, 'first')).toBe(true);
  expect(await secrets.replace('anna', null, 'other')).toBe(false);
  expect(secrets.get('anna')?.secret).toBe('first');
  const all = Array.from({ length: 20 }, (_, index) => secrets.replace('anna', 'first', `new ${index}`));
  expect((await Promise.all(all)).filter((set) => set)).toHaveLength(1);
  await secrets.remove('anna');
  expect(await secrets.replace('anna', 'first', 'again')).toBe(false);
  expect(secrets.get('anna')).toBeNull();
});

test('a password that is taken over never undoes a change or a removal that came between', async () => {
  const { secrets } = t.store;
  const hash = makeHashedSecret(await Bun.password.hash('old', { algorithm: 'bcrypt', cost: 4 }));
  const learn = learning(makeSettings({ sasl_auto_transition: 'yes' }), secrets, silentLog);
  if (learn === undefined) throw new Error('nothing is learned');
  // The writer's answer to the administrator comes between the check of the old password and its being kept.
  for (const between of [await makeSecret('new', false), null]) {
    await secrets.set('anna', hash);
    let kept: Promise<void> | undefined;
    const source = new EmbeddedSecrets(secrets, {
      learn: (userid, password, before) =>
        kept = (between === null ? secrets.remove(userid) : secrets.set(userid, between))
          .then(() => learn.keep(userid, password, before)),
    });
    expect(await source.verify('anna', 'old')).toBe(true);
    await kept;
    expect(secrets.get('anna')?.secret ?? null).toBe(between);
  }
  // Two logins at once: one of them keeps it.
  await secrets.set('anna', hash);
  await Promise.all([learn.keep('anna', 'old', hash), learn.keep('anna', 'old', hash)]);
  expect(secrets.get('anna')?.secret).toContain('scram_sha_256');
});
