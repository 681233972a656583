/** What the owner of a script is told when it could not be run to its end. */

import { oneLine } from '../../mime/encode.ts';
import type { OutgoingMessage } from '../envelope.ts';
import { Draft, type Stamp, textEntity } from './draft.ts';
import { type Original, textOf } from './original.ts';

/**
 * A message for the owner's INBOX.
 * @param problem one line: where and why, as `script, line 3: …`
 */
export function scriptNotice(
  problem: string,
  original: Original,
  owner: string,
  postmaster: string,
  stamp: Stamp,
): OutgoingMessage {
  const about = ['From', 'Subject', 'Date'].flatMap((name) => {
    const text = textOf(original, name);
    return text === null ? [] : [`  ${name}: ${oneLine(text)}`];
  });
  const text = 'Your Sieve script could not be run to its end:\r\n\r\n' +
    `  ${oneLine(problem)}\r\n\r\n` +
    'The message it was run for is in your INBOX; nothing of what the script had decided was done:\r\n\r\n' +
    `${about.join('\r\n')}\r\n\r\n` +
    'Until the script is mended, mail is kept in your INBOX where this happens again. You are told of it once a day\r\n' +
    'at most.\r\n';
  return new Draft()
    .addresses('From', [{ name: 'Mail Sieve Subsystem', address: postmaster }])
    .addresses('To', [{ name: '', address: owner }])
    .text('Subject', 'Error in your Sieve script')
    .stamp(stamp)
    .words('Auto-Submitted', 'auto-generated (sieve error)')
    .finish(textEntity(text));
}
