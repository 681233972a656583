/** The services that listen, and the events that run by the clock: what cyrus.conf calls SERVICES and EVENTS. */

import type { Kind } from './kinds/kind.ts';
import type { OptionValues } from './options.ts';
import type { serviceKeys } from './options/services.ts';
import { nameOfPort, portOf } from './ports.ts';

/** Where a service listens. */
export type Listen =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly family: Family }
  | {
    readonly kind: 'unix';
    readonly path: string;
    readonly mode: number;
    /** Empty: the user and group of the server. */
    readonly owner: string;
    readonly group: string;
  };

/** Which addresses an empty host stands for. */
export type Family = 'any' | 'ipv4' | 'ipv6';

/** One entry of SERVICES. */
export interface Service {
  readonly name: string;
  readonly protocol: 'imap' | 'pop3' | 'lmtp' | 'sieve' | 'smmap' | 'notify' | 'dovecot-auth' | 'saslauthd';
  /** TLS from the first byte (`imapd -s`). */
  readonly tls: boolean;
  /** Peers need not authenticate (`lmtpd -a`); unix sockets of LMTP are always trusted. */
  readonly trusted: boolean;
  readonly listen: Listen;
  /** Connections at a time, 0 for no bound of its own. */
  readonly maxchild: number;
  /** A proxy in front says first whom it speaks for. */
  readonly proxy_protocol: boolean;
  /** Certificate files of this service alone; empty: those of the [tls] section. */
  readonly tls_server_cert: string;
  readonly tls_server_key: string;
  readonly tls_client_ca_file: string;
  readonly tls_client_ca_dir: string;
  readonly tls_client_certs: 'off' | 'optional' | 'require' | '';
  readonly tls_crl_file: string;
}

/** What a service can say of TLS for itself, as what stands in the [tls] section by the same name. */
export const serviceTlsKeys = [
  'tls_server_cert',
  'tls_server_key',
  'tls_client_ca_file',
  'tls_client_ca_dir',
  'tls_client_certs',
  'tls_crl_file',
] as const;

/** A service that says nothing of TLS for itself. */
export const NO_OWN_TLS = {
  tls_server_cert: '',
  tls_server_key: '',
  tls_client_ca_file: '',
  tls_client_ca_dir: '',
  tls_client_certs: '',
  tls_crl_file: '',
} as const;

/** What a scheduled event does. */
export type EventJob = 'checkpoint' | 'expire' | 'backup';

export type When =
  | { readonly kind: 'every'; readonly seconds: number }
  | { readonly kind: 'at'; readonly hour: number; readonly minute: number };

/** One entry of EVENTS: every so many seconds, or at a time of day. */
export interface ScheduledEvent {
  readonly name: string;
  readonly job: EventJob;
  readonly when: When;
}

/** What a configuration says about a service; the rest follows from its name and from the options. */
export type ServiceDraft = {
  readonly [Key in keyof typeof serviceKeys]?: (typeof serviceKeys)[Key]['kind'] extends Kind<infer Value>
    ? Value
    : never;
};

/** What a name says by itself: where it listens, on a port or on a socket of this name below `configdirectory`. */
type Known = Pick<Service, 'protocol' | 'tls'> & { readonly listen?: string; readonly socket?: string };

/** The names that say by themselves what a service is. */
const wellKnown: Readonly<Record<string, Known>> = {
  imap: { protocol: 'imap', tls: false, listen: 'imap' },
  imaps: { protocol: 'imap', tls: true, listen: 'imaps' },
  pop3: { protocol: 'pop3', tls: false, listen: 'pop3' },
  pop3s: { protocol: 'pop3', tls: true, listen: 'pop3s' },
  lmtp: { protocol: 'lmtp', tls: false, listen: 'lmtp' },
  lmtpunix: { protocol: 'lmtp', tls: false, socket: 'lmtp' },
  sieve: { protocol: 'sieve', tls: false, listen: 'sieve' },
  managesieve: { protocol: 'sieve', tls: false, listen: 'sieve' },
  smmap: { protocol: 'smmap', tls: false, socket: 'smmap' },
  smmapd: { protocol: 'smmap', tls: false, socket: 'smmap' },
  notify: { protocol: 'notify', tls: false, socket: 'notify' },
  notifyd: { protocol: 'notify', tls: false, socket: 'notify' },
  'dovecot-auth': { protocol: 'dovecot-auth', tls: false },
  saslauthd: { protocol: 'saslauthd', tls: false },
};

/** What is wrong with a draft, and at which of its keys. */
export interface ServiceProblem {
  readonly key: keyof ServiceDraft | '';
  readonly text: string;
}

/** A whole service from what was said about it, or what is wrong with that. */
export function completeService(
  name: string,
  draft: ServiceDraft,
  values: OptionValues,
): Service | ServiceProblem {
  const known = Object.hasOwn(wellKnown, name) ? wellKnown[name] : undefined;
  const protocol = draft.protocol ?? known?.protocol;
  if (protocol === undefined) {
    return { key: '', text: 'protocol is missing: "imap", "pop3", "lmtp", "sieve", "smmap" or "notify"' };
  }
  const text = draft.listen ?? known?.listen ??
    (known?.socket === undefined ? undefined : `${values.configdirectory}/socket/${known.socket}`);
  if (text === undefined) {
    return { key: '', text: 'listen is missing: a port, host:port or the path of a socket' };
  }
  const place = parseListen(text, draft.family ?? 'any');
  if ('problem' in place) return { key: 'listen', text: place.problem };
  const tls = draft.tls ?? known?.tls ?? false;
  if (place.kind === 'tcp') {
    if (protocol === 'notify') {
      return { key: 'listen', text: 'notifications come on a unix socket only: give its path' };
    }
    if (protocol === 'dovecot-auth' || protocol === 'saslauthd') {
      return { key: 'listen', text: 'passwords are asked about on a unix socket only: give its path' };
    }
    for (const key of ['owner', 'group', 'mode'] as const) {
      if (draft[key] !== undefined) {
        return { key, text: 'is for unix sockets; this service listens on a port' };
      }
    }
  } else {
    if (draft.proxy_protocol === true) {
      return { key: 'proxy_protocol', text: 'is for ports; this service listens on a unix socket' };
    }
    if (draft.family !== undefined && draft.family !== 'any') {
      return { key: 'family', text: 'is for ports; this service listens on a unix socket' };
    }
  }
  if (draft.trusted === true && protocol !== 'lmtp' && protocol !== 'smmap') {
    return { key: 'trusted', text: 'is for LMTP and smmap services only' };
  }
  const listen: Listen = place.kind === 'tcp' ? place : {
    ...place,
    mode: draft.mode ?? values.lmtp_socket_mode,
    owner: draft.owner ?? values.lmtp_socket_owner,
    group: draft.group ?? values.lmtp_socket_group,
  };
  const cert = draft.tls_server_cert ?? '';
  return {
    name,
    protocol,
    tls,
    trusted: listen.kind === 'unix' || (draft.trusted ?? false),
    listen,
    maxchild: draft.maxchild ?? 0,
    proxy_protocol: draft.proxy_protocol ?? false,
    tls_server_cert: cert,
    tls_server_key: draft.tls_server_key ?? cert,
    tls_client_ca_file: draft.tls_client_ca_file ?? '',
    tls_client_ca_dir: draft.tls_client_ca_dir ?? '',
    tls_client_certs: draft.tls_client_certs ?? '',
    tls_crl_file: draft.tls_crl_file ?? '',
  };
}

type Place =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly family: Family }
  | { readonly kind: 'unix'; readonly path: string };

/** `imap`, `143`, `host:143`, `[::1]:imap` or `/path/of/socket`, as in cyrus.conf. */
export function parseListen(text: string, family: Family): Place | { readonly problem: string } {
  if (text.startsWith('/')) {
    // sun_path has 108 bytes with the final NUL; longer ones fail at bind with a riddle.
    if (Buffer.byteLength(text) > 107) return { problem: `the path of a unix socket has at most 107 bytes` };
    return { kind: 'unix', path: text };
  }
  const match = /^(?:(?:\[([^\]]*)\]|([^:[\]]*)):)?([^:]*)$/.exec(text);
  if (match === null) {
    return { problem: `"${text}" is not a port, host:port, [IPv6 address]:port or the path of a socket` };
  }
  const host = match[1] ?? match[2] ?? '';
  if (!/^(?:\*|[A-Za-z0-9._:%-]*)$/.test(host)) return { problem: `"${host}" is not a host name or address` };
  const service = match[3] ?? '';
  if (service === '') return { problem: 'the port is missing' };
  const port = /^\d+$/.test(service) ? Number(service) : portOf(service);
  if (port === undefined) {
    return { problem: `the service name "${service}" is not known; write the number of the port` };
  }
  if (port > 65535) return { problem: `${service} is not a port: 0 to 65535` };
  return { kind: 'tcp', host: host === '*' ? '' : host, port, family };
}

/** Where a service listens, the way `parseListen` reads it. */
export function formatListen(listen: Listen): string {
  if (listen.kind === 'unix') return listen.path;
  const port = nameOfPort(listen.port) ?? String(listen.port);
  if (listen.host === '') return port;
  return listen.host.includes(':') ? `[${listen.host}]:${port}` : `${listen.host}:${port}`;
}

/** A time of day: "0400" and "400" as in cyrus.conf, or "04:00". */
export function parseTimeOfDay(text: string): When | undefined {
  const match = /^(\d{1,2}):?(\d{2})$/.exec(text);
  const hour = Number(match?.[1]);
  const minute = Number(match?.[2]);
  return match !== null && hour < 24 && minute < 60 ? { kind: 'at', hour, minute } : undefined;
}

export function formatTimeOfDay(when: { readonly hour: number; readonly minute: number }): string {
  return `${String(when.hour).padStart(2, '0')}:${String(when.minute).padStart(2, '0')}`;
}
