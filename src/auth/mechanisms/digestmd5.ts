/** DIGEST-MD5 (RFC 2831), with its security layers. Historic (RFC 6331), and what the directories of many sites speak. */

import { randomBytes } from '../../crypto.ts';
import { syntaxError } from '../../errors.ts';
import { type Cipher, CIPHERS } from '../digestmd5/ciphers.ts';
import { quoted } from '../digestmd5/directives.ts';
import { digestLayer, OUR_BUFFER } from '../digestmd5/layer.ts';
import { Nonces } from '../digestmd5/nonces.ts';
import {
  type DigestResponse,
  isRight,
  type Qop,
  readResponse,
  serverProof,
  sessionKey,
} from '../digestmd5/response.ts';
import type { Authenticator } from '../login.ts';
import type { Mechanism, SaslContext, SaslExchange, SaslStep } from '../mechanism.ts';
import { serviceName } from '../servicename.ts';

const NAME = 'DIGEST-MD5';

export const digestMd5: Mechanism = {
  name: NAME,
  plaintext: false,
  needs: 'plain',
  strength: 128,
  security: ['NO_ANONYMOUS', 'NO_PLAINTEXT', 'MUTUAL_AUTH'],
  features: ['PROXY_AUTHENTICATION'],
  start: (context) => new Exchange(context),
};

/** By authenticator: a process has one. */
const nonces = new WeakMap<Authenticator, Nonces>();

function noncesOf(authenticator: Authenticator): Nonces {
  let found = nonces.get(authenticator);
  if (found === undefined) nonces.set(authenticator, found = new Nonces());
  return found;
}

class Exchange implements SaslExchange {
  readonly #context: SaslContext;
  readonly #nonce = randomBytes(32).toString('base64');
  readonly #nonces: Nonces;
  #asked = false;

  constructor(context: SaslContext) {
    this.#context = context;
    this.#nonces = noncesOf(context.authenticator);
  }

  async step(bytes: Uint8Array | null): Promise<SaslStep> {
    if (bytes === null) return this.#challenge(false);
    const response = readResponse(bytes);
    this.#fits(response);
    const { nonce, username, realm, nonceCount } = response;
    if (!this.#asked) {
      // §2.2: a login that goes on from an earlier one; where we do not remember it, the client is asked anew.
      if (!this.#nonces.take(nonce, username, realm, nonceCount)) return this.#challenge(true);
    } else if (nonce !== this.#nonce || nonceCount !== 1) {
      throw syntaxError('the response does not belong to the challenge');
    }
    return await this.#check(response);
  }

  async #check(response: DigestResponse): Promise<SaslStep> {
    const { authenticator, origin } = this.#context;
    const claim = await authenticator.claim(response.username, NAME, origin);
    const password = claim.plain;
    const key = sessionKey(response, password);
    const proved = isRight(response, key) && password !== '';
    const identity = await authenticator.settle(claim, {
      mechanism: NAME,
      authzid: response.authzid,
      proved,
    });
    if (this.#asked) this.#nonces.remember(response.nonce, response.username, response.realm);
    const final = Buffer.from(`rspauth=${serverProof(response, key)}`);
    if (response.qop === 'auth') return { kind: 'done', identity, final };
    return {
      kind: 'done',
      identity,
      final,
      layer: digestLayer('server', key, response.cipher, response.maxbuf),
    };
  }

  /** What the client chose is among what it was offered, and is meant for us. */
  #fits({ realm, qop, cipher, uri }: DigestResponse): void {
    if (realm !== this.#realm) throw syntaxError('the realm is not the one that was offered');
    if (!this.#qops.includes(qop)) throw syntaxError('qop is not one that was offered');
    if (cipher !== null && !this.#ciphers.includes(cipher)) {
      throw syntaxError('cipher is not one that was offered');
    }
    // §2.1.2 serv-type.
    const service = serviceName(this.#context.origin.protocol);
    if (!uri.toLowerCase().startsWith(`${service}/`)) throw syntaxError('digest-uri names another service');
  }

  #challenge(stale: boolean): SaslStep {
    this.#asked = true;
    const ciphers = this.#qops.includes('auth-conf') ? this.#ciphers : [];
    const text = [
      `nonce=${quoted(this.#nonce)}`,
      `realm=${quoted(this.#realm)}`,
      `qop=${quoted(this.#qops.join(','))}`,
      ...(ciphers.length === 0 ? [] : [`cipher=${quoted(ciphers.map(({ name }) => name).join(','))}`]),
      ...(stale ? ['stale=true'] : []),
      `maxbuf=${OUR_BUFFER}`,
      'charset=utf-8',
      'algorithm=md5-sess',
    ].join(',');
    return { kind: 'challenge', challenge: Buffer.from(text) };
  }

  get #realm(): string {
    const { sasl_realm: realm, servername } = this.#context.settings;
    return realm === '' ? servername : realm;
  }

  /** What is left of the wanted strength when the layer below is counted in. */
  get #range(): { least: number; most: number } {
    const { settings, channel } = this.#context;
    return {
      least: Math.max(0, settings.sasl_minimum_layer - channel.strength),
      most: Math.max(0, settings.sasl_maximum_layer - channel.strength),
    };
  }

  get #ciphers(): readonly Cipher[] {
    const { least, most } = this.#range;
    return CIPHERS.filter(({ name, strength }) =>
      this.#context.settings.sasl_digest_ciphers.includes(name) && strength >= least && strength <= most
    );
  }

  get #qops(): readonly Qop[] {
    const { least, most } = this.#range;
    const qops: Qop[] = [];
    if (least === 0) qops.push('auth');
    if (least <= 1 && most >= 1) qops.push('auth-int');
    if (this.#ciphers.length > 0) qops.push('auth-conf');
    return qops;
  }
}
