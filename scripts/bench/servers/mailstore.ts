/** The executable built here, with the defaults of its configuration. */

import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { userName } from '../../../tests/harness/processes.ts';
import { PASSWORD, type ServerKind } from './server.ts';

const PROGRAM = process.env['MAILSTORE_BIN'] ?? join(import.meta.dir, '../../../dist/mailstore');

export const mailstore: ServerKind = {
  name: 'mailstore',

  version() {
    if (!existsSync(PROGRAM)) return undefined;
    const asked = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
    return /\d+\.\d+\.\d+/.exec(asked.stdout)?.[0] ?? 'unknown';
  },

  prepare(dir, ports, users) {
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
[services.imap]
listen = "127.0.0.1:${ports.imap}"
[services.lmtpunix]
listen = "${lmtp}"
`,
    );
    for (const user of users) {
      const added = spawnSync(PROGRAM, ['user', 'add', '-c', file, user], {
        input: `${PASSWORD}\n`,
        encoding: 'utf8',
      });
      if (added.status !== 0) throw new Error(`mailstore user add ${user}: ${added.stderr}`);
    }
    return Promise.resolve({ command: [PROGRAM, 'serve', '-c', file], lmtp: `unix:${lmtp}` });
  },
};
