/** The executable built here, with the defaults of its configuration. */

import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSecret } from '../../../src/auth/secrets/embedded.ts';
import { makeSettings } from '../../../src/config/settings.ts';
import { openStore } from '../../../src/store/open.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { userName } from '../../../tests/harness/processes.ts';
import { SCRIPT, SIEVE_USERS } from '../script.ts';
import { PASSWORD, type ServerKind } from './server.ts';

const PROGRAM = process.env['MAILSTORE_BIN'] ?? join(import.meta.dir, '../../../dist/mailstore');

export const mailstore: ServerKind = {
  name: 'mailstore',
  idleAtMost: Infinity,

  version() {
    if (!existsSync(PROGRAM)) return undefined;
    const asked = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
    return /\d+\.\d+\.\d+/.exec(asked.stdout)?.[0] ?? 'unknown';
  },

  async prepare(dir, ports, certificate, users) {
    const lmtp = join(dir, 'lmtp');
    const file = join(dir, 'mailstore.toml');
    writeFileSync(
      file,
      `[server]
user = "${userName()}"
[store]
configdirectory = "${dir}/state"
partition = { default = "${dir}/spool" }
[auth]
allowplaintext = true
[mailbox]
autocreatequota = -1
createonpost = true
altnamespace = true
[tls]
server_cert = "${certificate.file}"
server_key = "${certificate.key}"
[services.imap]
listen = "127.0.0.1:${ports.imap}"
[services.imaps]
listen = "127.0.0.1:${ports.imaps}"
[services.pop3]
listen = "127.0.0.1:${ports.pop3}"
[services.lmtpunix]
listen = "${lmtp}"
`,
    );
    await addUsers(dir, users);
    return { command: [PROGRAM, 'serve', '-c', file], lmtp };
  },
};

/** What `mailstore user add` does, for all of them in one process. */
async function addUsers(dir: string, users: readonly string[]): Promise<void> {
  const settings = makeSettings({
    configdirectory: join(dir, 'state'),
    partition: { default: join(dir, 'spool') },
    autocreatequota: -1,
  });
  const store = await openStore(settings, silentLog, 'direct');
  try {
    await Promise.all(users.map(async (user) => store.secrets.set(user, await makeSecret(PASSWORD, false))));
    for (const user of users.filter((user) => SIEVE_USERS.includes(user))) {
      const session = store.session({ userid: user, admin: false, groups: [] });
      await session.login();
      await session.scripts.put('rules', Buffer.from(SCRIPT), { maxScripts: 1 });
      await session.scripts.setActive('rules');
    }
  } finally {
    await store.close();
  }
}
