import { durationKind } from '../kinds/measure.ts';
import { choiceKind, integerKind, switchKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** The POP3 service. */
export const pop3Options = {
  poptimeout: option({
    toml: 'pop3.timeout',
    kind: durationKind(10 * 60, 7 * 86_400),
    default: 10 * 60,
    imapd: [{ key: 'poptimeout', unit: 'm' }],
    doc:
      'After how long without a command a client is logged out. At least 10 minutes (RFC 1939 section 3); a number ' +
      'in imapd.conf counts minutes.',
  }),
  popminpoll: option({
    toml: 'pop3.minpoll',
    kind: durationKind(0, 7 * 86_400),
    default: 0,
    imapd: [{ key: 'popminpoll', unit: 'm' }],
    doc:
      'The least time between two logins of a user, announced as LOGIN-DELAY. A number in imapd.conf counts minutes.',
  }),
  popexpiretime: option({
    toml: 'pop3.expiretime',
    kind: integerKind(-1, 3660),
    default: -1,
    imapd: imapd('popexpiretime'),
    doc: 'Days that messages may stay, as announced by EXPIRE; -1 announces NEVER. Nothing is removed by it.',
  }),
  popsubfolders: option({
    toml: 'pop3.subfolders',
    kind: switchKind(),
    default: false,
    imapd: imapd('popsubfolders'),
    doc: 'Let "user+folder" log in to a folder of the user instead of INBOX.',
  }),
  popuseacl: option({
    toml: 'pop3.useacl',
    kind: switchKind(),
    default: false,
    imapd: imapd('popuseacl'),
    doc:
      "Ask the ACL: 'r' to read, 't' to delete, 's' to mark as seen. Without it a user may do all to the own INBOX.",
  }),
  popuseimapflags: option({
    toml: 'pop3.useimapflags',
    kind: switchKind(),
    default: false,
    imapd: imapd('popuseimapflags'),
    doc: 'Leave out messages marked as deleted, and mark those that were retrieved as seen.',
  }),
  uidl_format: option<'cyrus' | 'uidonly' | 'dovecot' | 'courier'>({
    toml: 'pop3.uidl_format',
    kind: choiceKind(['cyrus', 'uidonly', 'dovecot', 'courier']),
    default: 'cyrus',
    imapd: imapd('uidl_format'),
    doc:
      'The form of the unique ids; that of the server the mail came from keeps clients from fetching everything again.',
  }),
  allowapop: option({
    toml: 'pop3.allowapop',
    kind: switchKind(),
    default: false,
    imapdDefault: true,
    imapd: imapd('allowapop'),
    doc:
      'Offer APOP where a source of secrets hands out passwords. It needs passwords that can be read back, as CRAM-MD5 ' +
      'does.',
  }),
};
