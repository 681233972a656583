/** A login by SASL (RFC 4422), whatever the protocol. */

import type { SaslChannel } from '../../auth/channel.ts';
import type { ClientExchange, ClientMechanism } from '../../auth/client/mechanism.ts';
import { asMailError, syntaxError, userError } from '../../errors.ts';
import type { SecurityLayer } from '../../net/layer.ts';
import type { Dialogue } from './dialogue.ts';
import { OMITTED } from './talk.ts';

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
  /** Show responses that tell the password. */
  readonly verbose: boolean;
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
  dialogue: Dialogue,
  mechanism: ClientMechanism,
  login: Login,
  channel: SaslChannel,
): Promise<SecurityLayer | undefined> {
  const { name, security, features } = mechanism;
  const shown = login.verbose || security.includes('NO_PLAINTEXT') ? undefined : OMITTED;
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
      layers: {
        least: Math.max(0, login.layers.least - below),
        most: Math.max(0, login.layers.most - below),
      },
    });
    return exchange;
  };
  // Where the server speaks first, the person is asked only once it has spoken.
  let waiting = features.includes('WANT_CLIENT_FIRST') ? (await begun()).initial : null;
  let initial: string | null = null;
  if (waiting !== null && login.initial) {
    const base64 = waiting.toBase64();
    if (dialogue.takesInitial(name, base64.length)) [initial, waiting] = [base64, null];
  }
  dialogue.authenticate(name, initial, shown);
  for (;;) {
    const reply = await dialogue.reply();
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
      dialogue.cancel();
      await dialogue.reply().catch(() => {});
      throw asMailError(thrown);
    }
    dialogue.respond(response.toBase64(), shown);
  }
}

function decode(base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw syntaxError('the challenge of the server is not base64');
  }
}
