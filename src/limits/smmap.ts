import { rows } from './limit.ts';

/** Smmap: what an MTA that asks about recipients may hold. */
export const smmapLimits = rows({
  smmap_request: {
    value: 2_048,
    unit: 'bytes',
    reason: 'a name of a map and an address; those of RFC 5321 have 256 octets, rewritten ones (SRS) more',
    onExcess: 'PERM, and the connection is closed',
  },
  smmap_waiting_input: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'questions that arrive while one is answered; Postfix asks one at a time',
    onExcess: 'the connection is not read until the questions have been answered',
  },
  smmap_seconds: {
    value: 20,
    unit: 'seconds',
    reason: 'the sender waits for the answer to RCPT; Postfix gives up after 100',
    onExcess: 'TIMEOUT: the MTA tells the sender to try again',
  },
  smmap_idle: {
    value: 360,
    unit: 'seconds',
    reason: 'an MTA keeps the connection for the next question; Cyrus waits as long',
    onExcess: 'the connection is closed, the MTA opens another',
  },
});
