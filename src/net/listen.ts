/**
 * Listening sockets. They are made here, once, by the supervisor, and inherited by every worker: a worker that
 * dies takes no waiting connection with it, and a port is either bound for all or the start fails.
 *
 * Invariants:
 * 1. A socket is bound completely (address, owner, mode, mark) before anybody can connect to it.
 * 2. A unix socket's file is only removed when nobody answers behind it, and only if it is a socket.
 * 3. Whatever fails names the service, the address and what to do.
 */

import { ptr } from 'bun:ffi';
import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs';
import { isIP } from '../config/ip.ts';
import { MailError } from '../errors.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  errno,
  errnoName,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  libc,
  lookupGroup,
  lookupUser,
  setIntOption,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from './libc.ts';
import { ipv6Groups } from './networks.ts';
import type { Listen } from '../config/services.ts';

/** Connections the kernel keeps for us while all workers are busy; the kernel cuts it to net.core.somaxconn. */
const BACKLOG = 4096;

/** accept(2) must not block the worker that lost the race for a connection. */
const SOCK_NONBLOCK = 0o4000;

/** sun_path holds 108 bytes with its final NUL (unix(7)). */
const MAX_UNIX_PATH = 107;

/** A bound and listening socket of this process. */
export interface Listener {
  readonly fd: number;
  /** `127.0.0.1:143`, `[::]:143` or the path, for logs. */
  readonly text: string;
  /** The port that was bound: the kernel's choice where 0 was asked for. 0 for a unix socket. */
  readonly port: number;
  /** Path of a unix socket, or ''. */
  readonly path: string;
}

/** Options common to all sockets of a service. */
export interface ListenOptions {
  /** Service name for error texts. */
  readonly service: string;
  /** The DSCP mark as a traffic class byte (`qosmarking`), or 0. */
  readonly trafficClass: number;
  /** A unix socket for datagrams, which nobody connects to. */
  readonly datagrams?: boolean;
}

function failed(service: string, text: string, action: string, number: number): MailError {
  const name = errnoName(number);
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE:
      `another program listens there (find it with 'ss -ltnp'); stop it or change 'listen' of this service`,
    EACCES:
      'not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE, a unix socket a writable folder',
    EPERM: 'not permitted; start as root or with CAP_NET_BIND_SERVICE',
    EADDRNOTAVAIL: "no interface of this machine has this address; see 'ip address'",
    ENOENT: 'the folder for the socket does not exist; make it',
    EAFNOSUPPORT: 'this machine has no such address family; listen on another address',
  };
  const remedy = remedies[name];
  return new MailError(
    'server',
    'config',
    `service ${service}: cannot ${action} ${text}: ${name}${remedy === undefined ? '' : `: ${remedy}`}`,
    name,
  );
}

/** Whether an error of `listen` says that somebody else has the address. */
export function addressInUse(error: unknown): boolean {
  return error instanceof MailError && error.cause === 'EADDRINUSE';
}

/** Bytes of a sockaddr_in or sockaddr_in6 for a numeric address; a scope (`fe80::1%eth0`) is not supported. */
function internetAddress(host: string, port: number): Uint8Array {
  if (isIP(host) === 4) {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint16(0, AF_INET, true);
    new DataView(bytes.buffer).setUint16(2, port);
    bytes.set(host.split('.').map(Number), 4);
    return bytes;
  }
  const bytes = new Uint8Array(28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  ipv6Groups(host).forEach((group, index) => view.setUint16(8 + index * 2, group));
  return bytes;
}

/** Bytes of a sockaddr_un; a path that begins with '@' is in the abstract name space (unix(7)). */
export function unixAddress(path: string): Uint8Array {
  const name = Buffer.from(path.startsWith('@') ? '\0' + path.slice(1) : path);
  // An abstract name is all bytes up to the length given; a path ends with NUL.
  const bytes = new Uint8Array(2 + name.length + (path.startsWith('@') ? 0 : 1));
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, 2);
  return bytes;
}

function bindInternet(host: string, port: number, options: ListenOptions): Listener {
  const six = isIP(host) === 6;
  const text = six ? `[${host}]:${port}` : `${host}:${port}`;
  const c = libc();
  const fd = c.socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw failed(options.service, text, 'listen on', errno());
  const address = internetAddress(host, port);
  setIntOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (six) setIntOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (options.trafficClass !== 0) {
    // Accepted sockets inherit the mark of the listening one, so no worker needs a call per connection.
    const marked = six
      ? setIntOption(fd, IPPROTO_IPV6, IPV6_TCLASS, options.trafficClass)
      : setIntOption(fd, IPPROTO_IP, IP_TOS, options.trafficClass);
    if (!marked) {
      const number = errno();
      c.close(fd);
      throw failed(options.service, text, 'mark packets (qosmarking) of', number);
    }
  }
  if (c.bind(fd, ptr(address), address.length) < 0 || c.listen(fd, BACKLOG) < 0) {
    const number = errno();
    c.close(fd);
    throw failed(options.service, text, 'listen on', number);
  }
  const bound = port === 0 ? boundPort(fd) : port;
  return { fd, text: six ? `[${host}]:${bound}` : `${host}:${bound}`, port: bound, path: '' };
}

function boundPort(fd: number): number {
  const address = new Uint8Array(28);
  const length = new Uint32Array([address.length]);
  libc().getsockname(fd, ptr(address), ptr(length));
  return new DataView(address.buffer).getUint16(2);
}

/** What stands behind a socket file: 'absent', 'stale' (nobody listens), 'alive', or 'other' (no socket). */
function inspectSocket(path: string, type: number): 'absent' | 'stale' | 'alive' | 'other' {
  let stat;
  try {
    stat = lstatSync(path);
  } catch {
    return 'absent';
  }
  if (!stat.isSocket()) return 'other';
  const c = libc();
  const fd = c.socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const address = unixAddress(path);
  const refused = c.connect(fd, ptr(address), address.length) < 0 && errnoName(errno()) === 'ECONNREFUSED';
  c.close(fd);
  return refused ? 'stale' : 'alive';
}

function bindUnix(address: Listen & { kind: 'unix' }, options: ListenOptions): Listener {
  const { path, mode, owner, group } = address;
  const wrong = (text: string) => new MailError('server', 'config', `service ${options.service}: ${text}`);
  if (Buffer.byteLength(path) > MAX_UNIX_PATH) {
    throw wrong(`the socket path ${path} has more than ${MAX_UNIX_PATH} bytes; choose a shorter one`);
  }
  const user = owner === '' ? undefined : lookupUser(owner);
  if (owner !== '' && user === undefined) {
    throw wrong(`owner '${owner}' of socket ${path} is no user of this machine`);
  }
  const gid = group === '' ? user?.gid : lookupGroup(group);
  if (group !== '' && gid === undefined) {
    throw wrong(`group '${group}' of socket ${path} is no group of this machine`);
  }

  const type = options.datagrams === true ? SOCK_DGRAM : SOCK_STREAM;
  const found = inspectSocket(path, type);
  if (found === 'alive') throw failed(options.service, path, 'listen on', 98);
  if (found === 'other') throw wrong(`${path} exists and is not a socket; move it away or change 'listen'`);
  if (found === 'stale') unlinkSync(path);

  const c = libc();
  const fd = c.socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw failed(options.service, path, 'listen on', errno());
  const bytes = unixAddress(path);
  // Nobody may connect before owner, group and mode are right, which counts from listen(2) on.
  const before = process.umask(0o177);
  const bound = c.bind(fd, ptr(bytes), bytes.length);
  const number = bound < 0 ? errno() : 0;
  process.umask(before);
  if (bound < 0) {
    c.close(fd);
    throw failed(options.service, path, 'listen on', number);
  }
  try {
    if (user !== undefined || gid !== undefined) chownSync(path, user?.uid ?? -1, gid ?? -1);
    chmodSync(path, mode);
  } catch (thrown) {
    c.close(fd);
    unlinkSync(path);
    throw wrong(
      `cannot give socket ${path} to ${owner}:${group} with mode ${mode.toString(8)}: ${
        (thrown as Error).message
      }; start as root or choose a group this user is in`,
    );
  }
  if (type === SOCK_STREAM && c.listen(fd, BACKLOG) < 0) {
    const late = errno();
    c.close(fd);
    throw failed(options.service, path, 'listen on', late);
  }
  return { fd, text: path, port: 0, path };
}

/**
 * Binds and listens on one address of a service. A TCP host of '' or '*' is every address of the machine, IPv4
 * and IPv6 each with a socket of its own; a name is resolved to all its addresses. Throws MailError 'config'.
 */
export async function listen(address: Listen, options: ListenOptions): Promise<Listener[]> {
  if (address.kind === 'unix') return [bindUnix(address, options)];
  const any = address.host === '' || address.host === '*';
  const found = any ? ['0.0.0.0', '::'] : await resolveHost(address.host, options.service);
  const hosts = found.filter((host) => address.family === 'any' || address.family === `ipv${isIP(host)}`);
  if (hosts.length === 0) {
    throw new MailError(
      'server',
      'config',
      `service ${options.service}: '${address.host}' has no ${address.family} address to listen on`,
    );
  }
  const listeners: Listener[] = [];
  try {
    for (const host of hosts) {
      // Port 0 is the kernel's choice once; the other family then takes the same number.
      const port = address.port === 0 ? listeners[0]?.port ?? 0 : address.port;
      try {
        listeners.push(bindInternet(host, port, options));
      } catch (thrown) {
        // A machine without IPv6 (or with it switched off) is served on IPv4.
        const missing = any && hosts.length > 1 && host === '::' &&
          /EAFNOSUPPORT|EADDRNOTAVAIL/.test((thrown as Error).message);
        if (!missing) throw thrown;
      }
    }
  } catch (thrown) {
    for (const listener of listeners) closeListener(listener);
    throw thrown;
  }
  return listeners;
}

async function resolveHost(host: string, service: string): Promise<string[]> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0 && !bare.includes('%')) return [bare];
  try {
    const { lookup } = await import('node:dns/promises');
    const found = await lookup(bare, { all: true });
    return [...new Set(found.map((entry) => entry.address))];
  } catch (thrown) {
    throw new MailError(
      'server',
      'config',
      `service ${service}: the host '${host}' to listen on cannot be resolved: ${(thrown as Error).message}`,
      thrown,
    );
  }
}

/** Closes the socket of this process; children that inherited it keep accepting. */
export function closeListener(listener: Listener): void {
  libc().close(listener.fd);
}

/** Closes it and removes the file of a unix socket: the service ends for good. */
export function removeListener(listener: Listener): void {
  closeListener(listener);
  if (listener.path !== '') {
    try {
      unlinkSync(listener.path);
    } catch {
      // Gone already, or the folder is no longer writable after the change of user: the next start removes it.
    }
  }
}
