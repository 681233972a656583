import { networksKind } from '../kinds/collection.ts';
import { choiceKind, modeKind, switchKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** The LMTP service. */
export const lmtpOptions = {
  lmtp_downcase_rcpt: option({
    toml: 'lmtp.downcase_rcpt',
    kind: switchKind(),
    default: true,
    imapd: imapd('lmtp_downcase_rcpt'),
    doc: 'Convert recipient addresses to lower case, up to a + in front of a folder name.',
  }),
  lmtp_overquota_perm_failure: option({
    toml: 'lmtp.overquota_perm_failure',
    kind: switchKind(),
    default: false,
    imapd: imapd('lmtp_overquota_perm_failure', 'lmtp_over_quota_perm_failure'),
    doc:
      'Answer 552 (the sender gets the message back) instead of 452 (it is tried again) when a quota is used up.',
  }),
  lmtp_fuzzy_mailbox_match: option({
    toml: 'lmtp.fuzzy_mailbox_match',
    kind: switchKind(),
    default: false,
    imapd: imapd('lmtp_fuzzy_mailbox_match'),
    doc:
      'Where the folder of an address (user+folder) is not there, deliver to the nearest one above it that is, ' +
      'without regard to case and with "_" for a space. The right to post (p) is needed there.',
  }),
  postuser: option({
    toml: 'lmtp.postuser',
    kind: textKind(),
    default: '',
    imapd: imapd('postuser'),
    doc:
      'The name shared folders are addressed by: with "bb", mail to bb+staff@example.org goes to the shared folder ' +
      'staff. Without it (and also with it) +staff@example.org does.',
  }),
  recipient_delimiter: option({
    toml: 'lmtp.recipient_delimiter',
    kind: textKind(
      "characters of a local part that are no letters, digits, dots or slashes, such as '+' or '+-', or '' for none",
      (text) => /^[!#$%&'*+=?^_`{|}~-]{0,8}$/.test(text),
    ),
    default: '+',
    imapd: [],
    doc:
      'What stands between user and folder in an address, any one of these characters: in recipients, in the addresses of a ' +
      "script's owner, and for :user and :detail in scripts (RFC 5233). As in Postfix, whose recipient_delimiter should say " +
      'the same. Where this text says +, it means them. Without one an address has no folder.',
  }),
  lmtp_trusted_networks: option({
    toml: 'lmtp.trusted_networks',
    kind: networksKind(),
    default: ['127.0.0.0/8', '::1'],
    imapd: [],
    doc:
      'From where mail is taken over TCP without authentication. Unix sockets and services with trusted = true ' +
      'are trusted anyway.',
  }),
  lmtp_bare_lf: option({
    toml: 'lmtp.bare_lf',
    kind: choiceKind(['accept', 'refuse']),
    default: 'accept',
    imapd: [],
    doc:
      'What becomes of a message with a line feed that has no carriage return. It never ends the data either way.',
  }),
  lmtp_nul: option({
    toml: 'lmtp.nul',
    kind: choiceKind(['accept', 'refuse']),
    default: 'refuse',
    imapd: [],
    doc: 'What becomes of a message with a NUL byte in it.',
  }),
  lmtp_socket_owner: option({
    toml: 'lmtp.socket_owner',
    kind: textKind(),
    default: '',
    defaultText: 'the user of the server',
    imapd: [],
    doc: 'The system user who owns the unix sockets of LMTP.',
  }),
  lmtp_socket_group: option({
    toml: 'lmtp.socket_group',
    kind: textKind(),
    default: '',
    defaultText: 'the group of the server',
    imapd: [],
    doc: 'The system group of the unix sockets of LMTP, for instance "postfix".',
  }),
  lmtp_socket_mode: option({
    toml: 'lmtp.socket_mode',
    kind: modeKind(),
    default: 0o660,
    imapd: [],
    doc: 'The permissions of the unix sockets of LMTP. Who may connect may deliver to everybody.',
  }),
};
