/** A login by SASL (RFC 4422), whatever the protocol. */

import { asMailError, syntaxError, userError } from '../../errors.ts';
import type { SecurityLayer } from '../../net/layer.ts';
import type { SaslChannel } from '../channel.ts';
import type { ClientExchange, ClientMechanism, EarlierLogin } from './mechanism.ts';

/** What the server made of the last step. */
export type SaslReply =
  | { readonly kind: 'challenge'; readonly base64: string }
  | {
    readonly kind: 'ok'; /** Data with success, null where there is none. */
    readonly base64: string | null;
  }
  | { readonly kind: 'no'; readonly text: string };

/** How a protocol carries an exchange. */
export interface SaslCarrier {
  /** Whether an initial response of this length may go with the command. */
  takesInitial(mechanism: string, length: number): boolean;
  /**
   * Begins an exchange.
   * @param initial base64, '' for an empty response; null without one
   * @param shown what to show in the place of a response
   */
  authenticate(mechanism: string, initial: string | null, shown?: string): void;
  reply(): Promise<SaslReply>;
  respond(base64: string, shown?: string): void;
  cancel(): void;
}

/** Who logs in, and how. */
export interface Login {
  readonly authcid: string;
  /** Who to act as, '' for the same. */
  readonly authzid: string;
  readonly realm: string;
  readonly service: string;
  readonly host: string;
  /** Asks for the password; only called where a mechanism needs it, and then once. */
  readonly password: () => Promise<string>;
  /** Bits of protection that are wanted, those of TLS counted in. */
  readonly layers: { readonly least: number; readonly most: number };
  /** Send an initial response where the protocol has one. */
  readonly initial: boolean;
  /** What to show in the place of responses that tell the password; without it they are shown. */
  readonly hidden?: string;
  /** What the last login left for this one. */
  readonly earlier?: EarlierLogin;
}

/** Mechanisms whose response takes no password. */
const WITHOUT_PASSWORD: ReadonlySet<string> = new Set(['EXTERNAL', 'ANONYMOUS']);

/**
 * Logs in.
 * @returns the security layer that was negotiated, if any
 * @throws MailError 'authenticationfailed' where the server refuses or cannot prove who it is; 'cannot' where what it offers
 *   does not do; 'badsyntax' where it does not follow the mechanism; 'unavailable' where the connection is lost
 */
export async function authenticate(
  carrier: SaslCarrier,
  mechanism: ClientMechanism,
  login: Login,
  channel: SaslChannel,
): Promise<SecurityLayer | undefined> {
  const { name, security, features } = mechanism;
  const shown = security.includes('NO_PLAINTEXT') ? undefined : login.hidden;
  let exchange: ClientExchange | undefined;
  const begun = async (): Promise<ClientExchange> => {
    if (exchange !== undefined) return exchange;
    const password = WITHOUT_PASSWORD.has(name) ? '' : await login.password();
    const below = channel.strength;
    exchange = mechanism.start({
      authcid: login.authcid,
      authzid: login.authzid,
      password,
      service: login.service,
      host: login.host,
      realm: login.realm,
      channel,
      ...(login.earlier === undefined ? {} : { earlier: login.earlier }),
      layers: {
        least: Math.max(0, login.layers.least - below),
        most: Math.max(0, login.layers.most - below),
      },
    });
    return exchange;
  };
  // Where the server speaks first, the person is asked only once it has spoken.
  const first = features.includes('WANT_CLIENT_FIRST') || mechanism.goesOn?.(login.earlier) === true;
  let waiting = first ? (await begun()).initial : null;
  let initial: string | null = null;
  if (waiting !== null && login.initial) {
    const base64 = waiting.toBase64();
    if (carrier.takesInitial(name, base64.length)) [initial, waiting] = [base64, null];
  }
  carrier.authenticate(name, initial, shown);
  for (;;) {
    const reply = await carrier.reply();
    if (reply.kind === 'no') throw userError('authenticationfailed', reply.text);
    if (reply.kind === 'ok') {
      if (reply.base64 !== null && exchange?.done === false) exchange.step(decode(reply.base64));
      if (exchange?.done !== true) {
        throw userError('authenticationfailed', 'the server lets us in without having proved who it is');
      }
      return exchange.layer;
    }
    let response: Uint8Array;
    try {
      const current = await begun();
      // The empty challenge that asks for what could not go with the command.
      response = waiting ?? current.step(decode(reply.base64));
      waiting = null;
    } catch (thrown) {
      carrier.cancel();
      await carrier.reply().catch(() => {});
      throw asMailError(thrown);
    }
    carrier.respond(response.toBase64(), shown);
  }
}

function decode(base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw syntaxError('the challenge of the server is not base64');
  }
}
