/**
 * Takes the PROXY header off a fresh connection before the runtime reads anything from it: what stands behind may be
 * the beginning of a TLS handshake, which has to find its bytes untouched.
 */

import { ptr } from 'bun:ffi';
import { limits } from '../limits.ts';
import { errno, errnoName, libc } from './libc.ts';
import { type ProxyHeader, readProxyHeader } from './proxyprotocol.ts';
import type { RawSocket } from './rawsocket.ts';

const MSG_PEEK = 2;
const MSG_DONTWAIT = 0x40;

/** A proxy sends its header with its first packet, so mostly it is there; else it is looked for so often. */
const FIRST_LOOK_MS = 1;
const LATER_LOOK_MS = 50;

/**
 * Waits for the header, at most `limits.proxy_wait`, and takes it from the socket, which is paused meanwhile.
 * @param done called once, at once where the header is there already; with an Error there was none
 */
export function takeProxyHeader<Owner>(
  socket: RawSocket<Owner>,
  done: (header: ProxyHeader | Error) => void,
): void {
  const deadline = performance.now() + limits.proxy_wait.value * 1000;
  const look = (pause: number): void => {
    const found = lookFor(socket.fd);
    if (found !== 'more') {
      if (pause > 0 && !(found instanceof Error)) socket.resume();
      return done(found);
    }
    if (performance.now() >= deadline) return done(new Error('no PROXY header in time'));
    if (pause === 0) socket.pause();
    const next = pause === 0 ? FIRST_LOOK_MS : Math.min(LATER_LOOK_MS, pause * 2);
    setTimeout(() => look(next), next).unref();
  };
  look(0);
}

function lookFor(fd: number): ProxyHeader | 'more' | Error {
  if (fd < 0) return new Error('closed before the PROXY header');
  const bytes = new Uint8Array(limits.proxy_header.value);
  const got = Number(libc().recv(fd, ptr(bytes), bytes.length, MSG_PEEK | MSG_DONTWAIT));
  if (got === 0) return new Error('closed before the PROXY header');
  if (got < 0) {
    const name = errnoName(errno());
    return name === 'EAGAIN' ? 'more' : new Error(`closed before the PROXY header: ${name}`);
  }
  try {
    const header = readProxyHeader(bytes.subarray(0, got));
    if (header !== 'more') libc().recv(fd, ptr(bytes), header.length, MSG_DONTWAIT);
    return header;
  } catch (thrown) {
    return thrown as Error;
  }
}
