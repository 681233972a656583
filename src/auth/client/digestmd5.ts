/** DIGEST-MD5 as a client speaks it (RFC 2831). */

import { randomBytes } from 'node:crypto';
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
  start: (credentials) => new Exchange(credentials),
};

class Exchange implements ClientExchange {
  readonly initial = null;
  done = false;
  layer: SecurityLayer | undefined;
  readonly #credentials: ClientCredentials;
  #response: DigestResponse | undefined;
  #key: Buffer | undefined;
  #theirBuffer = OUR_BUFFER;

  constructor(credentials: ClientCredentials) {
    this.#credentials = credentials;
  }

  step(challenge: Uint8Array): Uint8Array {
    const directives = readDirectives(challenge, 'realm');
    if (this.#response === undefined || this.#key === undefined) return this.#respond(directives);
    if (directives.get('rspauth') !== serverProof(this.#response, this.#key)) {
      throw userError('authenticationfailed', 'the server does not prove that it knows the password');
    }
    if (this.#response.qop !== 'auth') {
      this.layer = digestLayer('client', this.#key, this.#response.cipher, this.#theirBuffer);
    }
    this.done = true;
    return new Uint8Array(0);
  }

  #respond(offer: ReadonlyMap<string, string>): Uint8Array {
    const nonce = offer.get('nonce');
    if (nonce === undefined || offer.get('algorithm') !== 'md5-sess') {
      throw syntaxError('the challenge is not one of DIGEST-MD5');
    }
    const unicode = offer.get('charset')?.toLowerCase() === 'utf-8';
    const { authcid, authzid, password, service, host, realm } = this.#credentials;
    const { qop, cipher } = this.#choose(offer);
    this.#theirBuffer = Number(offer.get('maxbuf') ?? OUR_BUFFER);
    const response: DigestResponse = {
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
    };
    this.#key = sessionKey(response, password);
    this.#response = response;
    const text = [
      ...(unicode ? ['charset=utf-8'] : []),
      `username=${quoted(authcid)}`,
      ...(response.realm === '' ? [] : [`realm=${quoted(response.realm)}`]),
      `nonce=${quoted(nonce)}`,
      'nc=00000001',
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
