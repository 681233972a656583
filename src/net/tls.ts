/**
 * What handshakes are made with: contexts from the text of certificates.
 *
 * Connections keep what they were made with; a new certificate counts for the next handshake.
 */

import type { SecureContext } from 'node:tls';
import { nodeCrypto } from '../crypto.ts';
import { MailError } from '../errors.ts';
import type { Certificate, ClientCheck, TlsMaterial } from './tlsmaterial.ts';

/** Up to TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325 §4.2). */
const SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** What one handshake is made with. */
export interface TlsParameters {
  /** Where the client names no host, or none of ours. @throws MailError 'config' where `prepare` would */
  readonly context: SecureContext;
  /** The protocol agreed to, its length in front (RFC 7301 §3.1). */
  readonly alpn: Uint8Array;
  /** Whether the client is asked for a certificate, and whether it must have one. */
  readonly clientCerts: ClientCheck['mode'];
  /** The context of a host name the client asks for (RFC 6066 §3), if there is one of its own. */
  named(name: string): SecureContext | undefined;
}

/** Names of a certificate: those of subjectAltName, else its common name, in lower case. */
export function namesOf(cert: string): string[] {
  const x509 = new (nodeCrypto().X509Certificate)(cert);
  const names = (x509.subjectAltName ?? '').split(', ')
    .filter((entry) => entry.startsWith('DNS:'))
    .map((entry) => entry.slice(4).toLowerCase());
  if (names.length > 0) return names;
  const common = /^CN=(.+)$/m.exec(x509.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}

/** What the handshakes of one service choose from. */
interface Contexts {
  readonly own: SecureContext;
  /** By name, wildcards as `*.example.org`. */
  readonly names: ReadonlyMap<string, SecureContext>;
}

/**
 * The contexts of a worker. Replaced as a whole when certificates change. One is made when it is first needed: that takes some
 * milliseconds, which a server that starts has better use for.
 */
export class TlsContexts {
  readonly #material: TlsMaterial;
  readonly #services = new Map<string, Contexts | undefined>();
  readonly #parameters = new Map<string, TlsParameters>();

  constructor(material: TlsMaterial) {
    this.#material = material;
  }

  /** Makes all that are not made yet. @throws MailError 'config' for what cannot be used */
  prepare(): void {
    for (const service in this.#material.services) this.#contexts(service);
  }

  /** What a service chooses from; by '' those that say nothing of TLS for themselves. */
  #contexts(service: string): Contexts | undefined {
    if (this.#services.has(service)) return this.#services.get(service);
    const made = this.#make(service);
    this.#services.set(service, made);
    return made;
  }

  #make(service: string): Contexts | undefined {
    const { services, further } = this.#material;
    const material = services[service];
    if (material === undefined) return service === '' ? undefined : this.#contexts('');
    // A session is resumed with the context it began with, whatever name is asked for: so contexts that check clients
    // against different authorities share nothing.
    const { certificates, client } = material;
    const names = new Map<string, SecureContext>();
    for (const each of further) {
      const made = this.#context(each, client);
      for (const name of each.flatMap(({ cert }) => namesOf(cert))) {
        if (!names.has(name)) names.set(name, made);
      }
    }
    return { own: this.#context(certificates, client), names };
  }

  #context(certificates: readonly Certificate[], client: ClientCheck): SecureContext {
    const { minVersion, ciphers, curves, preferServerCiphers, sessionSeconds } = this.#material;
    try {
      // Loaded here, since it brings all of node's streams with it.
      return process.getBuiltinModule('node:tls').createSecureContext({
        cert: certificates.map(({ cert }) => cert),
        key: certificates.map(({ key }) => key),
        minVersion,
        honorCipherOrder: preferServerCiphers,
        ciphers: ciphers === '' ? SUITES : ciphers,
        ...(curves === '' ? {} : { ecdhCurve: curves }),
        // Every context that asks for client certificates needs the authorities, those chosen by name too.
        ...(client.mode === 'off' ? {} : { ca: [...client.authorities] }),
        ...(client.revoked.length === 0 ? {} : { crl: [...client.revoked] }),
        ...(sessionSeconds === 0
          ? { secureOptions: nodeCrypto().constants.SSL_OP_NO_TICKET }
          : { sessionTimeout: sessionSeconds }),
      });
    } catch (thrown) {
      const files = certificates.map(({ certFile }) => certFile).join(',');
      throw new MailError(
        'server',
        'config',
        `${files}: cannot be used for TLS: ${(thrown as Error).message}`,
        thrown,
      );
    }
  }

  /** What a handshake of a service is made with, or undefined if it has no certificate. */
  parameters(service: string, alpn: string): TlsParameters | undefined {
    const key = `${service} ${alpn}`;
    const known = this.#parameters.get(key);
    if (known !== undefined) return known;
    const material = this.#material.services[service] ?? this.#material.services[''];
    if (material === undefined) return undefined;
    const contexts = () => this.#contexts(service) as Contexts;
    const made: TlsParameters = {
      get context() {
        return contexts().own;
      },
      alpn: Buffer.from(String.fromCharCode(alpn.length) + alpn, 'latin1'),
      clientCerts: material.client.mode,
      named: (name) => named(contexts().names, name.toLowerCase()),
    };
    this.#parameters.set(key, made);
    return made;
  }
}

function named(names: ReadonlyMap<string, SecureContext>, name: string): SecureContext | undefined {
  const dot = name.indexOf('.');
  return names.get(name) ?? (dot > 0 ? names.get('*' + name.slice(dot)) : undefined);
}
