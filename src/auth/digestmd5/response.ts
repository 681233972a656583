/** What a client answers to a DIGEST-MD5 challenge, and how the answer is checked (RFC 2831 §2.1.2, §2.1.3). */

import { createHash, timingSafeEqual } from '../../crypto.ts';
import { syntaxError } from '../../errors.ts';
import { type Cipher, CIPHERS } from './ciphers.ts';
import { readDirectives } from './directives.ts';

export type Qop = 'auth' | 'auth-int' | 'auth-conf';

/** The client's response, checked for form only. */
export interface DigestResponse {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly cnonce: string;
  readonly nonceCount: number;
  readonly qop: Qop;
  readonly cipher: Cipher | null;
  readonly uri: string;
  readonly response: Buffer;
  /** The largest frame the client takes. */
  readonly maxbuf: number;
  readonly authzid: string;
  /** Names and password are hashed as the client has them: Unicode, not ISO 8859-1. */
  readonly unicode: boolean;
}

/** §2.1.1 and §2.1.2: bounds of `maxbuf`, and what it is where it is not said. */
const LEAST_BUFFER = 17;
const MOST_BUFFER = 0xff_ffff;
const DEFAULT_BUFFER = 65_536;

/** @throws MailError 'badsyntax' */
export function readResponse(bytes: Uint8Array): DigestResponse {
  const directives = readDirectives(bytes);
  const need = (name: string): string => {
    const value = directives.get(name);
    if (value === undefined || value === '') throw syntaxError(`the response lacks ${name}`);
    return value;
  };
  const charset = directives.get('charset');
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') {
    throw syntaxError('charset can only be utf-8');
  }
  const unicode = charset !== undefined;
  const text = (latin1: string): string => unicode ? decoded(latin1) : latin1;
  const nc = need('nc');
  if (!/^[0-9a-f]{8}$/i.test(nc)) throw syntaxError('nc is not eight hexadecimal digits');
  const response = need('response');
  if (!/^[0-9a-f]{32}$/.test(response)) throw syntaxError('response is not 32 hexadecimal digits');
  const qop = (directives.get('qop') ?? 'auth').toLowerCase();
  if (qop !== 'auth' && qop !== 'auth-int' && qop !== 'auth-conf') {
    throw syntaxError('qop is not one of ours');
  }
  const cipher = qop === 'auth-conf'
    ? CIPHERS.find(({ name }) => name === need('cipher').toLowerCase())
    : null;
  if (cipher === undefined) throw syntaxError('cipher is not one of ours');
  const maxbuf = directives.get('maxbuf');
  if (maxbuf !== undefined && !/^[0-9]{1,8}$/.test(maxbuf)) throw syntaxError('maxbuf is not a number');
  const buffer = maxbuf === undefined ? DEFAULT_BUFFER : Number(maxbuf);
  if (buffer < LEAST_BUFFER || buffer > MOST_BUFFER) throw syntaxError('maxbuf is out of bounds');
  return {
    username: text(need('username')),
    realm: text(directives.get('realm') ?? ''),
    nonce: need('nonce'),
    cnonce: need('cnonce'),
    nonceCount: parseInt(nc, 16),
    qop,
    cipher,
    uri: need('digest-uri'),
    response: Buffer.from(response, 'hex'),
    maxbuf: buffer,
    authzid: unicode ? text(directives.get('authzid') ?? '') : directives.get('authzid') ?? '',
    unicode,
  };
}

/** H(A1) of `algorithm=md5-sess` (§2.1.2.1). */
export function sessionKey(response: DigestResponse, password: string): Buffer {
  const { username, realm, nonce, cnonce, authzid } = response;
  const secret = createHash('md5')
    .update(octets(username)).update(':')
    .update(octets(realm)).update(':')
    .update(octets(password))
    .digest();
  const a1 = createHash('md5').update(secret).update(`:${nonce}:${cnonce}`, 'latin1');
  if (authzid !== '') a1.update(':').update(authzid, 'utf8');
  return a1.digest();
}

/** `response`: shows the server that the client knows the password (§2.1.2.1), hexadecimal. */
export function clientProof(response: DigestResponse, key: Buffer): string {
  return digest(response, key, 'AUTHENTICATE');
}

/** Whether the client's response is right. */
export function isRight(response: DigestResponse, key: Buffer): boolean {
  return timingSafeEqual(Buffer.from(clientProof(response, key), 'hex'), response.response);
}

/** `rspauth`: shows the client that we know the password, too (§2.1.3). */
export function serverProof(response: DigestResponse, key: Buffer): string {
  return digest(response, key, '');
}

function digest(response: DigestResponse, key: Buffer, method: string): string {
  const { nonce, cnonce, nonceCount, qop, uri } = response;
  const body = qop === 'auth' ? '' : `:${'0'.repeat(32)}`;
  const a2 = createHash('md5').update(`${method}:${uri}${body}`, 'latin1').digest('hex');
  const count = nonceCount.toString(16).padStart(8, '0');
  return createHash('md5')
    .update(`${key.toString('hex')}:${nonce}:${count}:${cnonce}:${qop}:${a2}`, 'latin1')
    .digest('hex');
}

/** §2.1.2.1: what fits into ISO 8859-1 is hashed as that, everything else as UTF-8. */
function octets(text: string): Buffer {
  return Buffer.from(text, /^[\0-\xff]*$/.test(text) ? 'latin1' : 'utf8');
}

function decoded(latin1: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, 'latin1'));
  } catch {
    throw syntaxError('the response is not UTF-8 although it says so');
  }
}
