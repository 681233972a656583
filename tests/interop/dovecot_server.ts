/** Debian's Dovecot for a test: IMAP, POP3 and ManageSieve on ports of its own, one user, every mechanism. */

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { succeed } from '../harness/command.ts';
import { freePorts } from '../harness/ports.ts';

/** Debian's user `mail` owns the mail folders. */
const MAIL_ID = 8;
const PATIENCE_MS = 20_000;

export class Dovecot {
  readonly dir: string;
  readonly certificate: string;
  readonly ports: Readonly<Record<'imap' | 'imaps' | 'pop3' | 'sieve', number>>;
  readonly #child: ChildProcess;

  private constructor(dir: string, ports: Dovecot['ports'], child: ChildProcess) {
    this.dir = dir;
    this.certificate = join(dir, 'server.pem');
    this.ports = ports;
    this.#child = child;
  }

  /** @param password of the user `django` */
  static async start(password: string): Promise<Dovecot> {
    if (process.getuid?.() !== 0) throw new Error('Dovecot can only be started by root');
    const dir = mkdtempSync(join(tmpdir(), 'mailstore-dovecot-'));
    chmodSync(dir, 0o755);
    const [imap = 0, imaps = 0, pop3 = 0, sieve = 0] = await freePorts(4);
    mkdirSync(join(dir, 'home'));
    chownSync(join(dir, 'home'), MAIL_ID, MAIL_ID);
    // deno-fmt-ignore
    await succeed('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
      '-days', '30', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
      '-keyout', join(dir, 'server.key'), '-out', join(dir, 'server.pem')]);
    writeFileSync(join(dir, 'users'), `django:{PLAIN}${password}\n`);
    writeFileSync(
      join(dir, 'dovecot.conf'),
      `base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/dovecot.log
protocols = imap pop3 sieve
protocol imap {
  mail_plugins = imap_zlib
}
listen = 127.0.0.1
ssl = yes
ssl_cert = <${dir}/server.pem
ssl_key = <${dir}/server.key
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
disable_plaintext_auth = yes
login_trusted_networks =
first_valid_uid = 1
mail_location = maildir:~/Maildir
passdb {
  driver = passwd-file
  args = ${dir}/users
}
userdb {
  driver = static
  args = uid=${MAIL_ID} gid=${MAIL_ID} home=${dir}/home/%u
}
service imap-login {
  inet_listener imap {
    port = ${imap}
  }
  inet_listener imaps {
    port = ${imaps}
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = ${pop3}
  }
  inet_listener pop3s {
    port = 0
  }
}
service managesieve-login {
  inet_listener sieve {
    port = ${sieve}
  }
}
`,
    );
    const child = spawn('/usr/sbin/dovecot', ['-F', '-c', join(dir, 'dovecot.conf')], { stdio: 'ignore' });
    const dovecot = new Dovecot(dir, { imap, imaps, pop3, sieve }, child);
    try {
      await Promise.all([imap, pop3, sieve].map((port) => dovecot.#listens(port)));
    } catch (thrown) {
      await dovecot.dispose();
      throw thrown;
    }
    return dovecot;
  }

  get log(): string {
    try {
      return readFileSync(join(this.dir, 'dovecot.log'), 'utf8');
    } catch {
      return ''; // nothing logged yet
    }
  }

  async #listens(port: number): Promise<void> {
    const begun = performance.now();
    while (performance.now() - begun < PATIENCE_MS && this.#child.exitCode === null) {
      const up = await new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => resolve(true));
        socket.on('error', () => resolve(false));
        socket.on('connect', () => socket.destroy());
      });
      if (up) return;
      await sleep(10);
    }
    throw new Error(`dovecot does not start:\n${this.log}`);
  }

  async dispose(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}
