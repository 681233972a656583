import { directoryAddress } from '../directoryaddress.ts';
import { listKind } from '../kinds/collection.ts';
import { choiceKind, pathKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** A directory address in a list of them. */
export function addressProblem(item: string): string | undefined {
  return directoryAddress(item) === undefined
    ? `"${
      item.slice(0, 80)
    }" is no address of a directory: ldap://host:port, ldaps://host:port or ldapi://path`
    : undefined;
}

/** What a template may hold; `auth/ldap/template.ts` fills it. */
export function templateProblem(template: string): string | undefined {
  const [odd] = template.match(/%(?![uUdrD1-9%])(?:.|$)/) ?? [];
  return odd === undefined
    ? undefined
    : `"${odd}" is no token; there are %u, %U, %d, %r, %1 to %9, %D and %% for a percent sign`;
}

/** A directory that checks passwords by a bind, and knows of groups: saslauthd's and ptloader's job. */
export const ldapOptions = {
  ldap_uri: option({
    toml: 'ldap.uri',
    kind: listKind({
      separator: /\s+/,
      item: 'addresses such as "ldap://ldap.example.org", "ldaps://…" or "ldapi:///"',
      check: addressProblem,
    }),
    default: [],
    imapd: imapd('ldap_uri'),
    doc: 'Where the directory is; several are tried in order. Used where sasl_pwcheck_method names ldap.',
  }),
  ldap_base: option({
    toml: 'ldap.base',
    kind: textKind(),
    default: '',
    imapd: imapd('ldap_base'),
    doc: 'Where users are searched for. Takes the tokens of filter.',
    check: templateProblem,
  }),
  ldap_filter: option({
    toml: 'ldap.filter',
    kind: textKind(),
    default: '(uid=%u)',
    imapd: imapd('ldap_filter'),
    doc:
      'The search that finds exactly one entry of a user. %u is the user name, %U its part before the @, %d its ' +
      'domain (the realm where it has none), %r the realm, %1 to %9 the labels of the domain from its end. ' +
      'Names are escaped (RFC 4515).',
    check: templateProblem,
  }),
  ldap_scope: option<'base' | 'one' | 'sub'>({
    toml: 'ldap.scope',
    kind: choiceKind(['base', 'one', 'sub']),
    default: 'sub',
    imapd: imapd('ldap_scope'),
    doc: 'How deep below base users are searched for.',
  }),
  ldap_realm: option({
    toml: 'ldap.realm',
    kind: textKind(),
    default: '',
    defaultText: 'defaultdomain',
    imapd: imapd('ldap_realm'),
    doc: 'What %r stands for, and %d for users without a domain.',
  }),
  ldap_bind_dn: option({
    toml: 'ldap.bind_dn',
    kind: textKind(),
    default: '',
    defaultText: 'nobody: the search is anonymous',
    imapd: imapd('ldap_bind_dn', 'ldap_sasl_authc'),
    doc: 'Who searches: a DN, or an authentication identity where mech is not "simple".',
  }),
  ldap_bind_pw: option({
    toml: 'ldap.bind_pw',
    kind: textKind(),
    default: '',
    imapd: imapd('ldap_password'),
    doc: 'The password of bind_dn. Keep the file from others, or use bind_pw_file.',
  }),
  ldap_bind_pw_file: option({
    toml: 'ldap.bind_pw_file',
    kind: pathKind(),
    default: '',
    imapd: [],
    doc: 'A file with the password of bind_dn in its first line, readable by the user of the server.',
  }),
  ldap_mech: option({
    toml: 'ldap.mech',
    kind: choiceKind([
      'simple',
      'digest-md5',
      'scram-sha-256',
      'scram-sha-1',
      'cram-md5',
      'plain',
      'external',
    ]),
    default: 'simple',
    imapd: imapd('ldap_sasl_mech'),
    doc: 'How bind_dn binds: "simple", or a SASL mechanism. EXTERNAL needs ldapi or cert_file.',
  }),
  ldap_starttls: option<'off' | 'try' | 'demand'>({
    toml: 'ldap.starttls',
    kind: choiceKind(['off', 'try', 'demand'], {
      yes: 'demand',
      on: 'demand',
      true: 'demand',
      1: 'demand',
      no: 'off',
      false: 'off',
      0: 'off',
    }),
    default: 'off',
    imapd: imapd('ldap_start_tls'),
    doc:
      'StartTLS on ldap:// addresses: "try" goes on without where the directory has none, "demand" does not.',
  }),
  ldap_ca_file: option({
    toml: 'ldap.ca_file',
    kind: pathKind(),
    default: '',
    defaultText: 'the authorities the system trusts',
    imapd: imapd('ldap_tls_cacert_file', 'ldap_ca_file'),
    doc: "PEM file with the authorities the directory's certificate is checked against.",
  }),
  ldap_cert_file: option({
    toml: 'ldap.cert_file',
    kind: pathKind(),
    default: '',
    imapd: imapd('ldap_tls_cert', 'ldap_client_cert'),
    doc: 'PEM file with a certificate of our own for the directory.',
  }),
  ldap_key_file: option({
    toml: 'ldap.key_file',
    kind: pathKind(),
    default: '',
    imapd: imapd('ldap_tls_key', 'ldap_client_key'),
    doc: 'PEM file with its key; empty where it stands in cert_file.',
  }),
  ldap_member_method: option<'attribute' | 'filter'>({
    toml: 'ldap.member_method',
    kind: choiceKind(['attribute', 'filter']),
    default: 'attribute',
    imapd: imapd('ldap_member_method'),
    doc:
      'How the groups of a user are found (auth.pts_module): "attribute" reads member_attribute of the entry of the ' +
      'user, "filter" searches below member_base.',
  }),
  ldap_member_attribute: option({
    toml: 'ldap.member_attribute',
    kind: textKind('the name of an attribute', (text) => /^[A-Za-z][A-Za-z0-9;.-]*$/.test(text)),
    default: 'memberOf',
    imapd: imapd('ldap_member_attribute'),
    doc:
      'The attribute that names a group: of the user for "attribute", of the groups (cn) for "filter". Of a DN the ' +
      'first value counts, so that cn=staff,ou=Group,dc=example is group:staff.',
  }),
  ldap_member_base: option({
    toml: 'ldap.member_base',
    kind: textKind(),
    default: '',
    imapd: imapd('ldap_member_base'),
    doc: 'Where groups are searched for. Takes the tokens of filter, and %D for the DN of the user.',
    check: templateProblem,
  }),
  ldap_member_filter: option({
    toml: 'ldap.member_filter',
    kind: textKind(),
    default: '(member=%D)',
    imapd: imapd('ldap_member_filter'),
    doc:
      'The search that finds the groups of a user. Takes the tokens of filter, and %D for the DN of the user.',
    check: templateProblem,
  }),
  ldap_member_scope: option<'base' | 'one' | 'sub'>({
    toml: 'ldap.member_scope',
    kind: choiceKind(['base', 'one', 'sub']),
    default: 'sub',
    imapd: imapd('ldap_member_scope'),
    doc: 'How deep below member_base groups are searched for.',
  }),
};
