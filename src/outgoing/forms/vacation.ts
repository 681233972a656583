/** The vacation reply (RFC 5230 §5). */

import { decodeHeader } from '../../mime/encodedword.ts';
import { eachField, latin1 } from '../../mime/header.ts';
import type { Envelope, OutgoingMessage } from '../envelope.ts';
import { Draft, type Entity, isFieldName, type Mailbox, type Stamp, textEntity } from './draft.ts';
import { type Original, textOf, threadLines } from './original.ts';

/** What a script says of its reply; Unicode. */
export interface VacationWords {
  /** The text, or with `mime` a MIME entity with its own fields. */
  readonly reason: string;
  readonly mime: boolean;
  /** Null for `Auto: ` and the original's. */
  readonly subject: string | null;
  /** Null for the owner of the script. */
  readonly from: Mailbox | null;
}

/**
 * @param owner the address of the script's owner
 * @param sender what to say to MAIL FROM; '' as RFC 5230 §5.1 wants it
 */
export function vacationReply(
  words: VacationWords,
  original: Original,
  owner: Mailbox,
  sender: string,
  stamp: Stamp,
): { envelope: Envelope; message: OutgoingMessage } {
  const subject = textOf(original, 'Subject')?.trim();
  const message = new Draft()
    .addresses('From', [words.from ?? owner])
    .addresses('To', [{ name: '', address: original.sender }])
    .text(
      'Subject',
      shortened(
        words.subject === null
          ? subject === undefined || subject === '' ? 'Automated reply' : `Auto: ${subject}`
          : decodeHeader(Buffer.from(words.subject).toString('latin1')),
      ),
    )
    .stamp(stamp)
    .lines(threadLines(original))
    .words('Auto-Submitted', 'auto-replied (vacation)')
    // For responders that look for nothing else.
    .words('Precedence', 'bulk')
    .words('X-Auto-Response-Suppress', 'All')
    .finish(words.mime ? mimeEntity(words.reason) : textEntity(words.reason));
  return {
    message,
    // §5.1: nobody wants to hear of a reply that did not arrive.
    envelope: { sender, recipients: [{ address: original.sender, notify: ['NEVER'] }] },
  };
}

/** Longest subject, in characters: that of a reply repeats what a stranger wrote. */
const LONGEST_SUBJECT = 256;

function shortened(text: string): string {
  const characters = [...text];
  return characters.length <= LONGEST_SUBJECT
    ? text
    : characters.slice(0, LONGEST_SUBJECT - 1).join('') + '…';
}

/** The fields of the reason that describe its body, and no others: it is a MIME part, not a message (§4.5). */
function mimeEntity(reason: string): Entity {
  const text = Buffer.from(reason.replace(/\r\n|\r|\n/g, '\r\n'), 'utf8');
  let fields = '';
  const end = eachField(text, (start, nameEnd, _valueStart, fieldEnd) => {
    const name = latin1(text, start, nameEnd);
    const field = latin1(text, start, fieldEnd);
    if (isFieldName(name) && /^content-/i.test(name) && /^[\x01-\x7f]*$/.test(field)) {
      fields += field.endsWith('\r\n') ? field : `${field}\r\n`;
    }
  });
  if (fields === '') return textEntity(reason);
  return { fields, body: latin1(text, Math.min(text.length, end + 2), text.length) };
}
