import { listKind } from '../kinds/collection.ts';
import { durationKind } from '../kinds/measure.ts';
import { pathKind, textKind } from '../kinds/plain.ts';
import { option } from '../option.ts';

/** Signatures whose key can be public; "none" and keys that both sides share are not among them. */
const algorithmsThere: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Tokens and keys are worth no more than the way they come: https, or http to this very machine. */
function urlProblem(text: string): string | undefined {
  if (text === '') return undefined;
  const url = URL.parse(text);
  const local = url !== null && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && local)
    ? undefined
    : 'is no https:// URL (http:// only to this machine)';
}

/** Access tokens instead of passwords: OAUTHBEARER (RFC 7628) and XOAUTH2. */
export const oauthOptions = {
  oauth_jwks_url: option({
    toml: 'oauth.jwks_url',
    kind: textKind(),
    default: '',
    imapd: [],
    doc:
      "Where the identity provider publishes its keys (RFC 7517): tokens are JWTs, checked here. It is the provider's " +
      'jwks_uri.',
    check: urlProblem,
  }),
  oauth_jwks_file: option({
    toml: 'oauth.jwks_file',
    kind: pathKind(),
    default: '',
    imapd: [],
    doc: 'A file with the keys instead. Changes are noticed at the next login.',
  }),
  oauth_issuer: option({
    toml: 'oauth.issuer',
    kind: textKind(),
    default: '',
    imapd: [],
    doc: 'Who must have issued a token: its claim iss, to the letter.',
  }),
  oauth_audience: option({
    toml: 'oauth.audience',
    kind: listKind({ separator: /\s+/, item: 'audiences', single: true }),
    default: [],
    imapd: [],
    doc:
      'For whom a token must be: one of these must be in its claim aud. Without that a token that was given to any other ' +
      'application of the provider would open the mailbox.',
  }),
  oauth_algorithms: option({
    toml: 'oauth.algorithms',
    kind: listKind({ separator: /[\s,]+/, item: 'algorithms' }),
    default: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    imapd: [],
    doc: `Signatures that are accepted. There are ${algorithmsThere.join(', ')}.`,
    check(value) {
      const odd = value.filter((name) => !algorithmsThere.includes(name));
      if (odd.length > 0) return `${odd.join(', ')}: not there; there are ${algorithmsThere.join(', ')}`;
      return value.length === 0 ? 'at least one algorithm is needed' : undefined;
    },
  }),
  oauth_user_claim: option({
    toml: 'oauth.user_claim',
    kind: textKind(),
    default: 'email',
    imapd: [],
    doc:
      'The claim that is the login name: email, preferred_username, sub, username. It must be one that users cannot change ' +
      'at the provider.',
  }),
  oauth_scope: option({
    toml: 'oauth.scope',
    kind: listKind({ separator: /\s+/, item: 'scopes', single: true }),
    default: [],
    imapd: [],
    doc: 'Scopes a token must have, all of them. Clients are told them when a token is refused.',
  }),
  oauth_clock_skew: option({
    toml: 'oauth.clock_skew',
    kind: durationKind(0, 2 * 86_400),
    default: 60,
    imapd: [],
    doc: "How far the provider's clock may be off.",
  }),
  oauth_introspection_cache: option({
    toml: 'oauth.introspection_cache',
    kind: durationKind(0, 3_600),
    default: 60,
    imapd: [],
    doc:
      'How long a token that the introspection_url called active is not asked about again, up to its own end. One that ' +
      'was withdrawn works as long; "0s" asks at every login.',
  }),
  oauth_introspection_url: option({
    toml: 'oauth.introspection_url',
    kind: textKind(),
    default: '',
    imapd: [],
    doc:
      'Where the provider is asked whether a token is valid (RFC 7662): for tokens that are no JWT. With jwks_url or ' +
      'jwks_file as well, both must find a token good, so that one that was revoked is noticed.',
    check: urlProblem,
  }),
  oauth_client_id: option({
    toml: 'oauth.client_id',
    kind: textKind(),
    default: '',
    imapd: [],
    doc: 'Who asks there.',
  }),
  oauth_client_secret_file: option({
    toml: 'oauth.client_secret_file',
    kind: pathKind(),
    default: '',
    imapd: [],
    doc: 'A file with the secret of client_id in its first line.',
  }),
  oauth_ca_file: option({
    toml: 'oauth.ca_file',
    kind: pathKind(),
    default: '',
    defaultText: 'the authorities the system trusts',
    imapd: [],
    doc: "PEM file with the authorities the provider's certificate is checked against.",
  }),
  oauth_openid_configuration: option({
    toml: 'oauth.openid_configuration',
    kind: textKind(),
    default: '',
    imapd: [],
    doc:
      'The URL of the provider\'s ".well-known/openid-configuration", told to clients whose token is refused ' +
      '(RFC 7628).',
    check: urlProblem,
  }),
};
