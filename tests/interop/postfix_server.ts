/**
 * Debian's Postfix with a configuration, a queue and ports of its own, beside any Postfix of the machine. It needs
 * root, as master(8) changes to the users of its services.
 */

import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, succeed } from '../harness/command.ts';
import { freePorts } from '../harness/ports.ts';

/** Longer than any delivery takes on a busy machine. */
const PATIENCE_MS = 30_000;

/** Services of master.cf that delivery needs; the how-to's lines are added by the test. */
const MASTER = `
pickup    unix  n       -       n       1       1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       1       1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
lmtp      unix  -       -       n       -       -       lmtp
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
`;

export interface PostfixOptions {
  /** Lines of main.cf beside those every instance has. */
  readonly main: string;
  /** Lines of master.cf beside those every instance has. */
  readonly master: string;
  /** Lookup tables: file name and content; main.cf names them as `texthash:$config_directory/NAME`. */
  readonly tables?: Readonly<Record<string, string>>;
}

export class Postfix {
  readonly dir: string;
  readonly config: string;
  readonly port: number;

  private constructor(dir: string, port: number) {
    this.dir = dir;
    this.config = join(dir, 'etc');
    this.port = port;
  }

  static async start(options: PostfixOptions): Promise<Postfix> {
    if (process.getuid?.() !== 0) throw new Error('Postfix can only be started by root');
    const dir = mkdtempSync(join(tmpdir(), 'mailstore-postfix-'));
    chmodSync(dir, 0o755);
    const [port = 0] = await freePorts(1);
    const postfix = new Postfix(dir, port);
    const uid = Number((await succeed('id', ['-u', 'postfix'])).stdout);
    const gid = Number((await succeed('id', ['-g', 'postfix'])).stdout);
    for (const name of ['etc', 'queue', 'data']) mkdirSync(join(dir, name), { mode: 0o755 });
    chownSync(join(dir, 'data'), uid, gid);
    for (const name of ['dynamicmaps.cf', 'postfix-files']) {
      cpSync(join('/etc/postfix', name), join(postfix.config, name));
    }
    for (const [name, text] of Object.entries(options.tables ?? {})) {
      writeFileSync(join(postfix.config, name), text);
    }
    writeFileSync(
      join(postfix.config, 'master.cf'),
      `127.0.0.1:${port} inet n - n - - smtpd${MASTER}${options.master}\n`,
    );
    postfix.#writeMain(options.main);
    const started = await run('postfix', ['-c', postfix.config, 'start']);
    if (started.code !== 0) {
      rmSync(dir, { recursive: true, force: true });
      throw new Error(`postfix does not start: ${started.stdout}${started.stderr}`);
    }
    return postfix;
  }

  #writeMain(lines: string): void {
    writeFileSync(
      join(this.config, 'main.cf'),
      `compatibility_level = 3.6
queue_directory = ${this.dir}/queue
data_directory = ${this.dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${this.dir}/maillog
maillog_file_prefixes = ${tmpdir()}
myhostname = mx.example.org
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
recipient_delimiter = +
minimal_backoff_time = 1s
maximal_backoff_time = 1s
${lines}
`,
    );
  }

  /** Other lines in main.cf, taken up as `postfix reload` does. */
  async reload(main: string): Promise<void> {
    this.#writeMain(main);
    await succeed('postfix', ['-c', this.config, 'reload']);
  }

  get log(): string {
    try {
      return readFileSync(join(this.dir, 'maillog'), 'utf8');
    } catch {
      return ''; // nothing logged yet
    }
  }

  /** The line of the log that tells what became of a recipient's message, once there is one. */
  async outcome(
    messageId: string,
    status: 'sent' | 'bounced' | 'deferred',
  ): Promise<{ queueId: string; line: string }> {
    const begun = performance.now();
    while (performance.now() - begun < PATIENCE_MS) {
      const queueId = this.log.split('\n').find((line) => line.includes(`message-id=${messageId}`))
        ?.match(/: ([0-9A-Za-z]+): message-id=/)?.[1];
      const line = queueId === undefined
        ? undefined
        : this.log.split('\n').find((each) =>
          each.includes(`: ${queueId}: to=`) && each.includes(`status=${status}`)
        );
      if (queueId !== undefined && line !== undefined) return { queueId, line };
      await sleep(10);
    }
    throw new Error(`${messageId} was not ${status}:\n${this.log}`);
  }

  /** Tries everything in the queue again. */
  async flush(): Promise<void> {
    await succeed('postqueue', ['-c', this.config, '-f']);
  }

  async dispose(): Promise<void> {
    const stopped = await run('postfix', ['-c', this.config, 'stop']);
    if (stopped.code !== 0) {
      const pid = Number(readFileSync(join(this.dir, 'queue/pid/master.pid'), 'utf8'));
      process.kill(pid, 'SIGKILL');
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}
