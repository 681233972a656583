/**
 * What THREAD compares (RFC 5256 §3): message ids and base subjects. Nobody asks more of them than whether two are the same, so
 * each is kept as a key of 66 bits, and a message's are one short text: computed once, when the message is stored.
 *
 *     thread   = subject id *key
 *     subject  = "-" / ("s" / "r") key       ; none left, the base subject, that of a reply or forward
 *     id       = "-" / "i" key               ; the message's own
 *     key      = 11 base64url characters     ; of the SHA-256 of what it stands for
 *
 * The keys behind are those the message refers to, oldest first: References, or In-Reply-To where that has none.
 */

import { limits } from '../limits.ts';
import { decodeHeader } from './encodedword.ts';
import { fold } from './fold.ts';
import { firstId, referenceIds } from './messageid.ts';
import { splitSubject } from './subject.ts';

const KEY = 11;

/** The fields of a message that matter for threads, unfolded, latin1. */
export interface ThreadFields {
  readonly subject: string | null;
  readonly messageId: string | null;
  readonly inReplyTo: string | null;
  readonly references: string | null;
}

/** The same as keys. */
export interface Threading {
  /** Key of the folded base subject; empty where nothing is left of the subject. */
  readonly subject: string;
  /** The subject is that of a reply or forward. */
  readonly reply: boolean;
  readonly id: string | null;
  readonly references: readonly string[];
}

/** The text that is stored. */
export function threadKeys({ subject, messageId, inReplyTo, references }: ThreadFields): string {
  const { base, reply } = splitSubject(decodeHeader(subject ?? ''));
  let text = base === ''
    ? '-'
    : `${reply ? 'r' : 's'}${key(fold(base.slice(0, limits.imap_sort_text.value)))}`;
  const own = firstId(messageId);
  text += own === null ? '-' : `i${key(own)}`;
  const ids = referenceIds(references);
  for (const id of ids) text += key(id);
  const parent = ids.length > 0 ? null : firstId(inReplyTo);
  return parent === null ? text : text + key(parent);
}

/** Reads what `threadKeys` made. */
export function readThread(text: string): Threading {
  let at = 1;
  const mark = text.charAt(0);
  const subject = mark === '-' ? '' : text.slice(at, at += KEY);
  const id = text.charAt(at++) === 'i' ? text.slice(at, at += KEY) : null;
  const references: string[] = [];
  for (; at < text.length; at += KEY) references.push(text.slice(at, at + KEY));
  return { subject, reply: mark === 'r', id, references };
}

function key(text: string): string {
  return Bun.SHA256.hash(text, 'base64url').slice(0, KEY);
}
