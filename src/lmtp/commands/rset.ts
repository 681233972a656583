/** RSET: the transaction is forgotten (RFC 5321 §4.1.1.5). */

import { syntaxError } from '../../errors.ts';
import type { Dialogue } from '../dialogue.ts';
import { reply } from '../write.ts';

export function rset(dialogue: Dialogue, argument: string): void {
  if (argument !== '') throw syntaxError('RSET takes no argument');
  dialogue.reset();
  dialogue.say(reply(250, '2.0.0', 'ok'));
}
