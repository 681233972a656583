import { choiceKind, pathKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** `host[:port][/tls][/noauth]`, an IPv6 address in brackets. */
export const SMTP_HOST =
  /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([A-Za-z0-9-]+))?((?:\/(?:tls|noauth))*)$/;

/** How mail leaves the store: what Sieve forwards, answers and refuses. */
export const smtpOptions = {
  smtp_backend: option<'host' | 'sendmail'>({
    toml: 'smtp.backend',
    kind: choiceKind(['host', 'sendmail']),
    default: 'host',
    imapd: imapd('smtp_backend'),
    doc:
      'How Sieve\'s mail (redirects, vacation replies, rejections, notifications) gets to the mail server: "host" ' +
      'speaks SMTP to the address of host, "sendmail" to the program of that name. The program of Postfix needs its ' +
      'setgid helper postdrop, which the sandbox of mailstore.service forbids (NoNewPrivileges): use "host" there.',
  }),
  smtp_host: option({
    toml: 'smtp.host',
    kind: textKind(
      'host, host:port or [IPv6 address]:port, with /tls or /noauth behind it',
      (text) => SMTP_HOST.test(text),
    ),
    default: 'localhost:25',
    imapd: imapd('smtp_host'),
    doc:
      'The mail server that takes mail from here. Without a port it is 587. Behind it, /tls insists on TLS with a ' +
      'certificate that holds; without that TLS is used where a server of another machine has it. /noauth logs in ' +
      'nowhere, whatever auth_authname says.',
  }),
  smtp_auth_authname: option({
    toml: 'smtp.auth_authname',
    kind: textKind(),
    default: '',
    defaultText: 'nobody: there is no login',
    imapd: imapd('smtp_auth_authname'),
    doc: 'Who logs in to the mail server. Passwords are only shown to it over TLS or on this machine.',
  }),
  smtp_auth_password: option({
    toml: 'smtp.auth_password',
    kind: textKind(),
    default: '',
    imapd: imapd('smtp_auth_password'),
    doc: 'The password of auth_authname. Keep the file from others, or use auth_password_file.',
  }),
  smtp_auth_password_file: option({
    toml: 'smtp.auth_password_file',
    kind: pathKind(),
    default: '',
    imapd: [],
    doc: 'A file with that password in its first line.',
  }),
  smtp_auth_realm: option({
    toml: 'smtp.auth_realm',
    kind: textKind(),
    default: '',
    defaultText: 'the first one the server names',
    imapd: imapd('smtp_auth_realm'),
    doc: 'The realm auth_authname is in, for DIGEST-MD5.',
  }),
  smtp_ca_file: option({
    toml: 'smtp.ca_file',
    kind: pathKind(),
    default: '',
    defaultText: 'those of the system',
    imapd: imapd('tls_server_ca_file'),
    doc: 'The authorities that vouch for the certificate of the mail server, in PEM.',
  }),
  sendmail: option({
    toml: 'smtp.sendmail',
    kind: pathKind(),
    default: '',
    defaultText: '/usr/sbin/sendmail',
    imapd: imapd('sendmail'),
    doc:
      'The program for backend = "sendmail". It is run with -bs and must speak SMTP on its standard input and output.',
  }),
};
