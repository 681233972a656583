/** QUIT (RFC 5321 §4.1.1.10). What was pipelined behind it is not read. */

import { syntaxError } from '../../errors.ts';
import type { Dialogue } from '../dialogue.ts';
import { reply } from '../write.ts';

export function quit(dialogue: Dialogue, argument: string): void {
  if (argument !== '') throw syntaxError('QUIT takes no argument');
  dialogue.reset();
  dialogue.say(reply(221, '2.0.0', 'bye'));
  dialogue.close();
}
