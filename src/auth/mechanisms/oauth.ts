/**
 * OAUTHBEARER (RFC 7628) and Google's XOAUTH2: the client shows an access token instead of a password.
 *
 *   OAUTHBEARER   n,a=user,^Ahost=mail.example.org^Aport=143^Aauth=Bearer token^A^A
 *   XOAUTH2       user=user^Aauth=Bearer token^A^A
 *
 * A token that is not good is answered by a challenge that says so, and the failure follows the client's answer to
 * that (RFC 7628 §3.2.3).
 */

import { asMailError, type MailError, syntaxError } from '../../errors.ts';
import type { Mechanism, SaslContext, SaslExchange, SaslStep } from '../mechanism.ts';
import { takesTokens } from '../oauth/users.ts';
import { decodeText } from '../text.ts';

interface Presented {
  /** Who the client wants to be, '' for whoever the token was given to. */
  readonly authzid: string;
  readonly token: string;
}

export const oauthBearer: Mechanism = bearer('OAUTHBEARER', readOauthBearer);
export const xoauth2: Mechanism = bearer('XOAUTH2', readXoauth2);

function bearer(name: string, read: (text: string) => Presented): Mechanism {
  return {
    name,
    plaintext: true, // RFC 7628 §4: whoever sees the token has it
    needs: 'token',
    strength: 0,
    security: ['NO_ANONYMOUS', 'NO_DICTIONARY'],
    features: ['WANT_CLIENT_FIRST', 'PROXY_AUTHENTICATION'],
    unusable: ({ settings }) =>
      takesTokens(settings) ? null : 'no identity provider is configured (section oauth)',
    start: (context) => new Exchange(context, name, read),
  };
}

class Exchange implements SaslExchange {
  readonly #context: SaslContext;
  readonly #name: string;
  readonly #read: (text: string) => Presented;
  #failure: MailError | undefined;

  constructor(context: SaslContext, name: string, read: (text: string) => Presented) {
    this.#context = context;
    this.#name = name;
    this.#read = read;
  }

  async step(response: Uint8Array | null): Promise<SaslStep> {
    // Whatever the client says to the error: ^A by RFC 7628, nothing by XOAUTH2.
    if (this.#failure !== undefined) throw this.#failure;
    if (response === null) return { kind: 'challenge', challenge: new Uint8Array(0) };
    const { authzid, token } = this.#read(decodeText(response));
    const { authenticator, origin } = this.#context;
    const user = await authenticator.tokenUser(token, { mechanism: this.#name, authcid: authzid, origin });
    const claim = await authenticator.vouchedFor(user ?? authzid, origin);
    try {
      const identity = await authenticator.settle(claim, {
        mechanism: this.#name,
        authzid,
        proved: user !== null,
        reason: 'token',
        secret: token,
      });
      return { kind: 'done', identity };
    } catch (thrown) {
      const error = asMailError(thrown);
      if (error.code !== 'authenticationfailed' && error.code !== 'authorizationfailed') throw error;
      this.#failure = error;
      return { kind: 'challenge', challenge: Buffer.from(this.#refusal()) };
    }
  }

  /** RFC 7628 §3.2.2; clients of XOAUTH2 look for a status of three digits. */
  #refusal(): string {
    const { oauth_scope, oauth_openid_configuration: configuration } = this.#context.settings;
    const scope = oauth_scope.length === 0 ? {} : { scope: oauth_scope.join(' ') };
    return JSON.stringify(
      this.#name === 'XOAUTH2' ? { status: '401', schemes: 'bearer', ...scope } : {
        status: 'invalid_token',
        ...scope,
        ...(configuration === '' ? {} : { 'openid-configuration': configuration }),
      },
    );
  }
}

/** What stands between the ^A, by key; host, port and whatever else clients send are there for the taking. */
function pairs(text: string): ReadonlyMap<string, string> {
  if (!text.endsWith('\x01\x01')) throw syntaxError('the token does not end with two ^A');
  const found = new Map<string, string>();
  for (const pair of text.slice(0, -2).split('\x01')) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at);
    if (at < 1 || !/^[A-Za-z0-9]+$/.test(key)) {
      throw syntaxError('what stands between two ^A is no key=value');
    }
    if (found.has(key.toLowerCase())) throw syntaxError(`${key} is given twice`);
    found.set(key.toLowerCase(), pair.slice(at + 1));
  }
  return found;
}

function tokenOf(values: ReadonlyMap<string, string>): string {
  const [, token] = /^bearer +(\S+)$/i.exec(values.get('auth') ?? '') ?? [];
  if (token === undefined) throw syntaxError('there is no auth=Bearer and a token');
  return token;
}

/** RFC 7628 §3.1, with the GS2 header of RFC 5801 §4. */
function readOauthBearer(text: string): Presented {
  const [header, flag = '', authzid = ''] = /^(n|y|p=[A-Za-z0-9.-]+),(?:a=([^\x01,]*))?,\x01/.exec(text) ??
    [];
  if (header === undefined) throw syntaxError('OAUTHBEARER begins with "n,a=user,"');
  if (flag.startsWith('p=')) throw syntaxError('OAUTHBEARER cannot be bound to a channel');
  if (/=(?!2C|3D)/.test(authzid)) throw syntaxError('the user of OAUTHBEARER has an odd "="');
  return {
    authzid: authzid.replaceAll('=2C', ',').replaceAll('=3D', '='),
    token: tokenOf(pairs(text.slice(header.length))),
  };
}

function readXoauth2(text: string): Presented {
  const values = pairs(text);
  return { authzid: values.get('user') ?? '', token: tokenOf(values) };
}
