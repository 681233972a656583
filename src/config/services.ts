/** Where a service listens. */
export type Listen =
  | {
    readonly kind: 'tcp';
    readonly host: string;
    readonly port: number;
    readonly family: 'any' | 'ipv4' | 'ipv6';
  }
  | {
    readonly kind: 'unix';
    readonly path: string;
    readonly mode: number;
    /** Empty: the user and group of the server. */
    readonly owner: string;
    readonly group: string;
  };

/** One entry of SERVICES. */
export interface Service {
  readonly name: string;
  readonly protocol: 'imap' | 'lmtp';
  /** TLS from the first byte (`imapd -s`). */
  readonly tls: boolean;
  /** Peers need not authenticate (`lmtpd -a`); unix sockets of LMTP are always trusted. */
  readonly trusted: boolean;
  readonly listen: Listen;
  /** Connections at a time, 0 for no bound of its own. */
  readonly maxchild: number;
  /** Certificate files of this service alone; empty: those of the [tls] section. */
  readonly tls_server_cert: string;
  readonly tls_server_key: string;
  readonly tls_client_ca_file: string;
}

/** What a scheduled event does. */
export type EventJob = 'checkpoint' | 'expire';

/** One entry of EVENTS: every so many seconds, or at a time of day. */
export interface ScheduledEvent {
  readonly name: string;
  readonly job: EventJob;
  readonly when:
    | { readonly kind: 'every'; readonly seconds: number }
    | { readonly kind: 'at'; readonly hour: number; readonly minute: number };
}
