/** Making transactions and the receptions of their messages. */

import { failureReply } from './failure.ts';
import type { Dialogue, Transaction } from './dialogue.ts';
import { Reception } from './reception.ts';
import { traceLines } from './trace.ts';

/** Unique among all processes and restarts of this machine: start time, process, serial number. */
const PROCESS = `${Date.now().toString(36)}${process.pid.toString(36)}`;
let serial = 0;

/** A name for one delivery, for Received, the log and the Message-ID where there is none. */
export function newQueueId(): string {
  return `${PROCESS}.${(++serial).toString(36)}`;
}

/** Opens the store's stage for the message of this transaction; never throws, see `Reception.refusal`. */
export function openReception(dialogue: Dialogue, transaction: Transaction): Reception {
  const { connection, settings } = dialogue;
  // RFC 3030 §3: BINARYMIME preserves all bits of each octet.
  const binary = transaction.body === 'BINARYMIME';
  const reception = new Reception({
    // The bound on the size is ours: it counts what was sent, not the lines in front (RFC 1870 §5).
    stage: () => dialogue.store.stage(0),
    maxSize: settings.maxmessagesize,
    refuseBareLf: settings.lmtp_bare_lf === 'refuse' && !binary,
    refuseNul: settings.lmtp_nul === 'refuse' && !binary,
    refuse8bitHeader: settings.reject8bit,
    // RFC 6531: with SMTPUTF8 the bytes of the header are text.
    munge8bitHeader: settings.munge8bit && !transaction.smtputf8,
    trace: (addMessageId) =>
      traceLines({
        sender: transaction.sender,
        clientName: dialogue.clientName,
        clientAddress: connection.unix ? '' : connection.remoteAddress,
        servername: settings.servername,
        queueId: transaction.queueId,
        authenticated: dialogue.user !== null,
        tls: connection.tls === undefined
          ? ''
          : `${connection.tls.version} with cipher ${connection.tls.cipher}`,
        smtputf8: transaction.smtputf8,
        now: new Date(),
      }, addMessageId),
    failure: (thrown) => failureReply(thrown, settings),
  });
  transaction.reception = reception;
  return reception;
}
