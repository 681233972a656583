import { parseCertificateRule, parsePeerRule } from '../externalrules.ts';
import { listKind } from '../kinds/collection.ts';
import type { Kind, Parsed } from '../kinds/kind.ts';
import { durationKind } from '../kinds/measure.ts';
import { choiceKind, integerKind, pathKind, switchKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** The SASL mechanisms there are, the preferred one first. */
export const mechanismsThere: readonly string[] = [
  'EXTERNAL',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1',
  'OAUTHBEARER',
  'XOAUTH2',
  'DIGEST-MD5',
  'CRAM-MD5',
  'PLAIN',
  'LOGIN',
  'ANONYMOUS',
];

/** They need passwords that can be read back, so they are there for those who ask for them. */
const READ_BACK: readonly string[] = ['DIGEST-MD5', 'CRAM-MD5'];

/** Ciphers of DIGEST-MD5's security layer; the last three are weak. */
const digestCiphers: readonly string[] = ['rc4', '3des', 'rc4-56', 'des', 'rc4-40'];

/** The sources of secrets that are read by the server itself. */
export const auxpropPlugins: readonly string[] = ['sasldb', 'ldapdb'];

/** The ways to check a password, in the words of Cyrus SASL where it has them. */
export const checkMethods: readonly string[] = ['auxprop', 'saslauthd', 'ldap', 'pam', 'passwd-file'];

/** A list of rules, each of which must be one. */
function rulesKind(item: string, parse: (text: string) => Parsed<unknown>): Kind<readonly string[]> {
  return listKind({
    separator: /\s*;\s*/,
    item,
    check(text) {
      const parsed = parse(text);
      return parsed.ok ? undefined : `"${text.slice(0, 60)}": ${parsed.problem}`;
    },
  });
}

/** Who may log in, and how. */
export const authOptions = {
  allowplaintext: option({
    toml: 'auth.allowplaintext',
    kind: switchKind(),
    default: false,
    imapd: imapd('allowplaintext'),
    doc: 'Allow passwords in clear text on connections without TLS.',
  }),
  allowanonymouslogin: option({
    toml: 'auth.allowanonymouslogin',
    kind: switchKind(),
    default: false,
    imapd: imapd('allowanonymouslogin'),
    doc:
      'Logins without a password by the mechanism ANONYMOUS, with the rights that ACLs give to "anonymous" ' +
      'and "anyone".',
  }),
  proxyservers: option({
    toml: 'auth.proxyservers',
    kind: listKind({ separator: /\s+/, item: 'user names' }),
    default: [],
    imapd: imapd('proxyservers'),
    doc: 'Users who may log in as anybody but an administrator, by giving an authorization identity; ' +
      'administrators may do that anyway.',
  }),
  loginrealms: option({
    toml: 'auth.loginrealms',
    kind: listKind({ separator: /[\s,]+/, item: 'domains' }),
    default: [],
    imapd: imapd('loginrealms'),
    doc:
      'Domains whose users may log in by a name with an @; empty means all. Names without one, and those of ' +
      'defaultdomain, are always taken.',
  }),
  loginuseacl: option({
    toml: 'auth.loginuseacl',
    kind: switchKind(),
    default: false,
    imapd: imapd('loginuseacl'),
    doc:
      'Who has the right "a" on the INBOX of a user may log in as that user by giving an authorization identity.',
  }),
  sasl_mech_list: option({
    toml: 'auth.sasl_mech_list',
    kind: listKind({ separator: /[\s,]+/, item: 'SASL mechanisms', upperCase: true }),
    default: mechanismsThere.filter((mechanism) => !READ_BACK.includes(mechanism)),
    imapdDefault: mechanismsThere,
    imapd: imapd('sasl_mech_list'),
    doc: `The SASL mechanisms offered, where the connection and the sources of secrets allow it. There are ` +
      `${mechanismsThere.join(', ')}. ${
        READ_BACK.join(' and ')
      } need passwords that can be read back: with them ` +
      'in the list, "mailstore user" keeps passwords as they are. GSSAPI is not there.',
    check(value) {
      const missing = value.filter((mechanism) => !mechanismsThere.includes(mechanism));
      if (missing.length > 0) {
        return `${missing.join(', ')}: not there; there are ${mechanismsThere.join(', ')}`;
      }
      return value.length === 0 ? 'at least one mechanism is needed' : undefined;
    },
    available: (value) => {
      const there = value.filter((mechanism) => mechanismsThere.includes(mechanism));
      return there.length > 0 ? there : mechanismsThere;
    },
    authentication: true,
  }),
  sasl_minimum_layer: option({
    toml: 'auth.sasl_minimum_layer',
    kind: integerKind(0, 256),
    default: 0,
    imapd: imapd('sasl_minimum_layer'),
    doc:
      'Bits of protection a login needs, by TLS or by the security layer of its mechanism; 1 is integrity alone. ' +
      'Mechanisms that cannot reach it on a connection are not offered there, and LOGIN is refused.',
  }),
  sasl_maximum_layer: option({
    toml: 'auth.sasl_maximum_layer',
    kind: integerKind(0, 256),
    default: 256,
    imapd: imapd('sasl_maximum_layer'),
    doc:
      'Bits of protection from which a mechanism sets up no further layer of its own; the bits of TLS are ' +
      'counted in. 0 switches the security layers of DIGEST-MD5 off.',
  }),
  sasl_digest_ciphers: option({
    toml: 'auth.sasl_digest_ciphers',
    kind: listKind({ separator: /[\s,]+/, item: 'ciphers' }),
    default: ['rc4', '3des'],
    imapd: [],
    doc:
      'Ciphers of the security layer of DIGEST-MD5. There are rc4 and 3des, and the weak rc4-56, des and rc4-40.',
    check(value) {
      const odd = value.filter((cipher) => !digestCiphers.includes(cipher));
      return odd.length === 0
        ? undefined
        : `${odd.join(', ')}: not there; there are ${digestCiphers.join(', ')}`;
    },
  }),
  sasl_realm: option({
    toml: 'auth.sasl_realm',
    kind: textKind(),
    default: '',
    defaultText: 'servername',
    imapd: imapd('sasl_realm'),
    doc: 'The realm that DIGEST-MD5 names. Empty means the name of the server.',
  }),
  sasl_pwcheck_method: option({
    toml: 'auth.sasl_pwcheck_method',
    kind: listKind({
      separator: /[\s,]+/,
      item: 'ways to check a password',
      single: true,
      check: (item) =>
        checkMethods.includes(item)
          ? undefined
          : `"${item.slice(0, 60)}" is not there; there are ${checkMethods.join(', ')}`,
    }),
    default: ['auxprop'],
    imapd: imapd('sasl_pwcheck_method'),
    doc:
      'How passwords are checked, the preferred way first; a password is right when one of them says so. "auxprop" is ' +
      'against the secrets of sasl_auxprop_plugin, which the mechanisms of challenge and response need; "saslauthd" asks ' +
      'that daemon, "ldap" a directory by a bind (section ldap), "pam" the system\'s PAM, "passwd-file" the file of ' +
      'passwd_file.',
    check: (value) => value.length === 0 ? 'at least one way is needed' : undefined,
    authentication: true,
  }),
  sasl_auto_transition: option<'off' | 'noplain' | 'yes'>({
    toml: 'auth.sasl_auto_transition',
    kind: choiceKind(['off', 'noplain', 'yes'], {
      no: 'off',
      0: 'off',
      false: 'off',
      1: 'yes',
      true: 'yes',
      on: 'yes',
    }),
    default: 'off',
    imapd: imapd('sasl_auto_transition'),
    doc:
      'Passwords that a login shows and the store does not have are kept there, for SCRAM and the like: of users imported ' +
      'with a hash, and of those that saslauthd, ldap, pam or passwd-file knows. With "yes" also as they are where a ' +
      'mechanism of sasl_mech_list needs that, with "noplain" never.',
  }),
  pts_module: option<'off' | 'ldap'>({
    toml: 'auth.pts_module',
    kind: choiceKind(['off', 'ldap']),
    default: 'off',
    imapd: imapd('pts_module'),
    doc:
      'Where the groups of users come from that ACLs name as group:name: "ldap" is the directory of section ldap.',
    authentication: true,
  }),
  unix_group_enable: option({
    toml: 'auth.unix_group_enable',
    kind: switchKind(),
    default: false,
    imapd: imapd('unix_group_enable'),
    doc: 'Users are also in the groups that an account of the system with their name is in.',
  }),
  ptscache_timeout: option({
    toml: 'auth.ptscache_timeout',
    kind: durationKind(1, 30 * 86_400),
    default: 3 * 3_600,
    imapd: [{ key: 'ptscache_timeout', unit: 's' }],
    doc:
      'How long the groups of a user are not asked for again. While the source is down, the last known ones stay for ' +
      'a day more.',
  }),
  sasl_saslauthd_path: option({
    toml: 'auth.sasl_saslauthd_path',
    kind: pathKind(),
    default: '/var/run/saslauthd/mux',
    imapd: imapd('sasl_saslauthd_path'),
    doc:
      'The socket of saslauthd, or its folder. The user of the server must be in the group that may use it ' +
      '(Debian: sasl).',
  }),
  pam_service: option({
    toml: 'auth.pam_service',
    kind: textKind('the name of a PAM service', (text) => /^[A-Za-z0-9._-]*$/.test(text)),
    default: '',
    defaultText: 'imap, pop, lmtp … by protocol',
    imapd: [],
    doc:
      'The PAM service for all protocols, a file in /etc/pam.d. PAM runs as the user of the server: pam_unix can only ' +
      'check the accounts of others as root; for those use saslauthd.',
  }),
  pam_confdir: option({
    toml: 'auth.pam_confdir',
    kind: pathKind(),
    default: '',
    defaultText: '/etc/pam.d',
    imapd: [],
    doc: 'Another folder of PAM service files.',
  }),
  passwd_file: option({
    toml: 'auth.passwd_file',
    kind: pathKind(),
    default: '',
    imapd: [],
    doc:
      'A file with name:hash in each line, as passwd, shadow and htpasswd have it: crypt(3), bcrypt, apr1, {SHA} and the ' +
      'like. Changes are noticed at the next login.',
  }),
  sasl_cache_life: option({
    toml: 'auth.sasl_cache_life',
    kind: durationKind(0, 7 * 86_400),
    default: 60,
    imapd: [],
    doc:
      'How long a password that a directory, saslauthd or PAM found right is not asked for again. A password that was ' +
      'changed there works as long; "0s" asks every time.',
  }),
  sasl_auxprop_plugin: option({
    toml: 'auth.sasl_auxprop_plugin',
    kind: listKind({
      separator: /[\s,]+/,
      item: 'sources of secrets',
      single: true,
      check: (item) =>
        auxpropPlugins.includes(item)
          ? undefined
          : `"${item.slice(0, 60)}" is not there; there are ${auxpropPlugins.join(' and ')}`,
    }),
    default: ['sasldb'],
    imapd: imapd('sasl_auxprop_plugin'),
    doc:
      'Where the secrets are, the preferred source first: "sasldb" is the store\'s own database, kept by ' +
      '"mailstore user", "ldapdb" a directory (section ldapdb).',
    check: (value) => value.length === 0 ? 'at least one source is needed' : undefined,
    authentication: true,
  }),
  external_certificates: option({
    toml: 'auth.external_certificates',
    kind: rulesKind('rules for certificates', parseCertificateRule),
    default: [],
    imapd: [],
    doc:
      'For whom a client certificate stands, for EXTERNAL; the first rule that fits decides, and without a rule nobody is ' +
      'anybody. "email": the address in the certificate is the login name. "email PATTERN -> USER": where the whole ' +
      'address is like the regular expression, with $1, $2 for its groups in USER. "cn" and "cn PATTERN -> USER": the ' +
      'same with the common name of the subject, where there is exactly one. "sha256 FINGERPRINT -> USER": this very ' +
      'certificate.',
  }),
  external_peers: option({
    toml: 'auth.external_peers',
    kind: rulesKind('rules such as "www-data -> webmail"', parsePeerRule),
    default: [],
    imapd: [],
    doc: 'Which users of the system may log in by EXTERNAL on a unix socket of IMAP or POP3, and as whom: ' +
      '"www-data -> webmail".',
  }),
};
