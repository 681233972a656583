import { certificatesKind, choiceKind, pathKind, textKind } from '../kinds.ts';
import { imapd, option } from '../option.ts';

/** Certificates and what TLS may be spoken. */
export const tlsOptions = {
  tls_server_cert: option({
    toml: 'tls.server_cert',
    kind: pathKind(),
    default: '',
    imapd: imapd('tls_cert_file', 'tls_server_cert'),
    doc:
      'PEM file with the certificate and its chain. Without it there is no STARTTLS and no service with TLS. ' +
      'A changed file is used for new connections without a restart.',
  }),
  tls_server_key: option({
    toml: 'tls.server_key',
    kind: pathKind(),
    default: '',
    imapd: imapd('tls_key_file', 'tls_server_key'),
    doc: 'PEM file with the private key. Read before the server gives up root.',
  }),
  tls_client_ca_file: option({
    toml: 'tls.client_ca_file',
    kind: pathKind(),
    default: '',
    imapd: imapd('tls_ca_file', 'tls_client_ca_file'),
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
    imapd: [],
    doc: 'The oldest TLS version spoken. Older ones are not there (RFC 8996, RFC 8997).',
  }),
  tls_ciphers: option({
    toml: 'tls.ciphers',
    kind: textKind(),
    default: '',
    defaultText: "the runtime's list",
    imapd: imapd('tls_ciphers', 'tls_cipher_list'),
    doc: 'Cipher suites in the notation of OpenSSL.',
  }),
};
