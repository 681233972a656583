import { listKind } from '../kinds/collection.ts';
import { choiceKind, pathKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';
import { addressProblem } from './ldap.ts';

/** Secrets in an LDAP directory, read by proxied authorization: Cyrus SASL's ldapdb. */
export const ldapdbOptions = {
  sasl_ldapdb_uri: option({
    toml: 'ldapdb.uri',
    kind: listKind({
      separator: /\s+/,
      item: 'addresses such as "ldap://ldap.example.org", "ldaps://…" or "ldapi:///"',
      check: addressProblem,
    }),
    default: [],
    imapd: imapd('sasl_ldapdb_uri'),
    doc: 'Where the directory is; several are tried in order. Used where sasl_auxprop_plugin names ldapdb.',
  }),
  sasl_ldapdb_id: option({
    toml: 'ldapdb.id',
    kind: textKind(),
    default: '',
    imapd: imapd('sasl_ldapdb_id'),
    doc:
      'The technical user that binds to the directory and may act for the others: an authentication identity, or a ' +
      'DN where the mechanism is "simple".',
  }),
  sasl_ldapdb_pw: option({
    toml: 'ldapdb.pw',
    kind: textKind(),
    default: '',
    imapd: imapd('sasl_ldapdb_pw'),
    doc: 'Its password. Keep the file from others, or use pw_file.',
  }),
  sasl_ldapdb_pw_file: option({
    toml: 'ldapdb.pw_file',
    kind: pathKind(),
    default: '',
    imapd: [],
    doc: 'A file with its password in the first line, readable by the user of the server.',
  }),
  sasl_ldapdb_mech: option({
    toml: 'ldapdb.mech',
    kind: choiceKind([
      'digest-md5',
      'scram-sha-256',
      'scram-sha-1',
      'cram-md5',
      'plain',
      'external',
      'simple',
    ]),
    default: 'digest-md5',
    imapd: imapd('sasl_ldapdb_mech'),
    doc: 'How it binds: a SASL mechanism, or "simple" with a DN. EXTERNAL needs ldapi or cert_file.',
  }),
  sasl_ldapdb_starttls: option<'off' | 'try' | 'demand'>({
    toml: 'ldapdb.starttls',
    kind: choiceKind(['off', 'try', 'demand']),
    default: 'off',
    imapd: imapd('sasl_ldapdb_starttls'),
    doc:
      'StartTLS on ldap:// addresses: "try" goes on without where the directory has none, "demand" does not.',
  }),
  sasl_ldapdb_ca_file: option({
    toml: 'ldapdb.ca_file',
    kind: pathKind(),
    default: '',
    defaultText: 'the authorities the system trusts',
    imapd: [],
    doc: "PEM file with the authorities the directory's certificate is checked against.",
  }),
  sasl_ldapdb_cert_file: option({
    toml: 'ldapdb.cert_file',
    kind: pathKind(),
    default: '',
    imapd: [],
    doc: 'PEM file with a certificate of our own for the directory.',
  }),
  sasl_ldapdb_key_file: option({
    toml: 'ldapdb.key_file',
    kind: pathKind(),
    default: '',
    imapd: [],
    doc: 'PEM file with its key; empty where it stands in cert_file.',
  }),
};
