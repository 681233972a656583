/**
 * Passwords checked by Cyrus's saslauthd over its socket: four strings go there (name, password, service, realm), each behind
 * its length in two bytes, and one comes back that begins with OK or NO.
 */

import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Log } from '../../telemetry/log.ts';
import { serviceName } from '../servicename.ts';
import type { Asking, SecretSource, UserSecret } from './source.ts';

const LONGEST_ANSWER = 4_096;

/**
 * What Cyrus's saslauthd says when it could not find out: the server of `-a rimap` is away, PAM cannot be begun, a call failed.
 * Of a directory that is away (`-a ldap`) it says the same as of a wrong password.
 */
const CANNOT_TELL =
  /^NO (?:\[ALERT\]|saslauthd internal error|internal mechanism failure|PAM start error|Insufficient permission)/;

export class SaslauthdSecrets implements SecretSource {
  readonly abilities = { plain: false, scram: false } as const;
  readonly #path: string;
  readonly #log: Log;
  #busy = 0;

  /** @param path of the socket, or of its folder, where it is called `mux` */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  async verify(userid: string | null, password: string, asking?: Asking): Promise<boolean> {
    // To the daemon a string ends at its first NUL.
    const fits = password !== '' && !password.includes('\0') &&
      Buffer.byteLength(password) <= limits.password_bytes.value;
    const name = userid ?? 'nobody';
    const at = name.lastIndexOf('@');
    if (this.#busy >= limits.saslauthd_connections.value) {
      throw serverError('too many passwords wait for saslauthd');
    }
    this.#busy++;
    let answer: string;
    try {
      answer = await this.#ask([
        at < 0 ? name : name.slice(0, at),
        fits ? password : ' ',
        serviceName(asking?.protocol ?? 'imap'),
        at < 0 ? '' : name.slice(at + 1),
      ]);
      if (CANNOT_TELL.test(answer)) throw new Error(answer.slice('NO '.length));
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#log.error('saslauthd cannot tell', { socket: this.#path, reason });
      throw serverError('saslauthd cannot be asked', thrown);
    } finally {
      this.#busy--;
    }
    return answer.startsWith('OK') && fits && userid !== null;
  }

  secret(): Promise<UserSecret | null> {
    return Promise.resolve(null);
  }

  #ask(strings: readonly string[]): Promise<string> {
    const request = Buffer.concat(strings.flatMap((text) => {
      const bytes = Buffer.from(text);
      return [Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes];
    }));
    return new Promise((resolve, reject) => {
      const socket = connect(socketAt(this.#path));
      const timer = setTimeout(() => {
        reject(new Error(`no answer within ${limits.saslauthd_seconds.value} seconds`));
        socket.destroy();
      }, limits.saslauthd_seconds.value * 1000);
      let got = Buffer.alloc(0);
      socket.on('connect', () => socket.write(request));
      socket.on('data', (chunk: Buffer) => {
        got = Buffer.concat([got, chunk]);
        const length = got.length < 2 ? Infinity : got.readUInt16BE(0);
        if (length <= LONGEST_ANSWER && got.length >= 2 + length) {
          resolve(got.toString('utf8', 2, 2 + length));
          socket.destroy();
        } else if (got.length > LONGEST_ANSWER) socket.destroy();
      });
      socket.on('error', reject);
      socket.on('close', () => {
        clearTimeout(timer);
        // Settled before, where there was an answer.
        reject(new Error('the connection ended without an answer'));
      });
    });
  }
}

/** `saslauthd -m` takes a folder, Cyrus's option the socket in it; either is taken here. */
function socketAt(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'mux') : path;
}
