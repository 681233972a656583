import { listKind } from '../kinds/collection.ts';
import { sizeKind } from '../kinds/measure.ts';
import { choiceKind, integerKind, pathKind, switchKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

const folders = {
  separator: /\|/,
  item: 'folder names below INBOX',
  check: (item: string) =>
    /^[/.]|[/.]$/.test(item) ? `the folder name "${item}" begins or ends with a separator` : undefined,
};

/** Names of users and mailboxes, and which mailboxes come into being by themselves. */
export const mailboxOptions = {
  virtdomains: option({
    toml: 'mailbox.virtdomains',
    kind: choiceKind(['off', 'userid', 'on'], {
      no: 'off',
      '0': 'off',
      false: 'off',
      yes: 'on',
      '1': 'on',
      true: 'on',
    }),
    default: 'off',
    imapd: imapd('virtdomains'),
    doc:
      'Users of several domains. "userid": the domain is what stands behind the @ of the login. "on": a login ' +
      'without @ also gets the domain of the name that belongs to the address the client connected to.',
  }),
  defaultdomain: option({
    toml: 'mailbox.defaultdomain',
    kind: textKind('a domain', (text) => /^[A-Za-z0-9._-]*$/.test(text)),
    default: '',
    imapd: imapd('defaultdomain'),
    doc: 'The domain whose users stand in the store without a domain. Used with virtdomains.',
  }),
  username_tolower: option({
    toml: 'mailbox.username_tolower',
    kind: switchKind(),
    default: true,
    imapd: imapd('username_tolower'),
    doc: 'Convert login names to lower case.',
  }),
  unixhierarchysep: option({
    toml: 'mailbox.unixhierarchysep',
    kind: switchKind(),
    default: true,
    imapdDefault: false,
    imapd: imapd('unixhierarchysep'),
    doc: 'Separate mailbox levels by "/" instead of ".". Needed for user names with dots. An imapd.conf ' +
      'that does not name it means "no", as Cyrus 2.3 did.',
  }),
  altnamespace: option({
    toml: 'mailbox.altnamespace',
    kind: switchKind(),
    default: false,
    imapd: imapd('altnamespace'),
    doc: 'Show the folders of a user beside INBOX instead of below it.',
  }),
  userprefix: option({
    toml: 'mailbox.userprefix',
    kind: textKind('a name', (text) => text !== ''),
    default: 'Other Users',
    imapd: imapd('userprefix'),
    doc: 'With altnamespace: the level the folders of other users stand below.',
  }),
  sharedprefix: option({
    toml: 'mailbox.sharedprefix',
    kind: textKind('a name', (text) => text !== ''),
    default: 'Shared Folders',
    imapd: imapd('sharedprefix'),
    doc: 'With altnamespace: the level shared folders stand below.',
  }),
  reject8bit: option({
    toml: 'mailbox.reject8bit',
    kind: switchKind(),
    default: false,
    imapd: imapd('reject8bit'),
    doc:
      'Refuse messages with 8-bit characters in their headers. They are stored as they came otherwise (but see munge8bit).',
  }),
  munge8bit: option({
    toml: 'mailbox.munge8bit',
    kind: switchKind(),
    default: false,
    imapd: imapd('munge8bit'),
    doc:
      'Replace 8-bit characters in the header of a delivered message by X. Cyrus does so unless told otherwise; here ' +
      'messages are stored as they came unless this is on.',
  }),
  autocreatequota: option({
    toml: 'mailbox.autocreatequota',
    kind: sizeKind(0, 2 ** 50, true),
    default: 0,
    imapd: [
      { key: 'autocreatequota', unit: 'K' },
      // Cyrus 3 moved "off" to -1 and gave 0 the meaning "no limit".
      {
        key: 'autocreate_quota',
        unit: 'K',
        convert: (value: number) => value === 0 ? -1 : value === -1 ? 0 : value,
      },
    ],
    doc:
      'Create INBOX when a user logs in for the first time, with this quota. 0 creates nothing, -1 creates ' +
      'without a quota. A number in imapd.conf counts kilobytes; there, autocreate_quota says -1 for "off" and ' +
      '0 for "no quota".',
  }),
  createonpost: option({
    toml: 'mailbox.createonpost',
    kind: switchKind(),
    default: false,
    imapd: imapd('createonpost', 'autocreate_post'),
    doc:
      'Create INBOX also when the first message arrives by LMTP, for every recipient. Needs autocreatequota.',
  }),
  autocreateinboxfolders: option({
    toml: 'mailbox.autocreateinboxfolders',
    kind: listKind(folders),
    default: [],
    imapd: imapd('autocreateinboxfolders', 'autocreate_inbox_folders'),
    doc: 'Folders created together with INBOX. Separated by | in imapd.conf.',
  }),
  autosubscribeinboxfolders: option({
    toml: 'mailbox.autosubscribeinboxfolders',
    kind: listKind(folders),
    default: [],
    imapd: imapd('autosubscribeinboxfolders', 'autocreate_subscribe_folders'),
    doc: 'Folders of autocreateinboxfolders the user is subscribed to from the start.',
  }),
  anysievefolder: option({
    toml: 'mailbox.anysievefolder',
    kind: switchKind(),
    default: false,
    imapd: imapd('anysievefolder'),
    doc: "Create any folder of a user's own that a Sieve script files a message into.",
  }),
  autosievefolders: option({
    toml: 'mailbox.autosievefolders',
    kind: listKind(folders),
    default: [],
    imapd: imapd('autosievefolders', 'autocreate_sieve_folders'),
    doc:
      'Folders below INBOX that are created when a Sieve script files a message into them. Separated by | in ' +
      'imapd.conf.',
  }),
  autocreate_sieve_script: option({
    toml: 'mailbox.autocreate_sieve_script',
    kind: pathKind(),
    default: '',
    defaultText: 'none',
    imapd: imapd('autocreate_sieve_script'),
    doc:
      'A file with the Sieve script that new users begin with, named "default" and active. It is read when the server ' +
      'starts. Scripts are compiled when they are used: there is no compiled file to be named.',
  }),
  quotawarn: option({
    toml: 'mailbox.quotawarn',
    kind: integerKind(0, 100),
    default: 90,
    imapd: imapd('quotawarn', 'quotawarnpercent'),
    doc: 'From how many percent of the quota on SELECT warns the user.',
  }),
};
