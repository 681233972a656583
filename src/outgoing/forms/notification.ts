/** The message of `notify` with a mailto URI (RFC 5436 §2.7). */

import { oneLine } from '../../mime/encode.ts';
import type { Envelope, OutgoingMessage } from '../envelope.ts';
import { Draft, isFieldName, type Mailbox, type Stamp, textEntity } from './draft.ts';
import { type Original, receivedLines, textOf, threadLines } from './original.ts';

/** What a script and its URI say; Unicode. */
export interface NotificationWords {
  /** Addresses of the URI and of its `to` fields. */
  readonly to: readonly string[];
  readonly cc: readonly string[];
  /** Not shown. */
  readonly bcc: readonly string[];
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
    .addresses('To', words.to.map((address) => ({ name: '', address })));
  if (words.cc.length > 0) draft.addresses('Cc', words.cc.map((address) => ({ name: '', address })));
  draft.text('Subject', words.subject ?? textOf(original, 'Subject') ?? 'New mail')
    .lines(threadLines(original).replace(/^In-Reply-To: [^\r]*\r\n/, ''));
  if (words.importance !== 2) {
    draft.words('Importance', words.importance === 1 ? 'high' : 'low')
      .words('X-Priority', words.importance === 1 ? '1 (Highest)' : '5 (Lowest)');
  }
  for (const [name, value] of words.fields) {
    if (isFieldName(name) && !NOT_FROM_URI.test(name)) draft.text(capitalized(name), value);
  }
  const addresses = [...new Set([...words.to, ...words.cc, ...words.bcc])];
  return {
    message: draft.finish(textEntity(words.body ?? excerpt(original))),
    envelope: {
      // A notification about a bounce must not cause another one.
      sender: original.sender === '' ? '' : from.address,
      recipients: addresses.map((address) => ({ address })),
    },
  };
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
