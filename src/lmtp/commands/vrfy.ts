/** VRFY address: whether mail for it would be taken (RFC 5321 §3.5, §4.1.1.6). */

import { syntaxError } from '../../errors.ts';
import type { Dialogue } from '../dialogue.ts';
import { failureReply } from '../failure.ts';
import { reply } from '../write.ts';
import { findTarget, readRecipient } from './rcpt.ts';

export function vrfy(dialogue: Dialogue, argument: string): void {
  if (argument === '') throw syntaxError('VRFY needs an address');
  if (!dialogue.trusted && dialogue.user === null) {
    // RFC 5321 §7.3: strangers learn nothing about who is here.
    dialogue.say(reply(252, '2.5.2', 'Cannot verify the user, but will take mail for one'));
    return;
  }
  // RFC 6531 §3.7.4.2: VRFY may end with SMTPUTF8.
  const parameter = / +SMTPUTF8$/i.exec(argument);
  const smtputf8 = parameter !== null && !dialogue.settings.reject8bit;
  const text = smtputf8 ? argument.slice(0, parameter.index) : argument;
  const path = readRecipient(text.startsWith('<') ? text : `<${text}>`, smtputf8);
  if ('code' in path) return dialogue.say(path);
  dialogue.wait(
    findTarget(dialogue, path, null).then(
      () => dialogue.say(reply(250, '2.1.5', path.address)),
      (thrown: unknown) => dialogue.say(failureReply(thrown, dialogue.settings)),
    ),
  );
}
