/**
 * The files TLS needs, read where that is allowed and handed to the workers as text.
 *
 * Invariants:
 * 1. Keys travel over the pipe between supervisor and worker only, never by argument, environment or log.
 * 2. Bad files never replace good ones: material is checked whole before it is used.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '../crypto.ts';
import { MailError } from '../errors.ts';
import type { Settings } from '../config/settings.ts';
import type { Certificate, ClientCheck, ServiceMaterial, TlsMaterial } from './tlsmaterial.ts';

export type TlsSettings = Pick<
  Settings,
  | 'tls_server_cert'
  | 'tls_server_key'
  | 'tls_client_ca_file'
  | 'tls_client_ca_dir'
  | 'tls_client_certs'
  | 'tls_crl_file'
  | 'tls_certificate'
  | 'tls_min_version'
  | 'tls_ciphers'
  | 'tls_eccurve'
  | 'tls_prefer_server_ciphers'
  | 'tls_session_timeout'
  | 'services'
>;

/** The files of one service; `service` is '' for those that say nothing for themselves. */
export interface TlsFiles {
  readonly service: string;
  readonly certs: readonly string[];
  readonly keys: readonly string[];
  readonly ca: string;
  readonly caDir: string;
  readonly clientCerts: ClientCheck['mode'];
  readonly crl: string;
}

/** The files a configuration names, by service. */
export function tlsFiles(settings: TlsSettings): TlsFiles[] {
  const certs = list(settings.tls_server_cert);
  const common: TlsFiles = {
    service: '',
    certs,
    keys: settings.tls_server_key === '' ? certs : list(settings.tls_server_key),
    ca: settings.tls_client_ca_file,
    caDir: settings.tls_client_ca_dir,
    clientCerts: settings.tls_client_certs,
    crl: settings.tls_crl_file,
  };
  const all = settings.services.filter((service) =>
    service.tls_server_cert !== '' || service.tls_client_certs !== '' || service.tls_client_ca_file !== '' ||
    service.tls_client_ca_dir !== '' || service.tls_crl_file !== ''
  ).map((service): TlsFiles => {
    const own = list(service.tls_server_cert);
    return {
      service: service.name,
      certs: own.length > 0 ? own : common.certs,
      keys: own.length === 0
        ? common.keys
        : service.tls_server_key === ''
        ? own
        : list(service.tls_server_key),
      ca: service.tls_client_ca_file || common.ca,
      caDir: service.tls_client_ca_dir || common.caDir,
      clientCerts: service.tls_client_certs === '' ? common.clientCerts : service.tls_client_certs,
      crl: service.tls_crl_file || common.crl,
    };
  });
  return [common, ...all].filter((files) => files.certs.length > 0);
}

/** The paths of an option that takes several. */
export function list(paths: string): string[] {
  return paths === '' ? [] : paths.split(',');
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

/** The PEM blocks of one kind in a text: CERTIFICATE, X509 CRL. */
export function pemBlocks(pem: string, kind = 'CERTIFICATE'): string[] {
  return pem.match(new RegExp(`-----BEGIN ${kind}-----[^-]+-----END ${kind}-----`, 'g')) ?? [];
}

/** Files of a folder of authorities: *.pem, *.crt, *.cer, and the names `openssl rehash` gives. */
function authorityFiles(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (thrown) {
    throw wrong(
      folder,
      `cannot read the folder of authorities: ${(thrown as { code?: string }).code}`,
      thrown,
    );
  }
  return names.filter((name) => /\.(?:pem|crt|cer)$|^[0-9a-f]{8}\.\d+$/.test(name)).sort()
    .map((name) => join(folder, name));
}

/** The authorities of a file and a folder, each once. */
export function readAuthorities(file: string, folder: string): string[] {
  const files = [...(file === '' ? [] : [file]), ...(folder === '' ? [] : authorityFiles(folder))];
  return [...new Set(files.flatMap((each) => pemBlocks(readPem(each, 'authorities'))))];
}

/** Whether clients are asked for certificates. */
export function checksClients({ ca, caDir, clientCerts }: TlsFiles): boolean {
  return clientCerts !== 'off' && !(clientCerts === 'optional' && ca === '' && caDir === '');
}

/** The lists of revoked certificates in a file, PEM. @throws MailError 'config' */
export function readRevoked(file: string): string[] {
  const revoked = pemBlocks(readPem(file, 'list of revoked certificates'), 'X509 CRL');
  if (revoked.length === 0) throw wrong(file, 'holds no list of revoked certificates in PEM form');
  return revoked;
}

function readClientCheck(files: TlsFiles): ClientCheck {
  if (!checksClients(files)) return { mode: 'off', authorities: [], revoked: [] };
  const { ca, caDir, clientCerts, crl } = files;
  const authorities = readAuthorities(ca, caDir);
  if (authorities.length === 0) {
    throw wrong(ca || caDir, 'holds no authority in PEM form to check clients against');
  }
  return { mode: clientCerts, authorities, revoked: crl === '' ? [] : readRevoked(crl) };
}

/** Adds the issuers found among authorities to a certificate that comes without its chain (RFC 8446 §4.4.2). */
function completeChain(cert: string, authorities: readonly string[]): string {
  if (authorities.length === 0 || pemBlocks(cert).length !== 1) return cert;
  const { X509Certificate } = nodeCrypto();
  const candidates = authorities.map((pem) => ({ pem, x509: new X509Certificate(pem) }));
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

/**
 * Reads a certificate and its key. Whether they fit `checkCertificate` tells.
 * @throws MailError 'config' with the file and what is wrong with it
 */
export function readCertificate(certFile: string, keyFile: string, caFile: string): Certificate {
  const cert = readPem(certFile, 'certificate');
  const key = readPem(keyFile, 'private key');
  const authorities = caFile === '' ? [] : pemBlocks(readPem(caFile, 'authorities'));
  try {
    return { certFile, keyFile, cert: completeChain(cert, authorities), key };
  } catch (thrown) {
    throw wrong(certFile, 'holds no certificate in PEM form', thrown);
  }
}

/** Certificates with their keys, as many of these as of those. */
function readCertificates(certs: readonly string[], keys: readonly string[], ca: string): Certificate[] {
  if (certs.length !== keys.length) {
    throw wrong(
      certs.join(','),
      `${certs.length} certificates and ${keys.length} keys; there is one key for each`,
    );
  }
  return certs.map((cert, index) => readCertificate(cert, keys[index] as string, ca));
}

/**
 * Reads every certificate a configuration names; undefined where it names none. Whether they can be used `checkTlsMaterial` tells.
 * Throws MailError 'config' with the file and what is wrong with it.
 */
export function readTlsMaterial(settings: TlsSettings): TlsMaterial | undefined {
  const files = tlsFiles(settings);
  if (files.length === 0) return undefined;
  const services: Record<string, ServiceMaterial> = {};
  for (const each of files) {
    services[each.service] = {
      certificates: readCertificates(each.certs, each.keys, each.ca),
      client: readClientCheck(each),
    };
  }
  return {
    minVersion: settings.tls_min_version === 'tls1.3' ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: settings.tls_ciphers,
    curves: settings.tls_eccurve,
    preferServerCiphers: settings.tls_prefer_server_ciphers,
    sessionSeconds: settings.tls_session_timeout,
    services,
    further: settings.tls_certificate.map(({ server_cert, server_key }) =>
      readCertificates(list(server_cert), list(server_key), settings.tls_client_ca_file)
    ),
  };
}

/** Changes when any of the files does: the watch compares it (symbolic links are followed, so renewals count). */
export function tlsFingerprint(settings: TlsSettings): string {
  const files = tlsFiles(settings).flatMap(({ certs, keys, ca, caDir, clientCerts, crl }) => [
    ...certs,
    ...keys,
    ca,
    ...(clientCerts === 'off' ? [] : [crl, caDir, ...filesIn(caDir)]),
  ]);
  for (const { server_cert, server_key } of settings.tls_certificate) {
    files.push(...list(server_cert), ...list(server_key));
  }
  return files.filter((file) => file !== '').map((file) => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? `${file} -` : `${file} ${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  }).join('\n');
}

/** As `authorityFiles`; a folder that is gone is told of when it is read. */
function filesIn(folder: string): string[] {
  try {
    return folder === '' ? [] : authorityFiles(folder);
  } catch {
    return [];
  }
}
