/** STARTTLS (RFC 3207). */

import { syntaxError } from '../../errors.ts';
import type { Dialogue } from '../dialogue.ts';
import { reply } from '../write.ts';

export function starttls(dialogue: Dialogue, argument: string): void {
  const { connection } = dialogue;
  if (argument !== '') throw syntaxError('STARTTLS takes no argument');
  if (connection.secure) throw syntaxError('TLS is on already', 'clientbug');
  if (!connection.canStartTls) {
    // RFC 5321 §4.2.4: known but not implemented here, as it was not offered.
    dialogue.say(reply(502, '5.5.1', 'TLS is not configured'));
    return;
  }
  dialogue.say(reply(220, '2.0.0', 'Begin TLS negotiation now'));
  dialogue.startTls();
}
