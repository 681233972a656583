/** What TLS is made of, as text: it travels from the supervisor to the workers. */

/** One certificate with its key, as PEM text, and the files it came from (for messages). */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** The certificate and its chain. */
  readonly cert: string;
  readonly key: string;
}

/** What clients of a service must show. */
export interface ClientCheck {
  readonly mode: 'off' | 'optional' | 'require';
  /** PEM blocks: the authorities, and the lists of what they have revoked. */
  readonly authorities: readonly string[];
  readonly revoked: readonly string[];
}

export interface ServiceMaterial {
  /** The same names with keys of different kinds. */
  readonly certificates: readonly Certificate[];
  readonly client: ClientCheck;
}

/** Everything TLS needs, as text, so that it can be handed to a worker. */
export interface TlsMaterial {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL cipher list, or '' for ours. */
  readonly ciphers: string;
  /** Groups of the key exchange, or '' for the runtime's. */
  readonly curves: string;
  readonly preferServerCiphers: boolean;
  /** How long a session can be resumed, 0 for never. */
  readonly sessionSeconds: number;
  /** By service name; '' is for all services that say nothing of TLS for themselves. */
  readonly services: Readonly<Record<string, ServiceMaterial>>;
  /** Further certificates, chosen by the name the client asks for (RFC 6066 §3). */
  readonly further: readonly (readonly Certificate[])[];
}
