import { pathsKind } from '../kinds/collection.ts';
import { durationKind, sizeKind } from '../kinds/measure.ts';
import { choiceKind, pathKind, switchKind, textKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

const year = 366 * 86400;

/** Where the store lies, how long what was removed is kept. */
export const storeOptions = {
  configdirectory: option({
    toml: 'store.configdirectory',
    kind: pathKind(),
    default: '/var/lib/mailstore',
    imapd: imapd('configdirectory'),
    doc: 'The folder with the log, the indexes, the secrets and the sockets. It must be on a local disk.',
    check: (value) => value === '' ? 'a path is needed' : undefined,
  }),
  partition: option({
    toml: 'store.partition',
    kind: pathsKind(),
    default: { default: '/var/spool/mailstore' },
    imapd: [{ key: 'partition-' }],
    doc:
      'The partitions messages lie in: a name and a folder each. In imapd.conf: one partition-<name> line each.',
  }),
  defaultpartition: option({
    toml: 'store.defaultpartition',
    kind: textKind('a partition name', (text) => /^[a-z0-9][a-z0-9_]*$/i.test(text)),
    default: 'default',
    imapd: imapd('defaultpartition'),
    doc: 'The partition new mailboxes are created in.',
  }),
  hashimapspool: option({
    toml: 'store.hashimapspool',
    kind: switchKind(),
    default: true,
    imapd: imapd('hashimapspool'),
    doc: 'Put a folder named after the first letter above the users in spool and index: d/user/django. ' +
      'Decided when the store is made; it does not move what is there.',
  }),
  maxmessagesize: option({
    toml: 'store.maxmessagesize',
    kind: sizeKind(0, 2 ** 40),
    default: 64 * 2 ** 20,
    imapdDefault: 0,
    imapd: imapd('maxmessagesize'),
    doc: 'The largest message LMTP and APPEND take; announced as SIZE and APPENDLIMIT. 0 sets no limit.',
  }),
  expunge_mode: option({
    toml: 'store.expunge_mode',
    kind: choiceKind(['delayed', 'immediate'], { default: 'delayed', semidelayed: 'delayed' }),
    default: 'delayed',
    imapd: imapd('expunge_mode'),
    doc:
      '"delayed" keeps expunged messages for expunge_retention, "immediate" gives their space back at once.',
  }),
  expunge_retention: option({
    toml: 'store.expunge_retention',
    kind: durationKind(0, 10 * year),
    default: 7 * 86400,
    imapd: [],
    doc: 'How long an expunged message can be brought back before the expiry run removes it.',
  }),
  delete_mode: option({
    toml: 'store.delete_mode',
    kind: choiceKind(['delayed', 'immediate']),
    default: 'delayed',
    imapd: imapd('delete_mode'),
    doc:
      '"delayed" keeps deleted mailboxes for delete_retention, so that "mailbox undelete" brings them back.',
  }),
  delete_retention: option({
    toml: 'store.delete_retention',
    kind: durationKind(0, 10 * year),
    default: 7 * 86400,
    imapd: [],
    doc: 'How long a deleted mailbox can be brought back before the expiry run removes it.',
  }),
  duplicate_retention: option({
    toml: 'store.duplicate_retention',
    kind: durationKind(0, 10 * year),
    default: 3 * 86400,
    imapd: [],
    doc: 'How long a delivered Message-ID is remembered, so that the same message is not delivered twice.',
  }),
  duplicatesuppression: option({
    toml: 'store.duplicatesuppression',
    kind: switchKind(),
    default: true,
    imapd: imapd('duplicatesuppression'),
    doc: 'Do not deliver a message to a mailbox twice when its Message-ID was delivered there before.',
  }),
  log_segment_size: option({
    toml: 'store.log_segment_size',
    kind: sizeKind(2 ** 20, 2 ** 32),
    default: 64 * 2 ** 20,
    imapd: [],
    doc: 'The size at which the redo log begins a new segment file.',
  }),
  log_retention: option({
    toml: 'store.log_retention',
    kind: durationKind(0, year),
    default: 0,
    imapd: [],
    doc: 'How long log segments are kept after nothing needs them any more.',
  }),
  scrub_interval: option({
    toml: 'store.scrub_interval',
    kind: durationKind(0, year),
    default: 7 * 86400,
    imapd: [],
    doc:
      'How often the server reads everything it stores and compares it with its checksums; 0 is never. What is damaged is ' +
      'mended where the bytes still are, and named in the log; "mailstore check --last" shows what was found.',
  }),
  scrub_rate: option({
    toml: 'store.scrub_rate',
    kind: sizeKind(64 * 1024, 2 ** 32),
    default: 16 * 2 ** 20,
    imapd: [],
    doc: 'How many bytes a second are read for that.',
  }),
};
