/** From the end of the data to one reply per recipient (RFC 2033 §4.2), and the log lines that tell of it. */

import { asMailError } from '../errors.ts';
import type { DeliveryResult, DeliveryTarget } from '../store/border.ts';
import type { Dialogue, Transaction } from './dialogue.ts';
import { failureReply } from './failure.ts';
import type { Reception } from './reception.ts';
import { addressText } from './parse/path.ts';
import { type Reply, reply } from './write.ts';

interface Outcome {
  readonly answer: Reply;
  readonly result?: DeliveryResult;
  readonly error?: unknown;
}

/**
 * Delivers the message of the transaction to all its recipients as one change of the store, answers once per
 * accepted RCPT in their order, and ends the transaction. A mailbox that several recipients stand for gets the
 * message once.
 */
export async function deliver(dialogue: Dialogue, transaction: Transaction): Promise<void> {
  const reception = transaction.reception as Reception;
  // From here on the connection's end no longer takes the message back.
  transaction.reception = null;
  const { messageId, outcomes } = await store(dialogue, transaction, reception).catch((thrown: unknown) => ({
    messageId: null,
    // Whatever went wrong: the client counts on one reply per recipient.
    outcomes: transaction.recipients.map((): Outcome => ({
      answer: failureReply(thrown, dialogue.settings),
      error: thrown,
    })),
  }));
  for (let index = 0; index < outcomes.length; index++) {
    const { answer, result, error } = outcomes[index] as Outcome;
    const recipient = transaction.recipients[index] as Transaction['recipients'][number];
    dialogue.log[answer.code < 300 ? 'info' : 'warn'](eventOf(answer, result), {
      queueid: transaction.queueId,
      client_queueid: reception.peerQueueId === '' ? undefined : reception.peerQueueId,
      sender: addressText(transaction.sender),
      rcpt: addressText(recipient.address),
      'message-id': messageId ?? undefined,
      user: recipient.target.userid,
      folder: folderText(result?.target ?? recipient.target),
      uid: result?.uid,
      size: reception.size,
      result: `${answer.code} ${answer.status}`,
      error: error === undefined ? undefined : asMailError(error),
    });
    dialogue.say(answer);
  }
  if (dialogue.transaction === transaction) dialogue.transaction = null;
}

async function store(
  dialogue: Dialogue,
  transaction: Transaction,
  reception: Reception,
): Promise<{ messageId: string | null; outcomes: Outcome[] }> {
  const { recipients } = transaction;
  const ignoreQuota = recipients[0]?.ignoreQuota ?? false;
  const all = (outcome: Outcome) => recipients.map(() => outcome);
  const staged = await reception.finish();
  if (!('header' in staged)) {
    return { messageId: null, outcomes: all({ answer: staged, error: reception.error }) };
  }
  const { messageId } = staged;
  const places = new Map<string, number>();
  const targets: DeliveryTarget[] = [];
  for (const { target } of recipients) {
    const key = placeKey(target);
    if (places.has(key)) continue;
    places.set(key, targets.length);
    targets.push(target);
  }
  let results: DeliveryResult[];
  try {
    const deliveries = targets.map((target) => ({ target, message: staged }));
    results = await dialogue.store.deliver(deliveries, { ignoreQuota });
  } catch (thrown) {
    staged.abort();
    return { messageId, outcomes: all({ answer: failureReply(thrown, dialogue.settings), error: thrown }) };
  }
  const delivered = reply(250, '2.1.5', `Ok id=${transaction.queueId}`);
  const outcomes = recipients.map(({ target }): Outcome => {
    const result = results[places.get(placeKey(target)) as number];
    if (result !== undefined && result.error === undefined) return { answer: delivered, result };
    const error = result?.error ?? new Error('the store gave no result for this recipient');
    return { answer: failureReply(error, dialogue.settings), error };
  });
  return { messageId, outcomes };
}

/** A success without a UID is a message the mailbox has already: the sender may forget it. */
function eventOf(answer: Reply, result: DeliveryResult | undefined): string {
  if (answer.code >= 300) return 'not delivered';
  return result?.uid === undefined ? 'duplicate suppressed' : 'delivered';
}

/** Same text for the same mailbox; a path never holds a NUL. */
function placeKey(target: DeliveryTarget): string {
  return `${target.name.owner}\0${target.name.path}`;
}

/** For the log, where the external form of the name does not matter. */
function folderText(target: DeliveryTarget): string {
  return target.name.path === '' ? 'INBOX' : `INBOX/${target.name.path}`;
}
