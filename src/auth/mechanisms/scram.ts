/**
 * SCRAM-SHA-1, SCRAM-SHA-256 and their -PLUS forms (RFC 5802, 7677, 9266): neither side learns the password, each proves
 * that it knows it; with -PLUS both are sure that nobody stands between them.
 */

import { createHash, createHmac, randomBytes, timingSafeEqual } from '../../crypto.ts';
import { syntaxError } from '../../errors.ts';
import { type Binding, BINDINGS, type SaslChannel } from '../channel.ts';
import type { Claim } from '../claim.ts';
import type { Mechanism, SaslContext, SaslExchange, SaslStep } from '../mechanism.ts';
import type { ScramHash, ScramKeys } from '../secrets/source.ts';
import { decodeText } from '../text.ts';

export const scramSha256Plus = scram('SCRAM-SHA-256-PLUS', 'sha256', true);
export const scramSha1Plus = scram('SCRAM-SHA-1-PLUS', 'sha1', true);
export const scramSha256 = scram('SCRAM-SHA-256', 'sha256', false);
export const scramSha1 = scram('SCRAM-SHA-1', 'sha1', false);

function scram(name: string, hash: ScramHash, plus: boolean): Mechanism {
  return {
    name,
    plaintext: false,
    needs: 'scram',
    strength: 0,
    security: ['NO_ANONYMOUS', 'NO_PLAINTEXT', 'MUTUAL_AUTH'],
    features: ['WANT_CLIENT_FIRST', 'PROXY_AUTHENTICATION', ...(plus ? ['CHANNEL_BINDING'] : [])],
    unusable: ({ channel }) =>
      plus && !canBind(channel) ? 'the connection has no channel binding (it needs TLS)' : null,
    start: (context) => new Exchange(context, name, hash, plus),
  };
}

function canBind(channel: SaslChannel): boolean {
  return BINDINGS.some((kind) => channel.binding(kind) !== null);
}

class Exchange implements SaslExchange {
  readonly #context: SaslContext;
  readonly #name: string;
  readonly #hash: ScramHash;
  readonly #plus: boolean;
  #first: ClientFirst | undefined;
  #claim: Claim | undefined;
  #keys: ScramKeys | undefined;
  #serverFirst = '';
  #nonce = '';

  constructor(context: SaslContext, name: string, hash: ScramHash, plus: boolean) {
    this.#context = context;
    this.#name = name;
    this.#hash = hash;
    this.#plus = plus;
  }

  async step(response: Uint8Array | null): Promise<SaslStep> {
    if (response === null) return { kind: 'challenge', challenge: new Uint8Array(0) };
    const text = decodeText(response);
    return this.#first === undefined ? await this.#begin(text) : await this.#finish(text, this.#first);
  }

  async #begin(text: string): Promise<SaslStep> {
    const first = readClientFirst(text);
    const { channel, settings } = this.#context;
    // §6: a client that would bind but believes that we cannot has been lied to by somebody in between, unless binding is
    // really not offered here.
    const bindingOffered = canBind(channel) && settings.sasl_mech_list.includes(`${this.#name}-PLUS`);
    const downgraded = first.flag === 'y' && bindingOffered;
    const unfit = this.#plus ? first.flag !== 'p' : first.flag === 'p';
    if (unfit) throw syntaxError(`the channel binding flag does not fit ${this.#name}`);
    if (first.flag === 'p' && !BINDINGS.includes(first.binding as Binding)) {
      throw syntaxError(`channel binding is ${BINDINGS.join(' or ')} here`);
    }
    const claim = await this.#context.authenticator.claim(first.user, this.#name, this.#context.origin);
    const keys = await claim.scram(this.#hash);
    if (downgraded) {
      const identity = await this.#settle(claim, first, false, 'binding');
      return { kind: 'done', identity };
    }
    this.#first = first;
    this.#claim = claim;
    this.#keys = keys;
    this.#nonce = first.nonce + randomBytes(18).toString('base64');
    this.#serverFirst = `r=${this.#nonce},s=${keys.salt},i=${keys.iterations}`;
    return { kind: 'challenge', challenge: Buffer.from(this.#serverFirst) };
  }

  async #finish(text: string, first: ClientFirst): Promise<SaslStep> {
    const { binding, nonce, proof, withoutProof } = readClientFinal(text);
    const keys = this.#keys as ScramKeys;
    const claim = this.#claim as Claim;
    const bound = timingSafeEqualText(binding, this.#expectedBinding(first));
    const message = `${first.bare},${this.#serverFirst},${withoutProof}`;
    const stored = Buffer.from(keys.storedKey, 'base64');
    const signature = createHmac(this.#hash, stored).update(message).digest();
    const clientKey = xor(proof, signature);
    const proved = clientKey !== null &&
      timingSafeEqual(createHash(this.#hash).update(clientKey).digest(), stored);
    const identity = await this.#settle(
      claim,
      first,
      proved && bound && nonce === this.#nonce,
      proved && !bound ? 'binding' : undefined,
    );
    const serverKey = Buffer.from(keys.serverKey, 'base64');
    const verifier = createHmac(this.#hash, serverKey).update(message).digest('base64');
    return { kind: 'done', identity, final: Buffer.from(`v=${verifier}`) };
  }

  #settle(claim: Claim, first: ClientFirst, proved: boolean, reason: 'binding' | 'secret' | undefined) {
    return this.#context.authenticator.settle(claim, {
      mechanism: this.#name,
      authzid: first.authzid,
      proved,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  /** `c=`: the GS2 header, and the data of the channel where it is bound (§7). */
  #expectedBinding(first: ClientFirst): string {
    const data = first.flag === 'p' ? this.#context.channel.binding(first.binding as Binding) : null;
    return Buffer.concat([Buffer.from(first.header), data ?? new Uint8Array(0)]).toString('base64');
  }
}

interface ClientFirst {
  readonly flag: 'n' | 'y' | 'p';
  /** Name of the channel binding, '' without one. */
  readonly binding: string;
  readonly authzid: string;
  readonly user: string;
  readonly nonce: string;
  /** `gs2-header`, as it was sent. */
  readonly header: string;
  /** `client-first-message-bare`. */
  readonly bare: string;
}

/** client-first-message (§7): `gs2-cbind-flag "," [authzid] "," [reserved-mext ","] username "," nonce ["," extensions]` */
function readClientFirst(text: string): ClientFirst {
  const match =
    /^((?:([ny])|p=([A-Za-z0-9.-]{1,80})),(?:a=([^,\0]*))?,)(n=([^,\0]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[^\0]*)?)$/
      .exec(text);
  if (match === null) throw syntaxError('the first message of SCRAM is malformed (RFC 5802)');
  const [, header = '', flag, binding = '', authzid = '', bare = '', user = '', nonce = ''] = match;
  return {
    flag: flag === 'n' || flag === 'y' ? flag : 'p',
    binding,
    authzid: saslname(authzid),
    user: saslname(user),
    nonce,
    header,
    bare,
  };
}

/** client-final-message (§7): `channel-binding "," nonce ["," extensions] "," proof` */
function readClientFinal(text: string) {
  const match =
    /^(c=([A-Za-z0-9+/]+={0,2}),r=([\x21-\x2b\x2d-\x7e]+)(?:,[a-zA-Z]=[^,\0]+)*),p=([A-Za-z0-9+/]+={0,2})$/
      .exec(text);
  if (match === null) throw syntaxError('the last message of SCRAM is malformed (RFC 5802)');
  const [, withoutProof = '', binding = '', nonce = '', proof = ''] = match;
  return { withoutProof, binding, nonce, proof: Buffer.from(proof, 'base64') };
}

/** §5.1: ',' and '=' are written as =2C and =3D; any other use of '=' is an error. */
function saslname(text: string): string {
  if (/=(?!2C|3D)/.test(text)) throw syntaxError("a name has '=' that is neither =2C nor =3D");
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function xor(a: Buffer, b: Buffer): Buffer | null {
  if (a.length !== b.length) return null;
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] as number)));
}

function timingSafeEqualText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
