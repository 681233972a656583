/** A client's bytes through a receiver, and what came of them. */

import { AUTHENTICATED_LIMITS, type ReceivedCommand } from '../../../src/imap/parse/received.ts';
import type { ReceiverLimits } from '../../../src/imap/parse/received.ts';
import { Receiver } from '../../../src/imap/parse/receiver.ts';
import type { Random } from '../../harness/random.ts';

/** What a receiver made of some bytes, in short. */
export interface Outcome {
  readonly commands: ReceivedCommand[];
  /** Messages of APPEND, one char per byte. */
  readonly messages: string[];
  /** One word per event: `command a1`, `refused a2 toobig`, `fatal`, `continue`, `message a3 10`, `line x`. */
  readonly events: string[];
}

/** A receiver that accepts every message, fed in pieces. */
export class Client {
  readonly receiver = new Receiver();
  readonly outcome: Outcome = { commands: [], messages: [], events: [] };
  /** Bytes the receiver held at most after it took what it could. */
  held = 0;

  constructor(limits: ReceiverLimits = AUTHENTICATED_LIMITS) {
    this.receiver.limits = limits;
  }

  /** Feeds latin1 text. */
  send(text: string): this {
    this.receiver.push(Buffer.from(text, 'latin1'));
    const { commands, messages, events } = this.outcome;
    for (let event = this.receiver.next(); event !== undefined; event = this.receiver.next()) {
      switch (event.type) {
        case 'command':
          commands.push(event.command);
          events.push(`command ${event.command.tag}`);
          break;
        case 'message': {
          events.push(`message ${event.command.tag} ${event.size}`);
          const index = messages.push('') - 1;
          this.receiver.acceptMessage({
            write: (bytes) => {
              messages[index] += Buffer.from(bytes).toString('latin1');
            },
          });
          break;
        }
        case 'refused':
          events.push(`refused ${event.tag} ${event.error.code}`);
          if (event.fatal) events.push('fatal');
          break;
        case 'line':
          events.push(`line ${event.text}`);
          break;
        case 'continue':
          events.push('continue');
      }
    }
    this.held = Math.max(this.held, this.receiver.buffered);
    return this;
  }

  /** Feeds latin1 text cut at arbitrary places. */
  sendInPieces(text: string, random: Random): this {
    let at = 0;
    while (at < text.length) {
      const end = at + 1 + random.below(random.pick([1, 3, 20, 1000]));
      this.send(text.slice(at, end));
      at = end;
    }
    return this;
  }
}

/** What the receiver makes of `text` sent at once. */
export function receive(text: string, limits?: ReceiverLimits): Outcome {
  return new Client(limits).send(text).outcome;
}
