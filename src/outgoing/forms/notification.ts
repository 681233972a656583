/** The message of `notify` with a mailto URI (RFC 5436 §2.7). */

import { oneLine } from '../../mime/encode.ts';
import { version } from '../../version.ts';
import type { Envelope, OutgoingMessage } from '../envelope.ts';
import { Draft, isFieldName, type Mailbox, type Stamp, textEntity } from './draft.ts';
import { type Original, receivedLines, textOf, threadLines } from './original.ts';

/** Whom a URI names. */
interface Recipient {
  readonly address: string;
  readonly name: string | null;
}

/** What a script and its URI say; Unicode. */
export interface NotificationWords {
  /** Addresses of the URI and of its `to` fields. */
  readonly to: readonly Recipient[];
  readonly cc: readonly Recipient[];
  /** Not shown. */
  readonly bcc: readonly Recipient[];
  /** `:message`, else the URI's subject, else null. */
  readonly subject: string | null;
  /** The URI's body, else null. */
  readonly body: string | null;
  /** Other fields of the URI, in order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** 1 is the most important. */
  readonly importance: 1 | 2 | 3;
  /** Null for the owner of the script. */
  readonly from: Mailbox | null;
}

/** Fields of a URI that are the notification's own, or say what a stranger's URI must not (RFC 5436 §2.7, RFC 6068 §4). */
const NOT_FROM_URI =
  /^(?:from|sender|reply-to|to|cc|bcc|subject|body|date|message-id|received|return-path|auto-submitted|references|in-reply-to|mime-version|content-.*|resent-.*|list-.*|dkim-signature|authentication-results|x-sieve.*)$/i;

/** Importance and X-Priority, as clients know them (RFC 5435 §3.4). */
const IMPORTANCES = {
  1: ['high', '1 (Highest)'],
  2: ['normal', '3 (Normal)'],
  3: ['low', '5 (Lowest)'],
} as const;

/** Characters of a subject that is a script's `:message`; Pigeonhole has the same. */
const LONGEST_SUBJECT = 256;

export function notification(
  words: NotificationWords,
  original: Original,
  owner: Mailbox,
  stamp: Stamp,
): { envelope: Envelope; message: OutgoingMessage } {
  const from = words.from ?? owner;
  const draft = new Draft()
    .words('Auto-Submitted', `auto-notified; owner-email="${quotable(owner.address)}"`)
    .lines(receivedLines(original))
    .stamp(stamp)
    .addresses('From', [from])
    .addresses('To', words.to.map(shown));
  if (words.cc.length > 0) draft.addresses('Cc', words.cc.map(shown));
  draft.text('Subject', shortened(words.subject) ?? textOf(original, 'Subject') ?? 'New mail')
    .lines(threadLines(original).replace(/^In-Reply-To: [^\r]*\r\n/, ''));
  const [importance, priority] = IMPORTANCES[words.importance];
  draft.words('Importance', importance).words('X-Priority', priority).words(
    'X-Sieve',
    `mailstore ${version}`,
  );
  for (const [name, value] of words.fields) {
    if (isFieldName(name) && !NOT_FROM_URI.test(name)) draft.text(capitalized(name), value);
  }
  const addresses = [...new Set([...words.to, ...words.cc, ...words.bcc].map(({ address }) => address))];
  return {
    message: draft.finish(textEntity(words.body ?? excerpt(original))),
    envelope: {
      // A notification about a bounce must not cause another one.
      sender: original.sender === '' ? '' : from.address,
      recipients: addresses.map((address) => ({ address })),
    },
  };
}

function shown({ address, name }: Recipient): Mailbox {
  return { name: name ?? '', address };
}

/** A whole message as a subject is read by nobody. */
function shortened(subject: string | null): string | null {
  if (subject === null || subject.length <= LONGEST_SUBJECT) return subject;
  return `${subject.slice(0, LONGEST_SUBJECT).replace(/[\ud800-\udbff]$/, '')}\u2026`;
}

/** Whose message it is about, where the script says nothing. */
function excerpt(original: Original): string {
  const lines = ['From', 'To', 'Date', 'Subject'].flatMap((name) => {
    const text = textOf(original, name);
    return text === null ? [] : [`${name}: ${oneLine(text)}`];
  });
  return `${lines.join('\r\n')}\r\n`;
}

function capitalized(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

/** An address inside a quoted string of ASCII. */
function quotable(address: string): string {
  return oneLine(address).replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');
}
