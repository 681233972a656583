/** A message that has arrived for some recipients, and what became of it for each. */

import type { DeliverBy, DsnNotify } from '../outgoing/envelope.ts';
import type { DeliveryResult, DeliveryTarget, Identity } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';

/** What the envelope says of the message. Addresses are Unicode, without brackets. */
export interface Arrival {
  /** Names this transaction in the log, in Received and in messages that come of it. */
  readonly queueId: string;
  /** '' for the null path. */
  readonly sender: string;
  readonly smtputf8: boolean;
  /** The peer that hands it over: its address, '' on a unix socket, and the name it gives. */
  readonly remoteAddress: string;
  readonly clientName: string;
  /** Who logged in to hand it over; null for a trusted peer. */
  readonly auth: Identity | null;
  readonly ret: 'FULL' | 'HDRS' | undefined;
  readonly envid: string | undefined;
  /** Counted from `begun`. */
  readonly deliverBy: DeliverBy | undefined;
  /** Milliseconds since 1970. */
  readonly begun: number;
  readonly ignoreQuota: boolean;
  readonly log: Log;
}

export interface ArrivingRecipient {
  readonly address: string;
  readonly target: DeliveryTarget;
  readonly notify: DsnNotify | undefined;
  /** ORCPT: type and address. */
  readonly originalRecipient: string | undefined;
}

/** What became of it for one recipient; without `error` and `refusal` it is taken. */
export interface Verdict {
  /** Where the store put it; undefined where nobody wanted it kept. */
  readonly result?: DeliveryResult;
  /** What a script did with it, for the log; one word or two each. */
  readonly actions?: readonly string[];
  /** Why it is not taken. */
  readonly error?: unknown;
  /** The script refuses it: what to tell the sender, ASCII. */
  readonly refusal?: readonly string[];
}
