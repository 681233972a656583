import { rows } from './limit.ts';

/** Delivery: what a worker keeps of scripts, and what they may cause. */
export const deliveryLimits = rows({
  delivery_returned: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'a message goes back with the report about it; of a larger one its header does',
    onExcess: 'the report has the header alone (RFC 6522 §4)',
  },
  delivery_redirect_memory: {
    value: 6 * 86_400,
    unit: 'seconds',
    reason:
      'where a message was forwarded to, so that it is not sent there again: an MTA tries for five days (Postfix)',
    onExcess: 'forgotten by the expiry run',
  },
  delivery_duplicate: {
    value: 7 * 86_400,
    unit: 'seconds',
    reason:
      'what the test "duplicate" remembers where the script does not say for how long (RFC 7352 §3.3: site-defined)',
    onExcess: 'forgotten by the expiry run',
  },
  delivery_vacation: {
    value: 7 * 86_400,
    unit: 'seconds',
    reason:
      'between two replies to the same sender where the script does not say (RFC 5230 §4.1, Cyrus: 7 days)',
    onExcess: 'the sender is answered again',
  },
  delivery_scripts: {
    value: 20,
    unit: 'count',
    reason:
      'recipients of a message whose scripts are at work at once: as many as there are connections to the MTA, for whose answers they wait',
    onExcess: 'the others wait for one of them',
  },
  delivery_edited: {
    value: 64 << 20,
    unit: 'bytes',
    reason:
      'what scripts at work at once may make of a message: each may change all of it, and hold what it was beside',
    onExcess: 'fewer scripts are at work at once, at least one',
  },
  delivery_turn: {
    value: 1 << 20,
    unit: 'bytes',
    reason:
      'what is written of a changed message before other connections have their turn: some milliseconds with its digest',
    onExcess: 'the rest is written in later turns of the event loop',
  },
  delivery_program_seconds: {
    value: 10,
    unit: 'seconds',
    reason: 'a program that a script runs; a delivery waits behind it (Dovecot: 10)',
    onExcess: 'it is killed, which the script sees as its failure; a message that was for it is kept',
  },
  delivery_programs_running: {
    value: 10,
    unit: 'count',
    reason: 'programs a worker runs at once; each is a process, and may learn from spam for a second',
    onExcess: 'further ones wait for the end of one of them',
  },
  delivery_programs_user: {
    value: 4,
    unit: 'count',
    reason: "of these one user's at once: slow programs of one hold up nobody else's mail",
    onExcess: 'further ones wait for the end of one of them',
  },
  delivery_events: {
    value: 20_000,
    unit: 'count',
    reason: 'messages whose event scripts wait in a worker; a user may move a whole mailbox at once',
    onExcess: 'their scripts are not run, and the log says for how many',
  },
  delivery_list: {
    value: 4 << 20,
    unit: 'bytes',
    reason:
      'the file of an external list, held by each worker that was asked: some hundred thousand addresses',
    onExcess: 'it counts as unreadable: the list is what it was before, or scripts that ask it fail',
  },
  delivery_notifications: {
    value: 30,
    unit: 'count',
    reason:
      "notifications that one user's scripts may cause in an hour, per worker (RFC 5436 §5 names this number)",
    onExcess: 'nobody is notified; the message is delivered, and the log says so',
  },
  delivery_notifiers: {
    value: 100_000,
    unit: 'count',
    reason: 'users whose notifications a worker counts; each takes some hundred bytes',
    onExcess: 'counting begins anew for all',
  },
  delivery_notice: {
    value: 86_400,
    unit: 'seconds',
    reason: 'a script that fails for one message fails for many; its owner is told of it once a day',
    onExcess: 'further failures are logged, their messages kept',
  },
});
