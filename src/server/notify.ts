/** Talking to systemd: sd_notify(3) without its library, a datagram to the socket named by NOTIFY_SOCKET. */

import { ptr } from 'bun:ffi';
import { unixAddress } from '../net/listen.ts';
import { AF_UNIX, libc, SOCK_CLOEXEC, SOCK_DGRAM } from '../net/libc.ts';

/** MSG_NOSIGNAL | MSG_DONTWAIT: a supervisor never dies of or waits for its manager. */
const SEND_FLAGS = 0x4000 | 0x40;

export interface Notifier {
  /** Sends assignments such as `READY=1`; does nothing where nobody listens. */
  send(...assignments: readonly string[]): void;
  /** Milliseconds within which WATCHDOG=1 must come again, or 0 where no watchdog runs (sd_watchdog_enabled(3)). */
  readonly watchdogMs: number;
}

/**
 * The notifier for this process. Takes the variables out of the environment, so that no child speaks for it.
 * A path that begins with '@' is an abstract socket.
 */
export function openNotifier(environment: Record<string, string | undefined> = process.env): Notifier {
  const path = environment['NOTIFY_SOCKET'] ?? '';
  const pid = environment['WATCHDOG_PID'];
  const micros = Number(environment['WATCHDOG_USEC'] ?? 0);
  const watchdogMs = (pid === undefined || Number(pid) === process.pid) && micros > 0 ? micros / 1000 : 0;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC']) delete environment[name];
  if (!path.startsWith('/') && !path.startsWith('@')) return { send: () => {}, watchdogMs: 0 };

  const address = unixAddress(path);
  const fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return {
    watchdogMs,
    send: (...assignments) => {
      const bytes = Buffer.from(assignments.join('\n'));
      libc().sendto(fd, ptr(bytes), bytes.length, SEND_FLAGS, ptr(address), address.length);
    },
  };
}

/** CLOCK_MONOTONIC in microseconds, as RELOADING=1 wants it beside itself (sd_notify(3)). */
export function monotonicMicros(): bigint {
  return process.hrtime.bigint() / 1000n;
}
