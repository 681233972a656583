/** What is to be done with a message for one recipient: the decisions of a script in the terms of store and MTA. */

import type { Envelope, OutgoingMessage } from '../outgoing/envelope.ts';
import type { ProgramCall } from '../sieve/host.ts';
import type { Content } from '../sieve/result.ts';
import type { Mark, Placement } from '../store/border.ts';

/** A message that leaves. */
export interface Sending {
  /** For the log: `redirect anna@example.org`. */
  readonly what: string;
  readonly envelope: Envelope;
  readonly message: OutgoingMessage;
  /**
   * Of a forward: set once it is sent, so that it is not sent again when the message comes again. Of a courtesy: set before, and
   * taken back where it could not be sent; one that is fresh and set by somebody else meanwhile means that it is not sent.
   */
  readonly mark: Mark | null;
  /** Where a copy goes once it is sent (RFC 8580). */
  readonly fcc?: Placement;
}

/** Copies of the message as it was at one moment. */
export interface Filing {
  readonly content: Content;
  readonly placements: Placement[];
}

/** A program that gets the message. */
export interface Pipe {
  readonly call: ProgramCall;
  /** If it fails the message is kept; else that is an error of the script as well. */
  readonly attempt: boolean;
}

export interface Plan {
  readonly filings: Filing[];
  /** Set together with the copies. */
  readonly marks: Mark[];
  /** Sent before the message is stored: unless they are on their way, it is not taken. */
  readonly forwards: Sending[];
  /** Programs that get the message, after the forwards. */
  readonly pipes: Pipe[];
  /** Sent once it is: nothing is lost with them. */
  readonly courtesies: Sending[];
  /** What to tell the sender; null unless the script refuses the message. */
  refusal: readonly string[] | null;
  /** For the log. */
  readonly actions: string[];
}

export function emptyPlan(): Plan {
  return { filings: [], marks: [], forwards: [], pipes: [], courtesies: [], refusal: null, actions: [] };
}
