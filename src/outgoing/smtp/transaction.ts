/** One message over one connection: MAIL, RCPT, and BDAT where it is there, else DATA (RFC 5321 §3.3, 2920, 3030). */

import { asMailError } from '../../errors.ts';
import type { Wire } from '../../net/wire.ts';
import type { Envelope, Outcome, OutgoingMessage } from '../envelope.ts';
import type { SmtpCommands } from './commands.ts';
import { DataEncoder } from './data.ts';
import {
  type Extensions,
  international,
  mailCommand,
  needsSmtpUtf8,
  rcptCommand,
  takesDeliverBy,
} from './parameters.ts';
import type { SmtpReply } from './reply.ts';

/** Recipients whose commands are sent without waiting for the answers of those before (RFC 2920 §3.1: mind the window). */
const GROUP = 50;

/**
 * Hands over a message. Never throws: who has no answer when the connection breaks has a temporary failure.
 * @returns an outcome per recipient, in their order
 */
export async function transact(
  wire: Wire,
  commands: SmtpCommands,
  extensions: Extensions,
  envelope: Envelope,
  message: OutgoingMessage,
): Promise<Outcome[]> {
  const outcomes = envelope.recipients.map((): Outcome | undefined => undefined);
  const settle = (of: (address: string) => Outcome) =>
    envelope.recipients.map(({ address }, at) => outcomes[at] ?? of(address));
  const refused = unsendable(envelope, message, extensions);
  if (refused !== null) {
    return settle((address) => ({ address, kind: 'permanent', status: '5.6.7', text: refused }));
  }
  const { deliverBy } = envelope;
  const untimed = deliverBy !== undefined && !takesDeliverBy(deliverBy, extensions);
  if (untimed && deliverBy.mode === 'return') {
    // RFC 2852 §4.1.4.1: it must not go to a server that would not return it in time.
    const text = 'the server does not say that it delivers in time or returns (DELIVERBY)';
    return settle((address) => ({ address, kind: 'permanent', status: '5.4.7', text }));
  }
  try {
    const mail = mailCommand(envelope, message, extensions);
    const pipelining = extensions.has('PIPELINING');
    const rcpts = envelope.recipients.map((recipient) => rcptCommand(recipient, envelope, extensions));
    const first = pipelining ? rcpts.splice(0, GROUP) : [];
    commands.pipeline([mail, ...first]);
    const sender = await commands.read();
    let at = 0;
    const take = (reply: SmtpReply): void => {
      const address = envelope.recipients[at]?.address ?? '';
      if (reply.code >= 300) outcomes[at] = outcomeOf(address, reply);
      at++;
    };
    for (let left = first.length; left > 0; left--) take(await commands.read());
    if (sender.code >= 300) return settleAll(sender);
    while (rcpts.length > 0) {
      const group = rcpts.splice(0, pipelining ? GROUP : 1);
      commands.pipeline(group);
      for (let left = group.length; left > 0; left--) take(await commands.read());
    }
    if (outcomes.every((outcome) => outcome !== undefined)) return settle(never);
    const last = extensions.has('CHUNKING')
      ? await sendChunk(wire, commands, message)
      : await sendData(wire, commands, message);
    return settle((address) => {
      const outcome = outcomeOf(address, last);
      return untimed && outcome.kind === 'sent' ? { ...outcome, untimed } : outcome;
    });
  } catch (thrown) {
    wire.destroy();
    const text = asMailError(thrown).message;
    return settle((address) => ({ address, kind: 'temporary', status: '4.4.2', text }));
  }

  function settleAll(reply: SmtpReply): Outcome[] {
    return envelope.recipients.map(({ address }) => outcomeOf(address, reply));
  }
}

/** Why the server cannot take it whatever it says; null where it may. */
function unsendable(envelope: Envelope, message: OutgoingMessage, extensions: Extensions): string | null {
  if (extensions.has('SMTPUTF8') || !needsSmtpUtf8(envelope, message)) return null;
  const odd = [envelope.sender, ...envelope.recipients.map(({ address }) => address)].find(international);
  return `the server does not take ${
    odd === undefined ? 'international headers' : `the address ${odd}`
  } (SMTPUTF8)`;
}

/** RFC 3030 §2: the bytes as they are, whatever their line ends. */
async function sendChunk(wire: Wire, commands: SmtpCommands, message: OutgoingMessage): Promise<SmtpReply> {
  commands.pipeline([`BDAT ${message.size} LAST`]);
  for (const chunk of message.chunks()) await write(wire, chunk);
  return await commands.read();
}

async function sendData(wire: Wire, commands: SmtpCommands, message: OutgoingMessage): Promise<SmtpReply> {
  const go = await commands.say('DATA');
  if (go.code !== 354) return go;
  const encoder = new DataEncoder({ bareCr: 'end' });
  for (const chunk of message.chunks()) {
    await write(wire, encoder.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)));
  }
  await write(wire, encoder.end());
  return await commands.read();
}

async function write(wire: Wire, bytes: Uint8Array): Promise<void> {
  if (bytes.length > 0 && !wire.write(bytes)) await wire.drained();
}

/** 421 to 4yz: later; 5yz: never. What is no answer to the question (2yz or 3yz in the wrong place) is nobody's delivery. */
function outcomeOf(address: string, { code, status, text }: SmtpReply): Outcome {
  if (code >= 200 && code < 300) {
    return { address, kind: 'sent', status: status || '2.0.0', text: `${code} ${text}` };
  }
  const kind = code >= 500 ? 'permanent' : 'temporary';
  return {
    address,
    kind,
    status: status || (code >= 500 ? '5.0.0' : '4.0.0'),
    text: `${code} ${status} ${text}`,
  };
}

function never(address: string): Outcome {
  return { address, kind: 'temporary', status: '4.3.0', text: 'no answer' };
}
