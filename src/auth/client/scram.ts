/** SCRAM as a client speaks it (RFC 5802, 7677); with -PLUS it is bound to the TLS channel (RFC 9266, 5929). */

import { pbkdf2Sync } from 'node:crypto';
import { createHash, createHmac, randomBytes, timingSafeEqual } from '../../crypto.ts';
import { syntaxError, userError } from '../../errors.ts';
import { BINDINGS } from '../channel.ts';
import { saslprep } from '../saslprep.ts';
import { KEY_LENGTH } from '../scramkeys.ts';
import type { ScramHash } from '../secrets/source.ts';
import type { ClientCredentials, ClientExchange, ClientMechanism } from './mechanism.ts';

/** A server that asks for more rounds than this wants our time. */
const MOST_ITERATIONS = 1_000_000;

export const scramClients: readonly ClientMechanism[] = [
  scram('SCRAM-SHA-256-PLUS', 'sha256', true),
  scram('SCRAM-SHA-1-PLUS', 'sha1', true),
  scram('SCRAM-SHA-256', 'sha256', false),
  scram('SCRAM-SHA-1', 'sha1', false),
];

function scram(name: string, hash: ScramHash, plus: boolean): ClientMechanism {
  return {
    name,
    strength: 0,
    security: ['NO_ANONYMOUS', 'NO_PLAINTEXT', 'MUTUAL_AUTH'],
    features: ['WANT_CLIENT_FIRST', 'PROXY_AUTHENTICATION', ...(plus ? ['CHANNEL_BINDING'] : [])],
    start: (credentials) => new Exchange(credentials, name, hash, plus),
  };
}

class Exchange implements ClientExchange {
  readonly initial: Uint8Array;
  readonly layer = undefined;
  done = false;
  readonly #credentials: ClientCredentials;
  readonly #hash: ScramHash;
  readonly #header: string;
  readonly #bound: Uint8Array;
  readonly #nonce = randomBytes(18).toString('base64');
  readonly #bare: string;
  #verifier: Buffer | undefined;

  constructor(credentials: ClientCredentials, name: string, hash: ScramHash, plus: boolean) {
    this.#credentials = credentials;
    this.#hash = hash;
    const kind = BINDINGS.find((each) => credentials.channel.binding(each) !== null);
    if (plus && kind === undefined) throw userError('cannot', `${name} needs TLS to bind to`);
    const flag = plus ? `p=${kind}` : 'n';
    const { authzid, authcid } = credentials;
    this.#header = `${flag},${authzid === '' ? '' : `a=${saslname(authzid)}`},`;
    this.#bound = plus && kind !== undefined
      ? credentials.channel.binding(kind) ?? new Uint8Array(0)
      : new Uint8Array(0);
    this.#bare = `n=${saslname(authcid)},r=${this.#nonce}`;
    this.initial = Buffer.from(this.#header + this.#bare);
  }

  step(challenge: Uint8Array): Uint8Array {
    const text = Buffer.from(challenge).toString('utf8');
    return this.#verifier === undefined ? this.#prove(text) : this.#verify(text, this.#verifier);
  }

  #prove(serverFirst: string): Uint8Array {
    const [, nonce = '', salt = '', rounds = ''] =
      /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d{0,8})(?:,|$)/.exec(serverFirst) ?? [];
    const iterations = Number(rounds);
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce || iterations > MOST_ITERATIONS) {
      throw syntaxError("the server's first message of SCRAM is not one");
    }
    const hash = this.#hash;
    const password = saslprep(this.#credentials.password, 'query') ?? this.#credentials.password;
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), iterations, KEY_LENGTH[hash], hash);
    const clientKey = createHmac(hash, salted).update('Client Key').digest();
    const stored = createHash(hash).update(clientKey).digest();
    const binding = Buffer.concat([Buffer.from(this.#header), this.#bound]).toString('base64');
    const without = `c=${binding},r=${nonce}`;
    const message = `${this.#bare},${serverFirst},${without}`;
    const signature = createHmac(hash, stored).update(message).digest();
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] as number)));
    const serverKey = createHmac(hash, salted).update('Server Key').digest();
    this.#verifier = createHmac(hash, serverKey).update(message).digest();
    return Buffer.from(`${without},p=${proof.toString('base64')}`);
  }

  #verify(serverFinal: string, expected: Buffer): Uint8Array {
    const told = Buffer.from(/^v=([A-Za-z0-9+/]+={0,2})/.exec(serverFinal)?.[1] ?? '', 'base64');
    if (told.length !== expected.length || !timingSafeEqual(told, expected)) {
      throw userError('authenticationfailed', 'the server does not prove that it knows the password');
    }
    this.done = true;
    return new Uint8Array(0);
  }
}

function saslname(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}
