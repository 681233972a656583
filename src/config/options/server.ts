import { listKind, networksKind } from '../kinds/collection.ts';
import { choiceKind, integerKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** The server as a whole: its name, what it tells about itself, who it runs as. */
export const serverOptions = {
  servername: option({
    toml: 'server.servername',
    kind: textKind('a host name', (text) => /^[A-Za-z0-9._-]*$/.test(text)),
    default: '',
    defaultText: "the machine's host name",
    imapd: imapd('servername'),
    doc:
      'The name in greetings, in Received lines and in LMTP answers. Empty means the host name of the machine.',
  }),
  serverinfo: option({
    toml: 'server.serverinfo',
    kind: choiceKind(['off', 'min', 'on'], { yes: 'on', no: 'off', '1': 'on', '0': 'off' }),
    default: 'on',
    imapd: imapd('serverinfo'),
    doc: 'What greetings and the ID command tell about the server: "off" nothing, "min" the server name, ' +
      '"on" the server name, the product and its version.',
  }),
  postmaster: option({
    toml: 'server.postmaster',
    kind: textKind(),
    default: 'postmaster',
    imapd: imapd('postmaster'),
    doc:
      'Who gets the mail that LMTP receives for "postmaster" (RFC 5321 section 4.5.1): a user of this store, or ' +
      'user@domain.',
  }),
  admins: option({
    toml: 'server.admins',
    kind: listKind({ separator: /\s+/, item: 'user names' }),
    default: [],
    imapd: imapd('admins'),
    doc:
      'Users who may administer every mailbox. They log in like others and should have no mail of their own.',
  }),
  user: option({
    toml: 'server.user',
    kind: textKind(),
    default: 'mailstore',
    imapd: imapd('cyrus_user'),
    doc: 'The system user the server changes to once the ports are bound, when it is started as root.',
  }),
  group: option({
    toml: 'server.group',
    kind: textKind(),
    default: '',
    defaultText: 'the primary group of the user',
    imapd: imapd('cyrus_group'),
    doc: 'The system group the server changes to. Empty means the primary group of the user.',
  }),
  workers: option({
    toml: 'server.workers',
    kind: integerKind(0, 256),
    default: 0,
    defaultText: '0 (the number of cores)',
    imapd: [],
    doc: 'How many worker processes serve connections; 0 means as many as the machine has cores.',
  }),
  loglevel: option({
    toml: 'server.loglevel',
    kind: choiceKind(['debug', 'info', 'warn', 'error']),
    default: 'info',
    imapd: [],
    doc: 'The least important lines that are logged.',
  }),
  qosmarking: option({
    toml: 'server.qosmarking',
    kind: choiceKind([
      ...['cs0', 'cs1', 'cs2', 'cs3', 'cs4', 'cs5', 'cs6', 'cs7'] as const,
      ...['af11', 'af12', 'af13', 'af21', 'af22', 'af23'] as const,
      ...['af31', 'af32', 'af33', 'af41', 'af42', 'af43', 'ef'] as const,
    ]),
    default: 'cs0',
    imapd: imapd('qosmarking'),
    doc:
      'The DSCP mark on every packet of every connection (RFC 2474, RFC 2597, RFC 3246); cs0 leaves it alone.',
  }),
  proxy_networks: option({
    toml: 'server.proxy_networks',
    kind: networksKind(),
    default: [],
    imapd: [],
    doc:
      'Where the proxies are that services with proxy_protocol take connections from; they may say any address.',
  }),
};
