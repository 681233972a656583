/** Debian's Dovecot with Maildir and its default durability (mail_fsync = optimized). */

import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, type ServerKind } from './server.ts';

const PROGRAM = '/usr/sbin/dovecot';
/** Debian's user `mail` owns the mail folders. */
const MAIL_ID = 8;

export const dovecot: ServerKind = {
  name: 'dovecot',

  version() {
    const asked = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
    return asked.status === 0 ? asked.stdout.trim().split(' ')[0] : undefined;
  },

  prepare(dir, ports) {
    const home = join(dir, 'home');
    mkdirSync(home);
    chownSync(home, MAIL_ID, MAIL_ID);
    const file = join(dir, 'dovecot.conf');
    writeFileSync(
      file,
      `base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:~/Maildir
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${MAIL_ID} gid=${MAIL_ID} home=${home}/%u allow_all_users=yes
}
service imap-login {
  process_limit = 2000
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = 0
  }
}
service imap {
  process_limit = 2000
}
service anvil {
  client_limit = 10000
}
service auth {
  client_limit = 10000
}
`,
    );
    return Promise.resolve({ command: [PROGRAM, '-F', '-c', file], lmtp: `unix:${dir}/run/lmtp` });
  },
};
