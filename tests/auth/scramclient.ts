/** The client's side of SCRAM, written from RFC 5802 §3 and §5 alone, to test the server's with. */

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

export interface ScramUser {
  readonly user: string;
  readonly password: string;
  readonly hash: 'sha1' | 'sha256';
  /** `n,,`, `y,,` or `p=tls-exporter,,`. */
  readonly header?: string;
  readonly binding?: Uint8Array;
}

export class ScramClient {
  readonly first: string;
  readonly #as: ScramUser;
  readonly #bare: string;
  #auth = '';
  #salted = Buffer.alloc(0);

  constructor(as: ScramUser, nonce = 'fyko+d2lbbFgONRv9qkxdawL') {
    this.#as = as;
    this.#bare = `n=${as.user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
    this.first = (as.header ?? 'n,,') + this.#bare;
  }

  /** client-final-message for a server-first-message. */
  final(serverFirst: string): string {
    const { password, hash, header = 'n,,', binding = new Uint8Array(0) } = this.#as;
    const [, nonce = '', salt = '', rounds = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? [];
    this.#salted = pbkdf2Sync(
      password,
      Buffer.from(salt, 'base64'),
      Number(rounds),
      hash === 'sha1' ? 20 : 32,
      hash,
    );
    const bound = Buffer.concat([Buffer.from(header), binding]).toString('base64');
    const without = `c=${bound},r=${nonce}`;
    this.#auth = `${this.#bare},${serverFirst},${without}`;
    const clientKey = createHmac(hash, this.#salted).update('Client Key').digest();
    const stored = createHash(hash).update(clientKey).digest();
    const signature = createHmac(hash, stored).update(this.#auth).digest();
    return `${without},p=${
      Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] as number))).toString('base64')
    }`;
  }

  /** What the server must say in the end. */
  get serverFinal(): string {
    const { hash } = this.#as;
    const serverKey = createHmac(hash, this.#salted).update('Server Key').digest();
    return `v=${createHmac(hash, serverKey).update(this.#auth).digest('base64')}`;
  }
}
