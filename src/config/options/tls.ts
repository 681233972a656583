import { createSecureContext } from 'node:tls';
import { certificatesKind } from '../kinds/collection.ts';
import { bad, good, type Parsed } from '../kinds/kind.ts';
import { choiceKind, pathKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

type MinVersion = 'tls1.2' | 'tls1.3';

/** Cyrus: "disabled" turns TLS off, and two files with a comma are an RSA and an EC certificate. */
function readCertificate(text: string): Parsed<string> | undefined {
  if (text.toLowerCase() === 'disabled') return good('');
  return text.includes(',')
    ? bad('two files; one is needed here, more can only be given in TOML')
    : undefined;
}

/** Cyrus lists the versions spoken, "tls1_2 tls1_3"; what counts is the oldest of them that is there. */
function readVersions(text: string): Parsed<MinVersion> {
  const versions = text.toLowerCase().split(/\s+/);
  const odd = versions.find((version) => !/^tls1_[0-3]$|^ssl[23]$/.test(version));
  if (odd !== undefined) return bad(`expected versions such as tls1_2 tls1_3, found "${odd}"`);
  if (versions.includes('tls1_2')) return good('tls1.2');
  if (versions.includes('tls1_3')) return good('tls1.3');
  return bad('TLS 1.0 and 1.1 are not there (RFC 8996); name tls1_2 or tls1_3');
}

/** Certificates and what TLS may be spoken. */
export const tlsOptions = {
  tls_server_cert: option({
    toml: 'tls.server_cert',
    kind: pathKind(),
    default: '',
    imapd: [{ key: 'tls_cert_file', read: readCertificate }, {
      key: 'tls_server_cert',
      read: readCertificate,
    }],
    doc:
      'PEM file with the certificate and its chain. Without it there is no STARTTLS and no service with TLS. ' +
      'A changed file is used for new connections without a restart.',
  }),
  tls_server_key: option({
    toml: 'tls.server_key',
    kind: pathKind(),
    default: '',
    imapd: [{ key: 'tls_key_file', read: readCertificate }, { key: 'tls_server_key', read: readCertificate }],
    doc:
      'PEM file with the private key; empty where it stands in the file of the certificate. Read before the server gives up root.',
  }),
  tls_client_ca_file: option({
    toml: 'tls.client_ca_file',
    kind: pathKind(),
    default: '',
    imapd: [{ key: 'tls_ca_file', read: readCertificate }, {
      key: 'tls_client_ca_file',
      read: readCertificate,
    }],
    doc: 'PEM file with the authorities client certificates are checked against. Also sent along where ' +
      'server_cert has no chain.',
  }),
  tls_certificate: option({
    toml: 'tls.certificate',
    kind: certificatesKind(),
    default: [],
    imapd: [],
    doc:
      'Further certificates, chosen by the name the client asks for (SNI): tables with server_cert and server_key.',
  }),
  tls_min_version: option({
    toml: 'tls.min_version',
    kind: choiceKind(['tls1.2', 'tls1.3']),
    default: 'tls1.2',
    imapd: [{ key: 'tls_versions', read: readVersions }],
    doc:
      'The oldest TLS version spoken. TLS 1.0 and 1.1 are not there (RFC 8996). In imapd.conf: tls_versions.',
  }),
  tls_ciphers: option({
    toml: 'tls.ciphers',
    kind: textKind(),
    default: '',
    defaultText: "the runtime's list",
    imapd: imapd('tls_ciphers', 'tls_cipher_list'),
    doc: 'Cipher suites up to TLS 1.2, in the notation of OpenSSL.',
    check(value) {
      if (value === '') return undefined;
      try {
        createSecureContext({ ciphers: value });
        return undefined;
      } catch {
        return `no cipher suite there is matches "${value.slice(0, 60)}"`;
      }
    },
  }),
};
