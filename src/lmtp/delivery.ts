/** From the end of the data to one reply per recipient (RFC 2033 §4.2), and the log lines that tell of it. */

import type { Arrival, ArrivingRecipient, Verdict } from '../delivery/arrival.ts';
import { asMailError } from '../errors.ts';
import type { DeliveryTarget } from '../store/border.ts';
import type { Dialogue, Recipient, Transaction } from './dialogue.ts';
import { failureReply } from './failure.ts';
import { addressText } from './parse/path.ts';
import type { Reception } from './reception.ts';
import { type Reply, reply } from './write.ts';

interface Outcome extends Verdict {
  readonly answer: Reply;
}

/** Delivers the message of the transaction to all its recipients, answers once per accepted RCPT in their order, and ends the transaction. */
export async function deliver(dialogue: Dialogue, transaction: Transaction): Promise<void> {
  const reception = transaction.reception as Reception;
  // From here on the connection's end no longer takes the message back.
  transaction.reception = null;
  const { messageId, outcomes } = await hand(dialogue, transaction, reception).catch((thrown: unknown) => ({
    messageId: null,
    // Whatever went wrong: the client counts on one reply per recipient.
    outcomes: transaction.recipients.map((): Outcome => ({
      answer: failureReply(thrown, dialogue.settings),
      error: thrown,
    })),
  }));
  for (let index = 0; index < outcomes.length; index++) {
    const outcome = outcomes[index] as Outcome;
    const { answer, result, actions, error } = outcome;
    const recipient = transaction.recipients[index] as Recipient;
    dialogue.log[answer.code < 300 ? 'info' : 'warn'](eventOf(outcome), {
      queueid: transaction.queueId,
      client_queueid: reception.peerQueueId === '' ? undefined : reception.peerQueueId,
      sender: addressText(transaction.sender),
      rcpt: addressText(recipient.address),
      'message-id': messageId ?? undefined,
      user: recipient.target.userid,
      folder: folderText(outcome, recipient.target),
      uid: result?.uid,
      size: reception.size,
      sieve: actions?.join(', '),
      result: `${answer.code} ${answer.status}`,
      error: error === undefined ? undefined : asMailError(error),
    });
    dialogue.say(answer);
  }
  if (dialogue.transaction === transaction) dialogue.transaction = null;
}

async function hand(
  dialogue: Dialogue,
  transaction: Transaction,
  reception: Reception,
): Promise<{ messageId: string | null; outcomes: Outcome[] }> {
  const { settings } = dialogue;
  const { recipients } = transaction;
  const staged = await reception.finish();
  if (!('header' in staged)) {
    return { messageId: null, outcomes: recipients.map(() => ({ answer: staged, error: reception.error })) };
  }
  const { messageId } = staged;
  const verdicts = await dialogue.deliverer.deliver(
    arrivalOf(dialogue, transaction),
    recipients.map(arriving),
    staged,
  );
  return {
    messageId,
    outcomes: verdicts.map((verdict) => ({ ...verdict, answer: answerTo(verdict) })),
  };

  function answerTo({ error, refusal }: Verdict): Reply {
    if (error !== undefined) return failureReply(error, settings);
    // RFC 5429 §2.5
    if (refusal !== undefined) {
      return { code: 550, status: '5.7.1', text: refusal[0] ?? '', more: refusal.slice(1) };
    }
    return reply(250, '2.1.5', `Ok id=${transaction.queueId}`);
  }
}

function arrivalOf(dialogue: Dialogue, transaction: Transaction): Arrival {
  const { queueId, sender, smtputf8, ret, envid, deliverBy, begun, recipients } = transaction;
  return {
    queueId,
    sender: addressText(sender),
    smtputf8,
    remoteAddress: dialogue.connection.unix ? '' : dialogue.connection.remoteAddress,
    clientName: dialogue.clientName,
    auth: dialogue.user,
    ret,
    envid,
    deliverBy,
    begun,
    ignoreQuota: recipients[0]?.ignoreQuota ?? false,
    log: dialogue.log,
  };
}

function arriving({ address, target, notify, originalRecipient }: Recipient): ArrivingRecipient {
  return { address: addressText(address), target, notify, originalRecipient };
}

/** A success without a UID is a message the mailbox has already: the sender may forget it. */
function eventOf({ answer, result, actions, refusal }: Outcome): string {
  if (refusal !== undefined) return 'refused by script';
  if (answer.code >= 300) return 'not delivered';
  if (actions !== undefined) return 'delivered';
  return result?.uid === undefined ? 'duplicate suppressed' : 'delivered';
}

/** For the log, where the external form of the name does not matter. */
function folderText({ result, actions }: Outcome, target: DeliveryTarget): string | undefined {
  if (actions !== undefined) {
    const placed = result?.placed?.map(({ mailbox: { path }, uid }) =>
      `${pathText(path)}${uid === null ? '' : `:${uid}`}`
    );
    return placed === undefined || placed.length === 0 ? undefined : placed.join(' ');
  }
  return pathText((result?.target ?? target).name.path);
}

function pathText(path: string): string {
  return path === '' ? 'INBOX' : `INBOX/${path}`;
}
