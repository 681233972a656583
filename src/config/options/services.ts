import { durationKind } from '../kinds/measure.ts';
import {
  choiceKind,
  filesKind,
  integerKind,
  modeKind,
  pathKind,
  switchKind,
  textKind,
} from '../kinds/plain.ts';
import type { Kind } from '../kinds/kind.ts';

/** A key of a [services.<name>] or [events.<name>] table. */
export interface EntryKey {
  readonly kind: Kind<unknown>;
  readonly default: string;
  /** How cyrus.conf says it. */
  readonly cyrusConf: string;
  readonly doc: string;
}

/** The keys of a [services.<name>] table. */
export const serviceKeys = {
  protocol: {
    kind: choiceKind(['imap', 'pop3', 'lmtp', 'sieve', 'smmap', 'notify', 'dovecot-auth', 'saslauthd']),
    default:
      'by the name of the service: imap, imaps, pop3, pop3s, lmtp, lmtpunix, sieve, managesieve, smmap, notify, dovecot-auth, saslauthd',
    cyrusConf: 'cmd="imapd", cmd="pop3d", cmd="lmtpd", cmd="timsieved", cmd="smmapd" or cmd="notifyd"',
    doc: 'What is spoken there.',
  },
  listen: {
    kind: textKind('a port, host:port or the path of a socket', (text) => text !== ''),
    default:
      'by the name of the service: imap, imaps, pop3, pop3s, lmtp, lmtpunix, sieve, managesieve, smmap, notify, dovecot-auth, saslauthd',
    cyrusConf: 'listen=',
    doc:
      'Where it listens: a port by name or number, host:port, [IPv6 address]:port, or the path of a unix ' +
      'socket.',
  },
  family: {
    kind: choiceKind(['any', 'ipv4', 'ipv6']),
    default: 'any',
    cyrusConf: 'proto="tcp", "tcp4" or "tcp6"',
    doc: 'The kind of addresses a port without a host is opened on.',
  },
  tls: {
    kind: switchKind(),
    default: 'true for imaps, else false',
    cyrusConf: 'cmd="imapd -s"',
    doc: 'TLS from the first byte. Without it, TLS begins by STARTTLS.',
  },
  trusted: {
    kind: switchKind(),
    default: 'true for unix sockets, else false',
    cyrusConf: 'cmd="lmtpd -a"',
    doc:
      'LMTP and smmap only: peers may deliver, or ask who has a mailbox, without authentication wherever they come from.',
  },
  maxchild: {
    kind: integerKind(0, 1_000_000),
    default: '0',
    cyrusConf: 'maxchild=',
    doc: 'The most connections at a time; 0 for no bound of its own.',
  },
  proxy_protocol: {
    kind: switchKind(),
    default: 'false',
    cyrusConf: '',
    doc:
      'Every connection comes through a proxy of server.proxy_networks and begins with a header of the PROXY protocol, ' +
      'version 1 or 2, before TLS. The address it names is the one that is logged, counted and trusted.',
  },
  owner: {
    kind: textKind(),
    default: 'lmtp.socket_owner',
    cyrusConf: '',
    doc: 'Unix socket only: the system user who owns it.',
  },
  group: {
    kind: textKind(),
    default: 'lmtp.socket_group',
    cyrusConf: '',
    doc: 'Unix socket only: its system group.',
  },
  mode: {
    kind: modeKind(),
    default: 'lmtp.socket_mode',
    cyrusConf: '',
    doc: 'Unix socket only: its permissions.',
  },
  tls_server_cert: {
    kind: filesKind(),
    default: 'tls.server_cert',
    cyrusConf: '<service>_tls_server_cert in imapd.conf',
    doc: 'The certificate of this service alone.',
  },
  tls_server_key: {
    kind: filesKind(),
    default: 'tls.server_key',
    cyrusConf: '<service>_tls_server_key in imapd.conf',
    doc: 'The private key of this service alone.',
  },
  tls_client_ca_file: {
    kind: pathKind(),
    default: 'tls.client_ca_file',
    cyrusConf: '<service>_tls_client_ca_file in imapd.conf',
    doc: 'The authorities client certificates of this service are checked against.',
  },
  tls_client_ca_dir: {
    kind: pathKind(),
    default: 'tls.client_ca_dir',
    cyrusConf: '<service>_tls_client_ca_dir in imapd.conf',
    doc: 'A folder of such authorities.',
  },
  tls_client_certs: {
    kind: choiceKind(['off', 'optional', 'require']),
    default: 'tls.client_certs',
    cyrusConf: '<service>_tls_client_certs in imapd.conf',
    doc: 'Whether clients of this service are asked for a certificate.',
  },
  tls_crl_file: {
    kind: pathKind(),
    default: 'tls.crl_file',
    cyrusConf: '<service>_tls_crl_file in imapd.conf',
    doc: 'Lists of revoked certificates for this service.',
  },
} satisfies Record<string, EntryKey>;

/** The keys of an [events.<name>] table. */
export const eventKeys = {
  job: {
    kind: choiceKind(['checkpoint', 'expire', 'backup']),
    default: 'none: it must be given',
    cyrusConf: 'cmd="ctl_cyrusdb -c" or cmd="cyr_expire ..."',
    doc:
      '"checkpoint" shortens the log; "expire" removes what was deleted longer ago than store.expunge_retention ' +
      'and store.delete_retention, and forgets Message-IDs after store.duplicate_retention; "backup" makes a backup to ' +
      'backup.target.',
  },
  every: {
    kind: durationKind(1, 366 * 86400),
    default: 'none: every or at must be given',
    cyrusConf: 'period= (minutes)',
    doc: 'The time between two runs.',
  },
  at: {
    kind: textKind('a time of day such as "04:00"', (text) => /^([01]?\d|2[0-3]):[0-5]\d$/.test(text)),
    default: 'none: every or at must be given',
    cyrusConf: 'at= (hhmm)',
    doc: 'The time of day of a daily run, in local time.',
  },
} satisfies Record<string, EntryKey>;
