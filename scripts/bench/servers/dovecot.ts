/**
 * Debian's Dovecot twice: as it comes, with Maildir, and tuned, with sdbox and processes for login, IMAP and LMTP that
 * are kept and serve again. Both have Dovecot's default durability (mail_fsync = optimized).
 */

import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCRIPT, SIEVE_USERS } from '../script.ts';
import { PASSWORD, type ServerKind } from './server.ts';

const PROGRAM = '/usr/sbin/dovecot';
/** Debian's user `mail` owns the mail folders. */
const MAIL_ID = 8;

interface Variant {
  readonly name: string;
  readonly idleAtMost: number;
  readonly location: string;
  /** Further lines of the services. */
  readonly login: string;
  readonly imap: string;
  readonly lmtp: string;
}

export const dovecot = kind({
  name: 'dovecot',
  idleAtMost: 500,
  location: 'maildir:~/Maildir',
  login: '',
  imap: '',
  lmtp: '',
});

export const dovecotTuned = kind({
  name: 'dovecot-tuned',
  idleAtMost: 1000,
  location: 'sdbox:~/sdbox',
  // The "high-performance mode" of Dovecot's manual: a login process serves many connections.
  login: 'service_count = 0\n  process_min_avail = 2',
  imap: 'service_count = 0\n  process_min_avail = 8',
  lmtp: 'service_count = 0\n  process_min_avail = 8',
});

/** Only where the workload is asked for: the plugin is no part of a plain installation. */
const SIEVE_CONFIG =
  'protocol lmtp {\n  mail_plugins = sieve\n}\nplugin {\n  sieve = file:~/sieve;active=~/.dovecot.sieve\n}\n';

function giveScript(home: string, config: string): void {
  mkdirSync(join(home, 'sieve'), { recursive: true });
  const script = join(home, '.dovecot.sieve');
  writeFileSync(script, SCRIPT);
  const compiled = spawnSync('/usr/bin/sievec', ['-c', config, script], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`sievec: ${compiled.stderr}`);
  spawnSync('chown', ['-R', `${MAIL_ID}:${MAIL_ID}`, home]);
}

function kind(variant: Variant): ServerKind {
  return {
    name: variant.name,
    idleAtMost: variant.idleAtMost,

    version() {
      const asked = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
      return asked.status === 0 ? asked.stdout.trim().split(' ')[0] : undefined;
    },

    prepare(dir, ports, certificate, users) {
      const home = join(dir, 'home');
      mkdirSync(home);
      chownSync(home, MAIL_ID, MAIL_ID);
      const file = join(dir, 'dovecot.conf');
      const scripted = users.filter((user) => SIEVE_USERS.includes(user));
      writeFileSync(
        file,
        `base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <${certificate.file}
ssl_key = <${certificate.key}
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = ${variant.location}
mail_max_userip_connections = 10000
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${MAIL_ID} gid=${MAIL_ID} home=${home}/%u allow_all_users=yes
}
${scripted.length === 0 ? '' : SIEVE_CONFIG}service imap-login {
  process_limit = 3000
  ${variant.login}
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = ${ports.imaps}
    ssl = yes
  }
}
service pop3-login {
  ${variant.login}
  inet_listener pop3 {
    port = ${ports.pop3}
  }
  inet_listener pop3s {
    port = 0
  }
}
service imap {
  process_limit = 3000
  ${variant.imap}
}
service lmtp {
  process_limit = 200
  ${variant.lmtp}
}
service anvil {
  client_limit = 20000
}
service auth {
  client_limit = 20000
}
`,
      );
      for (const user of scripted) giveScript(join(home, user), file);
      return Promise.resolve({ command: [PROGRAM, '-F', '-c', file], lmtp: `${dir}/run/lmtp` });
    },
  };
}
