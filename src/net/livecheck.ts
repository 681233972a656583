/** Asks a running server which certificates it shows, as a client would: for `config check --live`. */

import type { X509Certificate } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Service } from '../config/services.ts';

/** A service that does not answer by then does not answer. */
const PATIENCE_MS = 5000;

/** What a protocol is told to begin TLS, and how it agrees; what it said before is awaited first. */
const STARTTLS: Readonly<Record<string, readonly (readonly [send: string, until: RegExp])[]>> = {
  imap: [['', /^\* OK .*\r\n/], ['a STARTTLS\r\n', /^a OK .*\r\n/m]],
  pop3: [['', /^\+OK.*\r\n/], ['STLS\r\n', /^\+OK.*\r\n/m]],
  sieve: [['', /^OK\r\n/m], ['STARTTLS\r\n', /^OK .*\r\n/m]],
  lmtp: [['', /^220 .*\r\n/], ['LHLO check.invalid\r\n', /^250 .*\r\n/m], ['STARTTLS\r\n', /^220 .*\r\n/m]],
};

/**
 * The certificate a service shows.
 * @throws Error with what happened instead
 */
export async function shownCertificate(service: Service, servername: string): Promise<X509Certificate> {
  const { listen } = service;
  if (listen.kind !== 'tcp') throw new Error('it listens on a unix socket');
  const host = listen.host === '' ? (listen.family === 'ipv6' ? '::1' : '127.0.0.1') : listen.host;
  const socket = connect({ host, port: listen.port });
  const { promise, resolve, reject } = Promise.withResolvers<X509Certificate>();
  const timer = setTimeout(() => reject(new Error('it does not answer')), PATIENCE_MS);
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('it closed the connection')));
  const secure = () => {
    const secured = connectTls({ socket, servername, rejectUnauthorized: false }, () => {
      const certificate = secured.getPeerX509Certificate();
      if (certificate === undefined) reject(new Error('it shows no certificate'));
      else resolve(certificate);
    });
    secured.on('error', reject);
  };
  try {
    if (service.tls) socket.once('connect', secure);
    else startTls(socket, STARTTLS[service.protocol] ?? [], secure);
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Leads the dialogue up to the handshake. */
function startTls(socket: Socket, steps: (typeof STARTTLS)[string], secure: () => void): void {
  let heard = '';
  let at = 0;
  const receive = (chunk: Buffer): void => {
    heard += chunk.toString('latin1');
    const step = steps[at];
    if (step === undefined || !step[1].test(heard)) return;
    heard = '';
    const next = steps[++at];
    if (next !== undefined) {
      socket.write(next[0]);
      return;
    }
    socket.removeListener('data', receive);
    secure();
  };
  socket.on('data', receive);
}
