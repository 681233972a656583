/** Debian's Cyrus with the lines of its own cyrus.conf and its default durability. */

import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { SCRIPT, SIEVE_USERS } from '../script.ts';
import { PASSWORD, type ServerKind } from './server.ts';

const MASTER = '/usr/sbin/cyrmaster';
/** cyrus-imapd and dovecot-imapd exclude each other as packages; CYRUS_BIN names a place it was unpacked to. */
const BIN = process.env['CYRUS_BIN'] ?? '/usr/lib/cyrus/bin';

function idOf(args: readonly string[]): number {
  return Number(spawnSync('id', [...args, 'cyrus'], { encoding: 'utf8' }).stdout);
}

export const cyrus: ServerKind = {
  name: 'cyrus',
  idleAtMost: 300,

  version() {
    if (!existsSync(MASTER) || !existsSync(`${BIN}/imapd`) || !existsSync(`${BIN}/lmtpd`)) return undefined;
    const asked = spawnSync(`${BIN}/cyr_info`, ['version'], { encoding: 'utf8' });
    return /\b(\d+\.\d+\.\d+)/.exec(asked.stdout)?.[1] ?? 'unknown';
  },

  async prepare(dir, ports, certificate, users) {
    const uid = idOf(['-u']);
    const gid = idOf(['-g']);
    for (const name of ['', 'config', 'config/socket', 'spool']) {
      mkdirSync(join(dir, name), { recursive: true });
      chownSync(join(dir, name), uid, gid);
    }
    const authentication = await serveSaslauthd(join(dir, 'auth'));
    const lmtp = join(dir, 'config/socket/lmtp');
    const imapdConf = join(dir, 'imapd.conf');
    writeFileSync(
      imapdConf,
      `configdirectory: ${dir}/config
defaultpartition: default
partition-default: ${dir}/spool
admins: cyrus
altnamespace: yes
unixhierarchysep: yes
hashimapspool: yes
allowanonymouslogin: no
allowplaintext: yes
autocreate_quota: 0
autocreate_post: yes
umask: 077
lmtp_downcase_rcpt: yes
sasl_pwcheck_method: saslauthd
sasl_mech_list: PLAIN
sasl_saslauthd_path: ${dir}/auth/mux
lmtpsocket: ${lmtp}
tls_server_cert: ${certificate.file}
tls_server_key: ${certificate.key}
sievedir: ${dir}/sieve
syslog_prefix: benchcyrus
`,
    );
    const cyrusConf = join(dir, 'cyrus.conf');
    const config = `-C ${imapdConf}`;
    writeFileSync(
      cyrusConf,
      `START {
  recover cmd="${BIN}/ctl_cyrusdb ${config} -r"
  idled cmd="${BIN}/idled ${config}"
}
SERVICES {
  imap cmd="${BIN}/imapd ${config} -U 30" listen="127.0.0.1:${ports.imap}" prefork=0 maxchild=2000
  imaps cmd="${BIN}/imapd ${config} -s -U 30" listen="127.0.0.1:${ports.imaps}" prefork=0 maxchild=2000
  pop3 cmd="${BIN}/pop3d ${config} -U 30" listen="127.0.0.1:${ports.pop3}" prefork=0 maxchild=200
  lmtpunix cmd="${BIN}/lmtpd ${config}" listen="${lmtp}" prefork=0 maxchild=200
}
EVENTS {
  checkpoint cmd="${BIN}/ctl_cyrusdb ${config} -c" period=30
}
`,
    );
    for (const user of users.filter((user) => SIEVE_USERS.includes(user))) {
      giveScript(join(dir, 'sieve', user.slice(0, 1), user), imapdConf);
    }
    spawnSync('chown', ['-R', 'cyrus:mail', join(dir, 'sieve')]);
    const pidFile = join(dir, 'master.pid');
    return {
      command: [MASTER, '-l', '512', '-C', imapdConf, '-M', cyrusConf, '-p', pidFile],
      lmtp,
      dispose() {
        authentication.close();
        // idled puts itself into the background, where the server's process tree does not reach.
        spawnSync('pkill', ['-f', imapdConf]);
      },
    };
  },
};

/** What timsieved leaves for lmtpd: the script, its compiled form, and which one is active. */
function giveScript(folder: string, imapdConf: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'rules.script'), SCRIPT);
  const files = [join(folder, 'rules.script'), join(folder, 'rules.bc')];
  const compiled = spawnSync(`${BIN}/sievec`, ['-C', imapdConf, ...files], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`sievec: ${compiled.stdout}${compiled.stderr}`);
  symlinkSync('rules.bc', join(folder, 'defaultbc'));
}

/**
 * Answers as saslauthd does, so that Cyrus needs no account database: four counted strings (user, password,
 * service, realm) are asked, one counted string is the answer.
 */
async function serveSaslauthd(dir: string): Promise<Server> {
  mkdirSync(dir);
  const server = createServer((socket) => {
    let asked = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      asked = Buffer.concat([asked, chunk]);
      const fields: string[] = [];
      for (let at = 0; at + 2 <= asked.length && fields.length < 4;) {
        const length = asked.readUInt16BE(at);
        if (at + 2 + length > asked.length) return;
        fields.push(asked.toString('latin1', at + 2, at + 2 + length));
        at += 2 + length;
      }
      if (fields.length === 4) socket.end(fields[1] === PASSWORD ? '\0\x02OK' : '\0\x02NO');
    });
  });
  const path = join(dir, 'mux');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o777);
  return server;
}
