/** DATA: the message up to CRLF.CRLF, then one reply per recipient (RFC 5321 §4.1.1.4, RFC 2033 §4.2). */

import { syntaxError } from '../../errors.ts';
import { deliver } from '../delivery.ts';
import type { Dialogue } from '../dialogue.ts';
import { openReception } from '../transaction.ts';
import { reply } from '../write.ts';
import { BINARY_NEEDS_BDAT, DATA_AFTER_BDAT, NO_RECIPIENTS, SAY_MAIL } from './sequence.ts';

const GO_AHEAD = reply(354, '', 'go ahead');

export function data(dialogue: Dialogue, argument: string): void {
  const { transaction } = dialogue;
  if (argument !== '') throw syntaxError('DATA takes no argument');
  if (transaction === null) throw SAY_MAIL;
  if (transaction.reception !== null) throw DATA_AFTER_BDAT;
  if (transaction.recipients.length === 0) throw NO_RECIPIENTS;
  if (transaction.body === 'BINARYMIME') throw BINARY_NEEDS_BDAT;
  const reception = openReception(dialogue, transaction);
  if (reception.refusal !== null) {
    transaction.reception = null;
    return dialogue.say(reception.refusal);
  }
  dialogue.say(GO_AHEAD);
  dialogue.readData(
    (bytes) => reception.write(bytes),
    () => dialogue.wait(deliver(dialogue, transaction)),
  );
}
