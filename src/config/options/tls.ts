import { certificatesKind } from '../kinds/collection.ts';
import { bad, good, type Parsed } from '../kinds/kind.ts';
import { durationKind } from '../kinds/measure.ts';
import { choiceKind, filesKind, pathKind, switchKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

type MinVersion = 'tls1.2' | 'tls1.3';
type ClientCerts = 'off' | 'optional' | 'require';

/** Cyrus: "disabled" turns TLS off; two files with a comma are an RSA and an EC certificate. */
function readDisabled(text: string): Parsed<string> | undefined {
  return text.toLowerCase() === 'disabled' ? good('') : undefined;
}

/** Cyrus 2.3 only knows whether one is needed. */
function readRequired(text: string): Parsed<ClientCerts> | undefined {
  const parsed = switchKind().fromText(text);
  return parsed.ok ? good(parsed.value ? 'require' : 'off') : parsed;
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
    kind: filesKind(),
    default: '',
    imapd: [{ key: 'tls_cert_file', read: readDisabled }, {
      key: 'tls_server_cert',
      read: readDisabled,
    }],
    doc:
      'PEM file with the certificate and its chain. Without it there is no STARTTLS and no service with TLS. ' +
      'Two files with a comma between them are an RSA and an EC certificate of the same names: each client gets what ' +
      'it can check. A changed file is used for new connections without a restart.',
  }),
  tls_server_key: option({
    toml: 'tls.server_key',
    kind: filesKind(),
    default: '',
    imapd: [{ key: 'tls_key_file', read: readDisabled }, { key: 'tls_server_key', read: readDisabled }],
    doc:
      'PEM file with the private key, or as many as there are certificates, with commas between them; empty where it ' +
      'stands in the file of the certificate. Read before the server gives up root.',
  }),
  tls_client_ca_file: option({
    toml: 'tls.client_ca_file',
    kind: pathKind(),
    default: '',
    imapd: [{ key: 'tls_ca_file', read: readDisabled }, {
      key: 'tls_client_ca_file',
      read: readDisabled,
    }],
    doc: 'PEM file with the authorities client certificates are checked against. Also sent along where ' +
      'server_cert has no chain.',
  }),
  tls_client_ca_dir: option({
    toml: 'tls.client_ca_dir',
    kind: pathKind(),
    default: '',
    imapd: [{ key: 'tls_ca_path', read: readDisabled }, { key: 'tls_client_ca_dir', read: readDisabled }],
    doc: 'Folder with more such authorities, in files named *.pem, *.crt, or as openssl rehash names them.',
  }),
  tls_client_certs: option<ClientCerts>({
    toml: 'tls.client_certs',
    kind: choiceKind(['off', 'optional', 'require']),
    default: 'off',
    imapd: [{ key: 'tls_client_certs' }, { key: 'tls_require_cert', read: readRequired }],
    doc:
      'Whether clients are asked for a certificate: "optional" takes note of one that the authorities have signed, ' +
      '"require" ends the handshake without one. Who it stands for is said by auth.external_certificates.',
  }),
  tls_crl_file: option({
    toml: 'tls.crl_file',
    kind: pathKind(),
    default: '',
    imapd: [{ key: 'tls_crl_file', read: readDisabled }],
    doc:
      'PEM file with the lists of revoked certificates of these authorities, one for each of them. One that has ' +
      'expired makes every client certificate invalid. A new list is used without a restart.',
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
    defaultText: 'those with forward secrecy and authenticated encryption (RFC 9325)',
    imapd: imapd('tls_ciphers', 'tls_cipher_list'),
    doc: 'Cipher suites up to TLS 1.2, in the notation of OpenSSL.',
    check(value) {
      if (value === '') return undefined;
      try {
        process.getBuiltinModule('node:tls').createSecureContext({ ciphers: value });
        return undefined;
      } catch {
        return `no cipher suite there is matches "${value.slice(0, 60)}"`;
      }
    },
  }),
  tls_eccurve: option({
    toml: 'tls.eccurve',
    kind: textKind(),
    default: '',
    defaultText: "the runtime's list",
    imapd: imapd('tls_eccurve'),
    doc: 'Groups of the key exchange in order of preference, with colons between them: X25519:P-256.',
    check(value) {
      if (value === '') return undefined;
      try {
        process.getBuiltinModule('node:tls').createSecureContext({ ecdhCurve: value });
        return undefined;
      } catch {
        return `no group of the key exchange is called "${value.slice(0, 60)}"`;
      }
    },
  }),
  tls_prefer_server_ciphers: option({
    toml: 'tls.prefer_server_ciphers',
    kind: switchKind(),
    default: true,
    imapdDefault: false,
    imapd: imapd('tls_prefer_server_ciphers'),
    doc: 'Up to TLS 1.2 the order of our cipher suites decides, not that of the client.',
  }),
  tls_session_timeout: option({
    toml: 'tls.session_timeout',
    kind: durationKind(0, 86_400),
    default: 86_400,
    imapd: [{ key: 'tls_session_timeout', unit: 'm' }],
    doc:
      'For how long a client can take up its TLS session again without the whole handshake; 0 for never. Sessions ' +
      'are kept by the clients, in tickets. A number in imapd.conf counts minutes.',
  }),
  tls_required: option({
    toml: 'tls.required',
    kind: switchKind(),
    default: false,
    imapd: imapd('tls_required'),
    doc:
      'No login at all without TLS, not even by mechanisms that do not send the password. Unix sockets need none.',
  }),
  allowstarttls: option({
    toml: 'tls.allowstarttls',
    kind: switchKind(),
    default: true,
    imapd: imapd('allowstarttls'),
    doc:
      'Offer STARTTLS (STLS) where there is a certificate. Without it TLS is for services that begin with it.',
  }),
};
