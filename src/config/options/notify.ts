import { choiceKind, pathKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** Notifications: what is told to programs and people when mail comes in. */

/** The ways there are; zephyr is not. */
const METHODS = ['null', 'log', 'mailto', 'external', 'webhook', 'zephyr'] as const;

function noZephyr(value: string): string | undefined {
  return value === 'zephyr' ? 'zephyr is not there; there are log, mailto, external and webhook' : undefined;
}

export const notifyOptions = {
  mailnotifier: option({
    toml: 'notify.mailnotifier',
    kind: textKind(),
    default: '',
    defaultText: 'none',
    imapd: imapd('mailnotifier'),
    doc:
      'The method by which notifyd is told of every message that comes in: class MAIL, the user, INBOX, and From, Subject and To ' +
      'of the message. Without one it is not told.',
  }),
  notify_method: option<(typeof METHODS)[number]>({
    toml: 'notify.method',
    kind: choiceKind(METHODS),
    default: 'null',
    imapd: [],
    doc:
      'What becomes of a notification that names no method: "null" nothing, "log" a line of the log, "mailto" mail to the ' +
      'addresses that are its options, ' +
      '"external" the program of notify.external is run, "webhook" the address of notify.webhook is told. In cyrus.conf it is the -m of notifyd.',
    check: noZephyr,
  }),
  notify_external: option({
    toml: 'notify.external',
    kind: pathKind('an absolute path of a program, or "" for none'),
    default: '',
    imapd: imapd('notify_external'),
    doc:
      'The program for the method "external". It is called with -c class -p priority -u user -m mailbox and has the message on ' +
      'its standard input.',
  }),
  notify_webhook: option({
    toml: 'notify.webhook',
    kind: textKind('an http or https address, or "" for none', (text) => text === '' || isWebAddress(text)),
    default: '',
    imapd: [],
    doc:
      'The address for the method "webhook": a POST with JSON of class, priority, user, mailbox, options and message.',
  }),
  notify_webhook_secret: option({
    toml: 'notify.webhook_secret',
    kind: textKind(),
    default: '',
    imapd: [],
    doc:
      'With it the header X-Mailstore-Signature of each request is "sha256=" and the HMAC of the body under it, in hexadecimal.',
  }),
  notifysocket: option({
    toml: 'notify.socket',
    kind: pathKind('an absolute path of a socket, or ""'),
    default: '',
    defaultText: 'socket/notify below store.configdirectory',
    imapd: imapd('notifysocket'),
    doc:
      'Where notifications are handed over: a unix socket for datagrams, ours (services.notify) or that of another program.',
  }),
};

function isWebAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
}
