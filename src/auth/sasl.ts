/**
 * The server's side of SASL for all protocols (RFC 4422): which mechanisms are offered, and the exchange with its
 * bounds. A protocol reads a line, hands it to `decodeResponse`, gives the bytes to `step` and writes what comes
 * back with `encodeChallenge`.
 *
 * Invariants
 * 1. A mechanism that sends a password as it is can neither be seen nor started without TLS, unless `allowplaintext`.
 * 2. A response is at most `limits.sasl_response` bytes of base64, and an exchange at most `MAX_STEPS` of them.
 * 3. After 'done' or a failure the exchange takes nothing more.
 */

import { limitError, syntaxError, userError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Settings } from '../config/settings.ts';
import type { Mechanism, SaslContext, SaslExchange, SaslStep } from './mechanism.ts';
import { MECHANISMS } from './mechanisms.ts';

export type { SaslContext, SaslExchange, SaslStep } from './mechanism.ts';

/** More than any mechanism needs. */
const MAX_STEPS = 16;

/** Whether a password may be sent as it is here: TLS is on, or the administrator says so (LOGINDISABLED). */
export function plaintextAllowed(settings: Pick<Settings, 'allowplaintext'>, secure: boolean): boolean {
  return secure || settings.allowplaintext;
}

/** Whether a command that takes user and password would be heard here (LOGIN of IMAP, USER of POP3). */
export function loginAllowed({ settings, origin, channel }: SaslContext): boolean {
  return !needsTls(settings, origin) && plaintextAllowed(settings, origin.secure) &&
    settings.sasl_minimum_layer <= channel.strength;
}

/** Whether nobody logs in here before TLS is on (`tls_required`). */
function needsTls(settings: Pick<Settings, 'tls_required'>, origin: SaslContext['origin']): boolean {
  return settings.tls_required && !origin.secure && origin.remoteAddress !== '';
}

/** Names of the mechanisms to announce, as `AUTH=` or `SASL`, on a connection in this state. */
export function offered(context: SaslContext): string[] {
  return MECHANISMS.filter((mechanism) => whyNot(mechanism, context) === null).map(({ name }) => name);
}

/** Why a mechanism is not offered on this connection; null when it is. */
export function whyNot(mechanism: Mechanism, context: SaslContext): string | null {
  const { settings, channel, origin, authenticator } = context;
  if (!settings.sasl_mech_list.includes(mechanism.name)) return 'it is not in sasl_mech_list';
  if (needsTls(settings, origin)) return 'tls.required asks for TLS first';
  const { abilities } = authenticator;
  if (mechanism.needs === 'plain' && !abilities.plain) return 'no source of secrets hands out passwords';
  if (mechanism.needs === 'scram' && abilities.scram === false) {
    return 'no source of secrets has keys or passwords';
  }
  if (mechanism.plaintext && !plaintextAllowed(settings, origin.secure)) {
    return 'it sends the password as it is and needs TLS (allowplaintext is off)';
  }
  if (settings.sasl_minimum_layer - channel.strength > mechanism.strength) {
    return `sasl_minimum_layer asks for ${settings.sasl_minimum_layer} bits`;
  }
  return mechanism.unusable?.(context) ?? null;
}

/**
 * Begins an exchange.
 * @param name as the client wrote it, in any case
 * @throws MailError 'cannot' for a mechanism that is not there or not enabled, 'privacyrequired' for one that
 *   needs TLS first
 */
export function startSasl(name: string, context: SaslContext): SaslExchange {
  const wanted = name.toUpperCase();
  const mechanism = MECHANISMS.find((each) => each.name === wanted);
  if (mechanism === undefined || whyNot(mechanism, context) !== null) {
    const secured = {
      ...context,
      origin: { ...context.origin, secure: true },
      channel: { ...context.channel, strength: 256 },
    };
    if (mechanism !== undefined && !context.origin.secure && whyNot(mechanism, secured) === null) {
      throw userError('privacyrequired', 'this authentication mechanism needs TLS first');
    }
    throw userError('cannot', 'this authentication mechanism is not supported');
  }
  return new BoundedExchange(mechanism.start(context));
}

/**
 * The bytes of a client's response line without its CRLF. '=' alone is an empty response: RFC 4959 §3 for an
 * initial one.
 * @returns 'cancel' for '*' (RFC 9051 §6.2.2)
 * @throws MailError 'badsyntax' for what is not canonical base64 (RFC 4648 §4), 'limit' for too much
 */
export function decodeResponse(line: string): Uint8Array | 'cancel' {
  if (line === '*') return 'cancel';
  if (line.length > limits.sasl_response.value) throw limitError('the authentication response is too long');
  if (line === '=') return new Uint8Array(0);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(line)) throw syntaxError('the authentication response is not base64');
  try {
    return Uint8Array.fromBase64(line, { lastChunkHandling: 'strict' });
  } catch {
    throw syntaxError('the authentication response is not base64');
  }
}

/** A challenge as base64, without CRLF; '' for an empty one. */
export function encodeChallenge(challenge: Uint8Array): string {
  return challenge.toBase64();
}

class BoundedExchange implements SaslExchange {
  readonly #exchange: SaslExchange;
  #steps = 0;
  #over = false;

  constructor(exchange: SaslExchange) {
    this.#exchange = exchange;
  }

  async step(response: Uint8Array | null): Promise<SaslStep> {
    if (this.#over || ++this.#steps > MAX_STEPS || (response === null && this.#steps > 1)) {
      throw syntaxError('the authentication exchange is over');
    }
    // A step that is still running has the exchange to itself.
    this.#over = true;
    if (response !== null && response.length > limits.sasl_response.value) {
      throw limitError('the authentication response is too long');
    }
    const result = await this.#exchange.step(response);
    this.#over = result.kind === 'done';
    return result;
  }
}
