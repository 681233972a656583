/** BDAT size [LAST]: exactly so many octets of the message (RFC 3030 §2, RFC 2033 §4.3). */

import { deliver } from '../delivery.ts';
import type { Dialogue, Transaction } from '../dialogue.ts';
import { parseOctets } from '../parse/parameters.ts';
import { openReception } from '../transaction.ts';
import { type Reply, reply } from '../write.ts';
import { NO_RECIPIENTS, SAY_MAIL } from './sequence.ts';

export function bdat(dialogue: Dialogue, argument: string): void {
  const found = /^([0-9]+)(?: +(LAST))?$/i.exec(argument);
  const size = found === null ? null : parseOctets(found[1] as string);
  if (found === null || size === null) {
    // How many octets follow is not known, and none of them may be read as a command.
    dialogue.say(
      reply(501, '5.5.4', 'Expected BDAT size [LAST]; closing, the size of the chunk is not known'),
    );
    dialogue.close();
    return;
  }
  const last = found[2] !== undefined;
  const { transaction } = dialogue;
  const refusal = begin(dialogue, transaction);
  if (refusal !== null || transaction === null) {
    // RFC 3030 §2: a chunk that is refused is read and forgotten before the answer.
    dialogue.readChunk(size, () => {}, () => {
      // RFC 2033 §4.3: LAST is answered once per accepted recipient, and there is none.
      if (last && transaction !== null) dialogue.reset();
      else throw refusal ?? SAY_MAIL;
    });
    return;
  }
  const reception = transaction.reception;
  if (reception === null) return;
  dialogue.readChunk(size, (bytes) => reception.write(bytes), () => {
    if (last) dialogue.wait(deliver(dialogue, transaction));
    else dialogue.say(reception.refusal ?? received(size));
  });
}

/** Opens the reception with the first chunk; what is wrong with the transaction otherwise. */
function begin(dialogue: Dialogue, transaction: Transaction | null): Error | null {
  if (transaction === null) return SAY_MAIL;
  if (transaction.recipients.length === 0) return NO_RECIPIENTS;
  if (transaction.reception === null) openReception(dialogue, transaction);
  return null;
}

function received(size: number): Reply {
  return reply(250, '2.0.0', `${size} octets received`);
}
