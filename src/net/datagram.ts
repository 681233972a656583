/** Datagrams on unix sockets, which the runtime receives and cannot send, and node has neither of. */

import { ptr } from 'bun:ffi';
import { serverError } from '../errors.ts';
import { AF_UNIX, errno, errnoName, libc, SOCK_CLOEXEC, SOCK_DGRAM } from './libc.ts';
import { unixAddress } from './listen.ts';
import { raise } from './handlers.ts';

const F_DUPFD_CLOEXEC = 1030;
/** MSG_DONTWAIT and MSG_NOSIGNAL: nobody waits for a receiver that is behind. */
const SEND_FLAGS = 0x40 | 0x4000;

/** Somebody who receives. */
export interface DatagramReceiver {
  stop(): void;
}

/**
 * Hands every datagram of a bound socket to `receive`, one call each. The socket itself stays the caller's.
 *
 * An empty datagram looks to the runtime like the end of a stream: it gives the socket up. So it has a copy of the descriptor,
 * and gets another one then.
 */
export function receiveDatagrams(fd: number, receive: (bytes: Buffer) => void): DatagramReceiver {
  let stopped = false;
  let current: { terminate(): void } | undefined;
  const adopt = async (): Promise<void> => {
    const copy = libc().fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) throw serverError(`no descriptor for a datagram socket: ${errnoName(errno())}`);
    const handlers = {
      data: (_socket: unknown, bytes: Buffer) => {
        try {
          receive(bytes);
        } catch (thrown) {
          raise(thrown);
        }
      },
      end: (socket: { terminate(): void }) => socket.terminate(),
      close: () => {
        if (!stopped) void adopt();
      },
      error: () => {},
      drain: () => {},
    };
    // The runtime's types know no adopted descriptors.
    const options = { fd: copy, socket: handlers } as unknown as Parameters<typeof Bun.connect>[0];
    current = await Bun.connect(options);
    if (stopped) current.terminate();
  };
  void adopt();
  return {
    stop: () => {
      stopped = true;
      current?.terminate();
    },
  };
}

/**
 * Sends one datagram to a unix socket.
 * @throws MailError 'unavailable' where nobody receives, or the receiver is behind
 */
export function sendDatagram(path: string, bytes: Uint8Array): void {
  const c = libc();
  const fd = c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw serverError(`no socket to send to ${path}: ${errnoName(errno())}`);
  try {
    const address = unixAddress(path);
    const sent = c.sendto(fd, ptr(bytes), bytes.length, SEND_FLAGS, ptr(address), address.length);
    if (Number(sent) < 0) throw serverError(`nothing can be sent to ${path}: ${errnoName(errno())}`);
  } finally {
    c.close(fd);
  }
}
