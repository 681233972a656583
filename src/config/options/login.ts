import { networksKind } from '../kinds/collection.ts';
import { durationKind } from '../kinds/measure.ts';
import { integerKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** What guessing passwords and too many connections cost. */
export const loginOptions = {
  failedloginpause: option({
    toml: 'login.failedloginpause',
    kind: durationKind(0, 60),
    default: 2,
    imapdDefault: 3,
    imapd: [{ key: 'failedloginpause', unit: 's' }],
    doc:
      'How much later a failed login is answered. From the fourth different wrong password of a user or a network ' +
      'on it doubles, up to 30 seconds. Nobody else waits.',
  }),
  plaintextloginpause: option({
    toml: 'login.plaintextloginpause',
    kind: durationKind(0, 60),
    default: 0,
    imapd: [{ key: 'plaintextloginpause', unit: 's' }],
    doc: 'How much later a login is answered that went well, but with a password in clear text without TLS.',
  }),
  login_limit_user: option({
    toml: 'login.limit_user',
    kind: integerKind(0, 1000),
    default: 10,
    imapd: [],
    doc:
      'After so many different wrong passwords for one user nothing more is checked for that user for a while, ' +
      'except from networks (/24 of IPv4, /48 of IPv6) the user has logged in from before, which have a count of ' +
      'their own. The same password again and again counts once. SCRAM, CRAM-MD5 and DIGEST-MD5 do not show which ' +
      'password it was: each failure counts. 0 for no limit.',
  }),
  login_limit_network: option({
    toml: 'login.limit_network',
    kind: integerKind(0, 10_000),
    default: 50,
    imapd: [],
    doc:
      'After so many different wrong passwords from one network (/24 of IPv4, /48 of IPv6) nothing more is checked ' +
      'from there for a while, except for users who have logged in from there before. 0 for no limit.',
  }),
  login_limit_window: option({
    toml: 'login.limit_window',
    kind: durationKind(60, 7 * 86_400),
    default: 3600,
    imapd: [],
    doc: 'How long a wrong password counts.',
  }),
  login_block: option({
    toml: 'login.block',
    kind: durationKind(1, 7 * 86_400),
    default: 300,
    imapd: [],
    doc:
      'For how long nothing is checked after too many wrong passwords; doubles each time up to a day. Clients are ' +
      'answered "try again later", not "wrong password".',
  }),
  login_trusted_networks: option({
    toml: 'login.trusted_networks',
    kind: networksKind(),
    default: ['127.0.0.0/8', '::1'],
    imapd: [],
    doc:
      'Networks whose wrong passwords are not counted and whose addresses have no limit of connections: a webmail, ' +
      'a proxy in front that does not say whom it speaks for.',
  }),
  maxlogins_per_user: option({
    toml: 'login.maxlogins_per_user',
    kind: integerKind(0, 1_000_000),
    default: 0,
    imapd: imapd('maxlogins_per_user'),
    doc:
      'The most connections of one user that are logged in, over all protocols; 0 for no limit. A connection counts ' +
      'for whom it acts as. What administrators open does not count.',
  }),
  maxlogins_per_host: option({
    toml: 'login.maxlogins_per_host',
    kind: integerKind(0, 1_000_000),
    default: 0,
    imapd: imapd('maxlogins_per_host'),
    doc:
      'The most connections of one address that are logged in; 0 for no limit. What administrators and proxyservers ' +
      'open does not count, nor do addresses of login.trusted_networks.',
  }),
};
