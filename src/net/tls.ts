/**
 * Certificates: read from files where that is allowed, handed to the workers as text, turned into contexts.
 *
 * Invariants:
 * 1. Keys travel over the pipe between supervisor and worker only, never by argument, environment or log.
 * 2. Bad files never replace good ones: material is checked whole before it is used.
 * 3. Connections keep what they were made with; a new certificate counts for the next handshake.
 */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { MailError } from '../errors.ts';
import type { Service } from '../config/services.ts';
import type { Settings } from '../config/settings.ts';

/** One certificate with its key, as PEM text, and the files it came from (for messages). */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** The certificate and its chain. */
  readonly cert: string;
  readonly key: string;
}

/** Everything TLS needs, as text, so that it can be handed to a worker. */
export interface TlsMaterial {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL cipher list, or '' for the runtime's. */
  readonly ciphers: string;
  /** Certificates by service name; '' is the one of all services without their own. */
  readonly services: Readonly<Record<string, Certificate>>;
  /** Further certificates, chosen by the name the client asks for (RFC 6066 §3). */
  readonly further: readonly Certificate[];
}

/** What one handshake is made with. */
export interface TlsParameters {
  /** Where the client names no host, or none of ours. */
  readonly context: SecureContext;
  /** The protocol agreed to, its length in front (RFC 7301 §3.1). */
  readonly alpn: Uint8Array;
  /** The context of a host name the client asks for (RFC 6066 §3), if there is one of its own. */
  named(name: string): SecureContext | undefined;
}

type TlsSettings = Pick<
  Settings,
  | 'tls_server_cert'
  | 'tls_server_key'
  | 'tls_client_ca_file'
  | 'tls_certificate'
  | 'tls_min_version'
  | 'tls_ciphers'
  | 'services'
>;

/** The files a configuration names, each with what it is for. */
function certificateFiles(
  settings: TlsSettings,
): { service: string; cert: string; key: string; ca: string }[] {
  const own = (service: Service) => ({
    service: service.name,
    cert: service.tls_server_cert,
    key: service.tls_server_key || service.tls_server_cert,
    ca: service.tls_client_ca_file || settings.tls_client_ca_file,
  });
  const all = settings.services.filter((service) => service.tls_server_cert !== '').map(own);
  if (settings.tls_server_cert !== '') {
    const key = settings.tls_server_key || settings.tls_server_cert;
    all.unshift({ service: '', cert: settings.tls_server_cert, key, ca: settings.tls_client_ca_file });
  }
  return all;
}

function wrong(file: string, text: string, cause?: unknown): MailError {
  return new MailError('server', 'config', `${file}: ${text}`, cause);
}

function readPem(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const code = (thrown as { code?: string }).code;
    const remedy = code === 'EACCES'
      ? `; let this user read it, start as root, or hand it over with systemd's LoadCredential`
      : '';
    throw wrong(file, `cannot read the ${what}: ${code ?? (thrown as Error).message}${remedy}`, thrown);
  }
}

/** The PEM blocks of one kind in a text. */
function certificatesOf(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** Adds the issuers found in `ca` to a certificate that comes without its chain (RFC 8446 §4.4.2). */
function completeChain(cert: string, ca: string): string {
  if (ca === '' || certificatesOf(cert).length !== 1) return cert;
  const candidates = certificatesOf(ca).map((pem) => ({ pem, x509: new X509Certificate(pem) }));
  let current = new X509Certificate(cert);
  let chain = cert.trimEnd() + '\n';
  for (let depth = 0; depth < 8; depth++) {
    const issuer = candidates.find(({ x509 }) =>
      current.checkIssued(x509) && x509.fingerprint256 !== current.fingerprint256
    );
    // A self-signed root is the client's business: it trusts it already or not at all.
    if (issuer === undefined || issuer.x509.checkIssued(issuer.x509)) break;
    chain += issuer.pem + '\n';
    current = issuer.x509;
  }
  return chain;
}

function readCertificate(certFile: string, keyFile: string, caFile: string): Certificate {
  const cert = readPem(certFile, 'certificate');
  const key = readPem(keyFile, 'private key');
  const ca = caFile === '' ? '' : readPem(caFile, 'authorities');
  let x509;
  try {
    x509 = new X509Certificate(cert);
  } catch (thrown) {
    throw wrong(certFile, 'holds no certificate in PEM form', thrown);
  }
  let parsed;
  try {
    parsed = createPrivateKey(key);
  } catch (thrown) {
    throw wrong(keyFile, 'holds no private key in PEM form without a passphrase', thrown);
  }
  if (!x509.checkPrivateKey(parsed)) throw wrong(keyFile, `is not the key of the certificate in ${certFile}`);
  return { certFile, keyFile, cert: completeChain(cert, ca), key };
}

/**
 * Reads and checks every certificate a configuration names; undefined where it names none. Throws MailError
 * 'config' with the file and what is wrong with it.
 */
export function readTlsMaterial(settings: TlsSettings): TlsMaterial | undefined {
  const files = certificateFiles(settings);
  if (files.length === 0) return undefined;
  const services: Record<string, Certificate> = {};
  for (const { service, cert, key, ca } of files) services[service] = readCertificate(cert, key, ca);
  const further = settings.tls_certificate.map(({ server_cert, server_key }) =>
    readCertificate(server_cert, server_key, settings.tls_client_ca_file)
  );
  const material: TlsMaterial = {
    minVersion: settings.tls_min_version === 'tls1.3' ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: settings.tls_ciphers,
    services,
    further,
  };
  new TlsContexts(material);
  return material;
}

/** Changes when any of the files does: the watch compares it (symbolic links are followed, so renewals count). */
export function tlsFingerprint(settings: TlsSettings): string {
  const files = certificateFiles(settings).flatMap(({ cert, key, ca }) => [cert, key, ca]);
  for (const { server_cert, server_key } of settings.tls_certificate) files.push(server_cert, server_key);
  return files.filter((file) => file !== '').map((file) => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? `${file} -` : `${file} ${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  }).join('\n');
}

/** Names of a certificate: those of subjectAltName, else its common name, in lower case. */
function namesOf(cert: string): string[] {
  const x509 = new X509Certificate(cert);
  const names = (x509.subjectAltName ?? '').split(', ')
    .filter((entry) => entry.startsWith('DNS:'))
    .map((entry) => entry.slice(4).toLowerCase());
  if (names.length > 0) return names;
  const common = /^CN=(.+)$/m.exec(x509.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}

/** The contexts of a worker. Replaced as a whole when certificates change. */
export class TlsContexts {
  readonly #services = new Map<string, SecureContext>();
  /** By name, wildcards as `*.example.org`. */
  readonly #names = new Map<string, SecureContext>();
  readonly #parameters = new Map<string, TlsParameters>();

  constructor(material: TlsMaterial) {
    const context = ({ cert, key, certFile }: Certificate) => {
      try {
        return createSecureContext({
          cert,
          key,
          minVersion: material.minVersion,
          ...(material.ciphers === '' ? {} : { ciphers: material.ciphers }),
        });
      } catch (thrown) {
        throw wrong(certFile, `cannot be used for TLS: ${(thrown as Error).message}`, thrown);
      }
    };
    for (const service in material.services) {
      this.#services.set(service, context(material.services[service] as Certificate));
    }
    for (const certificate of material.further) {
      const made = context(certificate);
      for (const name of namesOf(certificate.cert)) {
        if (!this.#names.has(name)) this.#names.set(name, made);
      }
    }
  }

  /** What a handshake of a service is made with, or undefined if it has no certificate. */
  parameters(service: string, alpn: string): TlsParameters | undefined {
    const key = `${service} ${alpn}`;
    const known = this.#parameters.get(key);
    if (known !== undefined) return known;
    const context = this.#services.get(service) ?? this.#services.get('');
    if (context === undefined) return undefined;
    const made = {
      context,
      alpn: Buffer.from(String.fromCharCode(alpn.length) + alpn, 'latin1'),
      named: (name: string) => this.#named(name.toLowerCase()),
    };
    this.#parameters.set(key, made);
    return made;
  }

  #named(name: string): SecureContext | undefined {
    const dot = name.indexOf('.');
    return this.#names.get(name) ?? (dot > 0 ? this.#names.get('*' + name.slice(dot)) : undefined);
  }
}
