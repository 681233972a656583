/** NOOP, with an argument that means nothing (RFC 5321 §4.1.1.9). */

import type { Dialogue } from '../dialogue.ts';
import { reply } from '../write.ts';

export function noop(dialogue: Dialogue): void {
  dialogue.say(reply(250, '2.0.0', 'ok'));
}
