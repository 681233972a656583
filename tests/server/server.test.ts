import { afterEach, expect, test } from 'bun:test';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import type { Service } from '../../src/config/services.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { lookupUser } from '../../src/net/libc.ts';
import { encodeMessage, type StartMessage } from '../../src/server/control.ts';
import { freePorts } from '../harness/ports.ts';
import { makeCertificate } from '../net/certificates.ts';

/** What the test program prints once it serves. */
interface Report {
  readonly listeners: readonly { port: number; path: string }[];
  readonly workers: readonly number[];
  readonly writer: readonly number[];
}

/** A port only root or CAP_NET_BIND_SERVICE may bind, that nobody has (RFC 6335 leaves it unassigned). */
const LOW_PORT = 1022;

const asRoot = process.getuid?.() === 0;
const cleanup: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

function service(given: Partial<Service> & Pick<Service, 'listen'>): Service {
  return {
    name: 'imap',
    protocol: 'imap',
    tls: false,
    trusted: false,
    maxchild: 0,
    proxy_protocol: false,
    tls_server_cert: '',
    tls_server_key: '',
    tls_client_ca_file: '',
    tls_client_ca_dir: '',
    tls_client_certs: '',
    tls_crl_file: '',
    ...given,
  };
}

/** Starts tests/server/program.ts; resolves when it serves, or when it has given up. */
async function serve(
  options: Record<string, unknown> & { services: readonly Service[] },
  surroundings: { env?: Record<string, string>; folder?: string; as?: readonly string[] } = {},
) {
  const folder = surroundings.folder ?? mkdtempSync(join(tmpdir(), 'mailstore-server-'));
  chmodSync(folder, 0o755);
  const file = join(folder, 'settings.json');
  const settings = {
    configdirectory: join(folder, 'lib'),
    partition: { default: join(folder, 'spool') },
    workers: 2,
    user: '',
    loglevel: 'debug',
    ...options,
  };
  writeFileSync(file, JSON.stringify(settings));
  const child = Bun.spawn([
    ...surroundings.as ?? [],
    process.execPath,
    join(import.meta.dir, 'program.ts'),
    'serve',
    file,
  ], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...surroundings.env },
  });
  let log = '';
  const logged = (async () => {
    for await (const chunk of child.stderr) log += Buffer.from(chunk).toString();
  })();
  cleanup.push(async () => {
    child.kill('SIGKILL');
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  });
  let line = '';
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    line += decoder.decode(chunk);
    if (line.includes('\n')) break;
  }
  return {
    folder,
    child,
    settings,
    report: (line === '' ? undefined : JSON.parse(line)) as Report,
    /** Resolves when the log holds a text `count` times. */
    async logs(text: string | RegExp, count = 1) {
      while ((log.match(new RegExp(text, 'g'))?.length ?? 0) < count) {
        if (child.exitCode !== null) {
          await logged;
          if ((log.match(new RegExp(text, 'g'))?.length ?? 0) >= count) break;
          throw new Error(`no '${text}' in the log:\n${log}`);
        }
        await Bun.sleep(5);
      }
      return log;
    },
    rewrite: (changes: Record<string, unknown>) =>
      writeFileSync(file, JSON.stringify({ ...settings, ...changes })),
  };
}

/** A connection that reads lines. */
function open(target: { port: number } | { path: string }, secure = false) {
  const socket: Socket = 'port' in target
    ? secure
      ? tlsConnect({ port: target.port, host: '127.0.0.1', rejectUnauthorized: false })
      : connect(target.port, '127.0.0.1')
    : connect(target.path);
  let text = '';
  let ended = false;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    wake();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    ended = true;
    wake();
  });
  return {
    socket,
    async line(): Promise<string | undefined> {
      while (!text.includes('\r\n')) {
        if (ended) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const at = text.indexOf('\r\n');
      const line = text.slice(0, at);
      text = text.slice(at + 2);
      return line;
    },
    send: (line: string) => socket.write(`${line}\r\n`),
  };
}

/** Resolves when a process is gone. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      // A zombie has no command line any more.
      if (readFileSync(`/proc/${pid}/cmdline`).length === 0) return;
    } catch {
      return;
    }
    await Bun.sleep(5);
  }
}

const onPort = (port: number, given: Partial<Service> = {}) =>
  service({ listen: { kind: 'tcp', host: '127.0.0.1', port, family: 'any' }, ...given });

test(
  'serves on TCP and unix sockets, makes what is missing, stops clean with an idle connection',
  async () => {
    const [port = 0] = await freePorts(1);
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-server-'));
    const path = join(folder, 'lib/socket/imap');
    const server = await serve({
      services: [
        onPort(port),
        service({ name: 'local', listen: { kind: 'unix', path, mode: 0o600, owner: '', group: '' } }),
      ],
    }, { folder, env: { BUN_OPTIONS: '--smol' } });
    const tcp = open({ port });
    expect(await tcp.line()).toBe('hello imap');
    const local = open({ path });
    expect(await local.line()).toBe('hello local');
    local.send('who');
    // Children do not inherit what would change the runtime; the peer's credentials are known.
    expect(await local.line()).toMatch(new RegExp(`^pid=\\d+ uid=\\d+ peer=${process.getuid?.()} env=-$`));
    expect(statSync(join(folder, 'lib')).mode & 0o777).toBe(0o751);
    expect(statSync(join(folder, 'lib/log')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'spool')).mode & 0o777).toBe(0o700);

    server.child.kill('SIGTERM');
    expect(await tcp.line()).toBe('bye');
    expect(await server.child.exited).toBe(0);
    expect(existsSync(path)).toBe(false);
    for (const pid of [...server.report.workers, ...server.report.writer]) await gone(pid);
    // The bound for a clean stop.
  },
  8000,
);

test('a role that is killed is started again, and connections of the other worker stay', async () => {
  const [port = 0] = await freePorts(1);
  const server = await serve({ services: [onPort(port)] });
  const connection = open({ port });
  await connection.line();
  connection.send('who');
  const pid = Number(/pid=(\d+)/.exec((await connection.line())!)?.[1]);
  const other = server.report.workers.find((worker) => worker !== pid)!;
  process.kill(other, 'SIGKILL');
  process.kill(server.report.writer[0]!, 'SIGKILL');
  await server.logs(/role died, starting it again/, 2);
  // Writer, janitor and two workers at the start, then the two new ones.
  await server.logs(/role ready/, 6);
  connection.send('still here');
  expect(await connection.line()).toBe('still here');
  for (let round = 0; round < 10; round++) expect(await open({ port }).line()).toBe('hello imap');
});

test('no role outlives a supervisor that is killed (invariant 5)', async () => {
  const [port = 0] = await freePorts(1);
  const server = await serve({ services: [onPort(port)] });
  const connection = open({ port });
  await connection.line();
  server.child.kill('SIGKILL');
  for (const pid of [...server.report.workers, ...server.report.writer]) await gone(pid);
  // A worker that sees the end of its input before the kernel's signal still takes leave.
  while (await connection.line() !== undefined);
});

test('nor one that still starts when its supervisor is gone', async () => {
  const start: StartMessage = {
    type: 'start',
    role: 'janitor',
    number: 0,
    workers: 1,
    settings: makeSettings({}),
    level: 'info',
    tls: null,
    sockets: [],
    loginKey: '',
  };
  const roles = Array.from({ length: 8 }, () => {
    const role = Bun.spawn(
      [process.execPath, join(import.meta.dir, 'program.ts'), 'serve', '--role=janitor'],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, TEST_NEVER_STARTS: '' },
      },
    );
    role.stdin.write(encodeMessage(start));
    role.stdin.end();
    return role;
  });
  expect(await Promise.all(roles.map((role) => role.exited))).toEqual(roles.map(() => 0));
});

test('a worker that hangs is killed and replaced', async () => {
  const [port = 0] = await freePorts(1);
  const server = await serve({ services: [onPort(port)], workers: 1 });
  const connection = open({ port });
  await connection.line();
  connection.send('hang');
  expect(await connection.line()).toBe('hanging');
  await server.logs('role hangs, killed');
  expect(await open({ port }).line()).toBe('hello imap');
});

test('a worker that hangs does not stop the stop', async () => {
  const [port = 0] = await freePorts(1);
  const server = await serve({ services: [onPort(port)], workers: 1 });
  const connection = open({ port });
  await connection.line();
  connection.send('hang');
  expect(await connection.line()).toBe('hanging');
  server.child.kill('SIGTERM');
  expect(await server.child.exited).toBe(0);
  await server.logs('role did not stop in time, killed');
}, 8000);

test('a damaged store is said once, not tried again and again (DESIGN rule 5)', async () => {
  const [port = 0] = await freePorts(1);
  const server = await serve({ services: [onPort(port)] }, { env: { TEST_WRITER_FAILS: 'corruption' } });
  expect(await server.child.exited).toBe(65);
  const log = await server.logs('role cannot start');
  expect(log.match(/writer cannot start.*segment 3 is damaged at offset 4711/g)?.length).toBe(1);
  expect(log).not.toContain('hello');
});

test('a writer that never becomes ready is given up after some attempts', async () => {
  const [port = 0] = await freePorts(1);
  const server = await serve({ services: [onPort(port)] }, { env: { TEST_WRITER_FAILS: 'unavailable' } });
  expect(await server.child.exited).not.toBe(0);
  await server.logs('role died, starting it again', 4);
});

test('a port in use stops the start, with its name and the remedy, and leaves nothing behind', async () => {
  const [port = 0, free = 0] = await freePorts(2);
  await serve({ services: [onPort(port)] });
  const path = join(tmpdir(), `mailstore-left-${process.pid}.sock`);
  const second = await serve({
    services: [
      onPort(free),
      service({ name: 'local', listen: { kind: 'unix', path, mode: 0o600, owner: '', group: '' } }),
      onPort(port, { name: 'second' }),
    ],
  });
  expect(await second.child.exited).toBe(78);
  await second.logs(`cannot serve: service second: cannot listen on 127.0.0.1:${port}: EADDRINUSE`);
  expect(existsSync(path)).toBe(false);
});

test('new certificates reach new handshakes on SIGHUP while old connections stay; bad ones are refused', async () => {
  const [plain = 0, port = 0] = await freePorts(2);
  const folder = mkdtempSync(join(tmpdir(), 'mailstore-server-'));
  const { cert, key } = makeCertificate(folder, 'one', ['one.example']);
  const server = await serve({
    services: [onPort(plain), onPort(port, { name: 'imaps', tls: true })],
    tls_server_cert: cert,
    tls_server_key: key,
  }, { folder });
  const old = open({ port }, true);
  expect(await old.line()).toBe('hello imaps');

  writeFileSync(key, 'half written');
  server.child.kill('SIGHUP');
  await server.logs('new certificates cannot be used, the old ones stay');
  expect(await open({ port }, true).line()).toBe('hello imaps');

  makeCertificate(folder, 'one', ['two.example']);
  server.child.kill('SIGHUP');
  await server.logs(/certificates changed/, 2);
  const fresh = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise<void>((resolve) => fresh.on('secureConnect', resolve));
  expect(fresh.getPeerCertificate().subject.CN).toBe('two.example');
  fresh.destroy();
  old.send('still here');
  expect(await old.line()).toBe('still here');
});

test('renewed files are noticed without a signal, once both of a pair are there', async () => {
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'mailstore-server-'));
  const { cert, key } = makeCertificate(folder, 'one', ['one.example']);
  const server = await serve({
    services: [onPort(port, { name: 'imaps', tls: true })],
    tls_server_cert: cert,
    tls_server_key: key,
  }, { folder, env: { TEST_TLS_WATCH_MS: '20' } });
  const next = makeCertificate(folder, 'two', ['two.example']);
  renameSync(next.cert, cert);
  await server.logs('new certificates cannot be used, the old ones stay');
  renameSync(next.key, key);
  await server.logs(/certificates changed/, 2);
  const fresh = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise<void>((resolve) => fresh.on('secureConnect', resolve));
  expect(fresh.getPeerCertificate().subject.CN).toBe('two.example');
  fresh.destroy();
});

test('SIGHUP changes the log level and names what needs a restart', async () => {
  const [port = 0] = await freePorts(1);
  const server = await serve({ services: [onPort(port)], loglevel: 'info' });
  server.rewrite({ loglevel: 'debug', workers: 3 });
  server.child.kill('SIGHUP');
  expect(await server.logs('reloaded')).toContain(
    'msg="these settings change with a restart" options=workers',
  );
});

test('systemd hears of start, reload and stop, and of life while all roles answer', async () => {
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'mailstore-server-'));
  // A datagram socket to listen on, as systemd's: python has one, the runtime has not.
  const listener = Bun.spawn([
    'python3',
    '-uc',
    `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(sys.argv[1]); print('bound')
while True: print(s.recv(4096).decode().replace('\\n','|'))`,
    join(folder, 'notify'),
  ], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanup.push(() => listener.kill());
  let heard = '';
  let wake = () => {};
  void (async () => {
    for await (const chunk of listener.stdout) {
      heard += Buffer.from(chunk).toString();
      wake();
    }
  })();
  const hears = async (text: string | RegExp) => {
    while (!new RegExp(text).test(heard)) await new Promise<void>((resolve) => (wake = resolve));
  };
  await hears('bound');
  const server = await serve({ services: [onPort(port)] }, {
    folder,
    env: { NOTIFY_SOCKET: join(folder, 'notify'), WATCHDOG_USEC: '300000' },
  });
  await hears(/READY=1\|STATUS=Serving with 2 workers/);
  await hears(/(WATCHDOG=1[^]*){3}/);
  server.child.kill('SIGHUP');
  await hears(/RELOADING=1\|MONOTONIC_USEC=\d+[^]*READY=1/);
  server.child.kill('SIGTERM');
  await hears('STOPPING=1');
  expect(await server.child.exited).toBe(0);
});

if (asRoot) {
  test('started as root it changes to the configured user once the ports are bound', async () => {
    const [port = 0] = await freePorts(1);
    const user = lookupUser('nobody')!;
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-server-'));
    const { cert, key } = makeCertificate(folder, 'root', ['root.example']);
    chmodSync(key, 0o600);
    const path = join(folder, 'lib/socket/imap');
    const server = await serve({
      user: 'nobody',
      services: [
        onPort(port, { name: 'imaps', tls: true }),
        service({ name: 'local', listen: { kind: 'unix', path, mode: 0o660, owner: '', group: 'mail' } }),
      ],
      tls_server_cert: cert,
      tls_server_key: key,
    }, { folder });
    const connection = open({ port }, true);
    await connection.line();
    connection.send('who');
    expect(await connection.line()).toContain(`uid=${user.uid} `);
    expect(statSync(join(folder, 'lib')).uid).toBe(user.uid);
    expect(statSync(path).uid).toBe(user.uid);
    // Every thread of the supervisor, and no capability beyond the one that reads keys; none in a worker.
    const status = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status(server.child.pid)).toMatch(
      new RegExp(`^Uid:\\t${user.uid}\\t${user.uid}\\t${user.uid}\\t${user.uid}$`, 'm'),
    );
    expect(status(server.child.pid)).toMatch(/^CapEff:\t0000000000000004$/m);
    expect(status(server.child.pid)).toMatch(/^CapPrm:\t0000000000000004$/m);
    expect(status(server.report.workers[0]!)).toMatch(/^CapEff:\t0000000000000000$/m);
    // A key only root can read is read again when it is renewed.
    makeCertificate(folder, 'root', ['renewed.example']);
    chmodSync(key, 0o600);
    server.child.kill('SIGHUP');
    await server.logs('certificates changed', 2);
  });

  test('where the user can read everything no right is kept', async () => {
    const [port = 0] = await freePorts(1);
    const server = await serve({ user: 'nobody', services: [onPort(port)] });
    const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
    expect(status).toMatch(/^CapEff:\t0000000000000000$/m);
    expect(status).toMatch(/^CapPrm:\t0000000000000000$/m);
  });

  test('the right to bind low ports ends with binding them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-server-'));
    const { uid, gid } = lookupUser('nobody')!;
    chownSync(folder, uid, gid);
    const capability = '+net_bind_service';
    // deno-fmt-ignore
    const as = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', `--inh-caps=${capability}`,
      `--ambient-caps=${capability}`];
    const server = await serve({ services: [onPort(LOW_PORT)] }, { folder, as });
    expect(await open({ port: LOW_PORT }).line()).toBe('hello imap');
    for (const pid of [server.child.pid, server.report.workers[0]!]) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      for (const set of ['Eff', 'Prm', 'Amb']) {
        expect(status).toMatch(new RegExp(`^Cap${set}:\\t0{16}$`, 'm'));
      }
    }
  });

  test('a user that does not exist is said, and root stays', async () => {
    const [port = 0] = await freePorts(1);
    const server = await serve({ user: 'no-such-user', services: [onPort(port)] });
    await server.logs('started as root and stays root: the configured user does not exist');
    const connection = open({ port });
    await connection.line();
    connection.send('who');
    expect(await connection.line()).toContain('uid=0 ');
  });

  test('a folder of somebody else is named before anything runs', async () => {
    const [port = 0] = await freePorts(1);
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-server-'));
    mkdirSync(join(folder, 'spool'), { mode: 0o700 });
    const server = await serve({ user: 'nobody', services: [onPort(port)] }, { folder });
    expect(await server.child.exited).toBe(78);
    await server.logs(/folder .*spool: user \d+ may not write here; give it to that user: chown -R/);
  });
}
