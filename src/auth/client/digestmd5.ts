/** DIGEST-MD5 as a client speaks it (RFC 2831). */

import { randomBytes } from '../../crypto.ts';
import { syntaxError, userError } from '../../errors.ts';
import type { SecurityLayer } from '../../net/layer.ts';
import { type Cipher, CIPHERS } from '../digestmd5/ciphers.ts';
import { quoted, readDirectives } from '../digestmd5/directives.ts';
import { digestLayer, OUR_BUFFER } from '../digestmd5/layer.ts';
import {
  clientProof,
  type DigestResponse,
  type Qop,
  serverProof,
  sessionKey,
} from '../digestmd5/response.ts';
import type { ClientCredentials, ClientExchange, ClientMechanism } from './mechanism.ts';

export const digestMd5Client: ClientMechanism = {
  name: 'DIGEST-MD5',
  strength: 128,
  security: ['NO_ANONYMOUS', 'NO_PLAINTEXT', 'MUTUAL_AUTH'],
  features: ['PROXY_AUTHENTICATION', 'NEED_SERVER_FQDN'],
  goesOn: (earlier) => earlier?.digest !== undefined,
  start: (credentials) => new Exchange(credentials),
};

class Exchange implements ClientExchange {
  readonly initial: Uint8Array | null;
  done = false;
  layer: SecurityLayer | undefined;
  readonly #credentials: ClientCredentials;
  #response: DigestResponse | undefined;
  #key: Buffer | undefined;
  #theirBuffer = OUR_BUFFER;

  constructor(credentials: ClientCredentials) {
    this.#credentials = credentials;
    this.initial = this.#goOn();
  }

  /** §2.2.1: the values of the last login again, with the next nonce count. */
  #goOn(): Uint8Array | null {
    const { earlier } = this.#credentials;
    if (earlier?.digest === undefined) return null;
    const { response, maxbuf } = earlier.digest;
    delete earlier.digest;
    this.#theirBuffer = maxbuf;
    return this.#say({ ...response, nonceCount: response.nonceCount + 1 });
  }

  step(challenge: Uint8Array): Uint8Array {
    const directives = readDirectives(challenge, 'realm');
    // §2.2.2: the server does not remember, or not any more.
    if (directives.has('nonce')) this.#response = undefined;
    if (this.#response === undefined || this.#key === undefined) return this.#respond(directives);
    if (directives.get('rspauth') !== serverProof(this.#response, this.#key)) {
      throw userError('authenticationfailed', 'the server does not prove that it knows the password');
    }
    if (this.#response.qop !== 'auth') {
      this.layer = digestLayer('client', this.#key, this.#response.cipher, this.#theirBuffer);
    }
    this.done = true;
    const { earlier } = this.#credentials;
    if (earlier !== undefined) earlier.digest = { response: this.#response, maxbuf: this.#theirBuffer };
    return new Uint8Array(0);
  }

  #respond(offer: ReadonlyMap<string, string>): Uint8Array {
    const nonce = offer.get('nonce');
    if (nonce === undefined || offer.get('algorithm') !== 'md5-sess') {
      throw syntaxError('the challenge is not one of DIGEST-MD5');
    }
    const unicode = offer.get('charset')?.toLowerCase() === 'utf-8';
    const { authcid, authzid, service, host, realm } = this.#credentials;
    const { qop, cipher } = this.#choose(offer);
    this.#theirBuffer = Number(offer.get('maxbuf') ?? OUR_BUFFER);
    return this.#say({
      username: authcid,
      realm: realm === '' ? offer.get('realm') ?? '' : realm,
      nonce,
      cnonce: randomBytes(24).toString('base64'),
      nonceCount: 1,
      qop,
      cipher,
      uri: `${service}/${host}`,
      response: Buffer.alloc(16),
      maxbuf: OUR_BUFFER,
      authzid,
      unicode,
    });
  }

  #say(response: DigestResponse): Uint8Array {
    this.#key = sessionKey(response, this.#credentials.password);
    this.#response = response;
    const { username, nonce, nonceCount, authzid, unicode, qop, cipher } = response;
    const text = [
      ...(unicode ? ['charset=utf-8'] : []),
      `username=${quoted(username)}`,
      ...(response.realm === '' ? [] : [`realm=${quoted(response.realm)}`]),
      `nonce=${quoted(nonce)}`,
      `nc=${nonceCount.toString(16).padStart(8, '0')}`,
      `cnonce=${quoted(response.cnonce)}`,
      `digest-uri=${quoted(response.uri)}`,
      `response=${clientProof(response, this.#key)}`,
      `qop=${qop}`,
      ...(cipher === null ? [] : [`cipher=${cipher.name}`]),
      ...(qop === 'auth' ? [] : [`maxbuf=${OUR_BUFFER}`]),
      ...(authzid === '' ? [] : [`authzid=${quoted(authzid)}`]),
    ].join(',');
    return Buffer.from(text, unicode ? 'utf8' : 'latin1');
  }

  /** The strongest protection that is both offered and wanted. */
  #choose(offer: ReadonlyMap<string, string>): { qop: Qop; cipher: Cipher | null } {
    const { least, most } = this.#credentials.layers;
    const qops = list(offer.get('qop') ?? 'auth');
    const ciphers = list(offer.get('cipher') ?? '');
    const cipher = CIPHERS.find(({ name, strength }) =>
      ciphers.includes(name) && strength <= most && strength >= least
    );
    if (qops.includes('auth-conf') && cipher !== undefined) return { qop: 'auth-conf', cipher };
    if (qops.includes('auth-int') && most >= 1 && least <= 1) return { qop: 'auth-int', cipher: null };
    if (qops.includes('auth') && least === 0) return { qop: 'auth', cipher: null };
    throw userError('cannot', 'the server offers no protection of the wanted strength');
  }
}

function list(text: string): readonly string[] {
  return text.toLowerCase().split(/[\s,]+/);
}
