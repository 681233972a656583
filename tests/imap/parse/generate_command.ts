/** Generated commands, one generator each, in some of the ways in which they may be written. */

import type { Command, FetchItem } from '../../../src/imap/parse/command.ts';
import { type CommandGenerator, FLAGS, WORDS } from './generate.ts';

export interface Generated {
  readonly text: string;
  readonly command: Command;
  /** The bytes of an APPEND's message. */
  readonly messages: readonly string[];
}

const MAILBOXES = ['INBOX', 'a', 'a/b c', 'Entwürfe', 'R&D', '台北', 'INBOX/x', '100%', 'x*', '"q"', ''];
const PLAIN = [
  'CAPABILITY',
  'NOOP',
  'LOGOUT',
  'STARTTLS',
  'NAMESPACE',
  'IDLE',
  'CHECK',
  'CLOSE',
  'UNSELECT',
] as const;
const STATUS = [
  'MESSAGES',
  'RECENT',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
  'DELETED',
  'SIZE',
  'HIGHESTMODSEQ',
] as const;

/** A command without tag and final CRLF. */
export function generateCommand(generator: CommandGenerator): Generated {
  const { command, text } = generator.random.pick(GENERATORS)(generator);
  return command.name === 'APPEND'
    ? { command, text, messages: command.messages.map(({ size }) => 'x'.repeat(size)) }
    : { command, text, messages: [] };
}

type Generator = (g: CommandGenerator) => { text: string; command: Command };

const GENERATORS: readonly Generator[] = [
  (g) => {
    const name = g.random.pick(PLAIN);
    return { command: { name }, text: g.word(name) };
  },
  (g) => {
    const initial = g.random.oneIn(3) ? null : Buffer.from(g.random.pick(['', 'a', '\0user\0pass']));
    const written = initial === null ? '' : ` ${initial.length === 0 ? '=' : initial.toString('base64')}`;
    return {
      command: { name: 'AUTHENTICATE', mechanism: 'PLAIN', initial },
      text: `${g.word('AUTHENTICATE')} ${g.word('PLAIN')}${written}`,
    };
  },
  (g) => {
    const [user, password] = [g.random.pick(WORDS), g.random.pick(WORDS)];
    return {
      command: { name: 'LOGIN', user, password },
      text: `${g.word('LOGIN')} ${g.astring(user)} ${g.astring(password)}`,
    };
  },
  (g) => {
    const capabilities = g.random.some(['CONDSTORE', 'IMAP4REV2', 'X-UNKNOWN', 'UTF8=ACCEPT'], 3);
    return {
      command: { name: 'ENABLE', capabilities },
      text: `ENABLE ${capabilities.map((c) => g.word(c)).join(' ')}`,
    };
  },
  (g) => {
    if (g.random.oneIn(3)) return { command: { name: 'ID', params: null }, text: `ID ${g.word('NIL')}` };
    const params = g.random.some(['name', 'version', 'os'], 3).map((field) => ({
      field,
      value: g.random.oneIn(3) ? null : g.random.pick(WORDS),
    }));
    const pairs = params.flatMap(({ field, value }) => [
      g.string(field),
      value === null ? g.word('NIL') : g.string(Buffer.from(value, 'utf8').toString('latin1')),
    ]);
    return { command: { name: 'ID', params }, text: `ID ${g.list(pairs)}` };
  },
  (g) => {
    const name = g.random.pick(['SELECT', 'EXAMINE'] as const);
    const [mailbox, condstore] = [g.random.pick(MAILBOXES), g.random.oneIn(2)];
    return {
      command: { name, mailbox, condstore },
      text: `${g.word(name)} ${g.mailbox(mailbox)}${condstore ? ` (${g.word('CONDSTORE')})` : ''}`,
    };
  },
  (g) => {
    const mailbox = g.random.pick(MAILBOXES);
    const use = g.random.oneIn(2) ? [] : g.random.some(['\\Sent', '\\Drafts', '\\Trash'], 2);
    return {
      command: { name: 'CREATE', mailbox, use },
      text: `${g.word('CREATE')} ${g.mailbox(mailbox)}${use.length === 0 ? '' : ` (USE ${g.list(use)})`}`,
    };
  },
  (g) => {
    const name = g.random.pick(
      ['DELETE', 'SUBSCRIBE', 'UNSUBSCRIBE', 'GETQUOTAROOT', 'GETACL', 'MYRIGHTS'] as const,
    );
    const mailbox = g.random.pick(MAILBOXES);
    return { command: { name, mailbox }, text: `${g.word(name)} ${g.mailbox(mailbox)}` };
  },
  (g) => {
    const [from, to] = [g.random.pick(MAILBOXES), g.random.pick(MAILBOXES)];
    return {
      command: { name: 'RENAME', from, to },
      text: `${g.word('RENAME')} ${g.mailbox(from)} ${g.mailbox(to)}`,
    };
  },
  (g) => {
    const r = g.random;
    const select = {
      subscribed: r.oneIn(2),
      remote: r.oneIn(2),
      recursiveMatch: false,
      specialUse: r.oneIn(2),
    };
    select.recursiveMatch = (select.subscribed || select.specialUse) && r.oneIn(2);
    const status = r.oneIn(2) ? null : r.some(STATUS, 3);
    const asked = { subscribed: r.oneIn(2), children: r.oneIn(2), specialUse: r.oneIn(2), status };
    const [withSelect, withReturn, multiple] = [r.oneIn(2), r.oneIn(2), r.oneIn(2)];
    const options = [
      select.subscribed && 'SUBSCRIBED',
      select.remote && 'REMOTE',
      select.specialUse && 'SPECIAL-USE',
      select.recursiveMatch && 'RECURSIVEMATCH',
    ].filter((option) => option !== false).map((option) => g.word(option));
    const returned = [
      asked.subscribed && 'SUBSCRIBED',
      asked.children && 'CHILDREN',
      asked.specialUse && 'SPECIAL-USE',
      status !== null && `STATUS ${g.list(status)}`,
    ].filter((option) => option !== false).map((option) => g.word(option));
    const reference = r.pick(MAILBOXES);
    const patterns = multiple ? r.some(MAILBOXES, 4) : [r.pick(MAILBOXES)];
    const written = patterns.map((pattern) => g.mailbox(pattern));
    const none = { subscribed: false, remote: false, recursiveMatch: false, specialUse: false };
    const chosen = withSelect ? select : none;
    const given = withReturn
      ? asked
      : { subscribed: false, children: false, specialUse: false, status: null };
    return {
      command: {
        name: 'LIST',
        reference,
        patterns,
        select: chosen,
        returns: {
          ...given,
          subscribed: given.subscribed || chosen.subscribed,
          specialUse: given.specialUse || chosen.specialUse,
        },
        extended: withSelect || withReturn || multiple,
        rootOnly: !withSelect && !withReturn && !multiple && patterns[0] === '',
      },
      text: `${g.word('LIST')}${withSelect ? ` ${g.list(options)}` : ''} ${g.mailbox(reference)} ${
        multiple ? g.list(written) : written[0]
      }${withReturn ? ` ${g.word('RETURN')} ${g.list(returned)}` : ''}`,
    };
  },
  (g) => {
    const [reference, pattern] = [g.random.pick(MAILBOXES), g.random.pick(MAILBOXES)];
    return {
      command: { name: 'LSUB', reference, patterns: [pattern] },
      text: `${g.word('LSUB')} ${g.mailbox(reference)} ${g.mailbox(pattern)}`,
    };
  },
  (g) => {
    const [mailbox, items] = [g.random.pick(MAILBOXES), g.random.some(STATUS, 5)];
    return {
      command: { name: 'STATUS', mailbox, items },
      text: `${g.word('STATUS')} ${g.mailbox(mailbox)} ${g.list(items.map((item) => g.word(item)))}`,
    };
  },
  (g) => {
    const r = g.random;
    const mailbox = r.pick(MAILBOXES);
    let text = `${g.word('APPEND')} ${g.mailbox(mailbox)}`;
    const messages = Array.from({ length: r.oneIn(3) ? 1 + r.below(5) : 1 }, () => {
      const flags = r.oneIn(2) ? [] : r.some(FLAGS, 3);
      const zone = r.pick([0, 60, -420, 330]);
      const time = r.below(2_000_000_000);
      const internaldate = r.oneIn(2) ? null : { time, zone };
      const [size, binary] = [r.below(2000), r.oneIn(5)];
      if (flags.length > 0 || r.oneIn(4)) text += ` ${g.list(flags)}`;
      if (internaldate !== null) text += ` "${dateTime(time, zone)}"`;
      text += ` ${binary ? '~' : ''}{${size}${r.oneIn(2) ? '+' : ''}}\r\n${'x'.repeat(size)}`;
      return { flags, internaldate, size, binary };
    });
    return { command: { name: 'APPEND', mailbox, messages }, text };
  },
  (g) => {
    if (g.random.oneIn(2)) return { command: { name: 'EXPUNGE', set: null }, text: g.word('EXPUNGE') };
    const { set, text } = g.set();
    return { command: { name: 'EXPUNGE', set }, text: `${g.word('UID EXPUNGE')} ${text}` };
  },
  (g) => {
    const r = g.random;
    const uid = r.oneIn(2);
    const asked = {
      min: r.oneIn(2),
      max: r.oneIn(2),
      all: r.oneIn(2),
      count: r.oneIn(2),
      save: g.mode.searchres && r.oneIn(2),
    };
    const words = (['MIN', 'MAX', 'ALL', 'COUNT', 'SAVE'] as const).filter((_word, index) =>
      Object.values(asked)[index] === true
    );
    const returns = r.oneIn(2) ? null : { ...asked, all: asked.all || words.length === 0 };
    const { key, text } = g.searchKey(r.below(5));
    return {
      command: { name: 'SEARCH', uid, returns, key },
      text: `${uid ? 'UID ' : ''}${g.word('SEARCH')}${
        returns === null ? '' : ` ${g.word('RETURN')} ${g.list(words.map((word) => g.word(word)))}`
      }${r.oneIn(2) ? '' : ` ${g.word('CHARSET UTF-8')}`} ${text}`,
    };
  },
  (g) => {
    const r = g.random;
    const uid = r.oneIn(2);
    const criteria = Array.from({ length: 1 + r.below(4) }, () => ({
      key: r.pick(['ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO'] as const),
      reverse: r.oneIn(2),
    }));
    const { key, text } = g.searchKey(r.below(5));
    const list = g.list(criteria.map((each) => g.word(`${each.reverse ? 'REVERSE ' : ''}${each.key}`)));
    return {
      command: { name: 'SORT', uid, criteria, key },
      text: `${uid ? 'UID ' : ''}${g.word('SORT')} ${list} ${g.word('UTF-8')} ${text}`,
    };
  },
  (g) => {
    const r = g.random;
    const uid = r.oneIn(2);
    const algorithm = r.pick(['ORDEREDSUBJECT', 'REFERENCES'] as const);
    const { key, text } = g.searchKey(r.below(5));
    return {
      command: { name: 'THREAD', uid, algorithm, key },
      text: `${uid ? 'UID ' : ''}${g.word('THREAD')} ${g.word(algorithm)} "UTF-8" ${text}`,
    };
  },
  (g) => {
    const r = g.random;
    const { set, text } = g.set();
    const uid = r.oneIn(2);
    const { item, text: written } = g.fetchItem();
    const changedSince = r.oneIn(3) ? r.below(1e9) : null;
    const items: FetchItem[] = [item];
    if (uid) items.unshift({ kind: 'field', field: 'UID' });
    if (changedSince !== null) items.push({ kind: 'field', field: 'MODSEQ' });
    const list = r.oneIn(2) ? written : g.list(r.oneIn(2) ? [written] : [written, written]);
    return {
      command: { name: 'FETCH', uid, set, items, changedSince },
      text: `${uid ? 'UID ' : ''}${g.word('FETCH')} ${text} ${list}${
        changedSince === null ? '' : ` (${g.word('CHANGEDSINCE')} ${changedSince})`
      }`,
    };
  },
  (g) => {
    const r = g.random;
    const { set, text } = g.set();
    const [uid, silent] = [r.oneIn(2), r.oneIn(2)];
    const mode = r.pick(['replace', 'add', 'remove'] as const);
    const unchangedSince = r.oneIn(3) ? r.below(1e9) : null;
    const flags = r.some(FLAGS, 3);
    const sign = { replace: '', add: '+', remove: '-' }[mode];
    return {
      command: { name: 'STORE', uid, set, mode, silent, flags, unchangedSince },
      text: `${uid ? 'UID ' : ''}${g.word('STORE')} ${text}${
        unchangedSince === null ? '' : ` (${g.word('UNCHANGEDSINCE')} ${unchangedSince})`
      } ${sign}${g.word(silent ? 'FLAGS.SILENT' : 'FLAGS')} ${r.oneIn(2) ? flags.join(' ') : g.list(flags)}`,
    };
  },
  (g) => {
    const name = g.random.pick(['COPY', 'MOVE'] as const);
    const { set, text } = g.set();
    const [uid, mailbox] = [g.random.oneIn(2), g.random.pick(MAILBOXES)];
    return {
      command: { name, uid, set, mailbox },
      text: `${uid ? 'UID ' : ''}${g.word(name)} ${text} ${g.mailbox(mailbox)}`,
    };
  },
  (g) => {
    const root = g.random.pick(MAILBOXES);
    if (g.random.oneIn(2)) {
      return { command: { name: 'GETQUOTA', root }, text: `${g.word('GETQUOTA')} ${g.mailbox(root)}` };
    }
    const limits = g.random.some(['STORAGE', 'MESSAGE'], 2).map((resource) => ({
      resource,
      limit: g.random.below(1e9),
    }));
    const written = limits.flatMap(({ resource, limit }) => [g.word(resource), `${limit}`]);
    return {
      command: { name: 'SETQUOTA', root, limits },
      text: `${g.word('SETQUOTA')} ${g.mailbox(root)} ${g.list(written)}`,
    };
  },
  (g) => {
    const [mailbox, identifier] = [
      g.random.pick(MAILBOXES),
      g.random.pick(['anyone', 'user@x', '-bob', 'group:a b']),
    ];
    if (g.random.oneIn(2)) {
      const name = g.random.pick(['DELETEACL', 'LISTRIGHTS'] as const);
      return {
        command: { name, mailbox, identifier },
        text: `${g.word(name)} ${g.mailbox(mailbox)} ${g.astring(identifier)}`,
      };
    }
    const [mode, rights] = [
      g.random.pick(['replace', 'add', 'remove'] as const),
      g.random.pick(['lrs', '', 'lrswipkxtea']),
    ];
    const sign = { replace: '', add: '+', remove: '-' }[mode];
    return {
      command: { name: 'SETACL', mailbox, identifier, mode, rights },
      text: `${g.word('SETACL')} ${g.mailbox(mailbox)} ${g.astring(identifier)} ${g.astring(sign + rights)}`,
    };
  },
];

/** date-time without its quotes, made by the platform's calendar. */
function dateTime(time: number, zone: number): string {
  const [, day, month, year, clock] = new Date((time + 60 * zone) * 1000).toUTCString().split(' ');
  const away = Math.abs(zone);
  const offset = `${Math.floor(away / 60)}`.padStart(2, '0') + `${away % 60}`.padStart(2, '0');
  return `${(day ?? '').replace(/^0/, ' ')}-${month}-${year} ${clock} ${zone < 0 ? '-' : '+'}${offset}`;
}
