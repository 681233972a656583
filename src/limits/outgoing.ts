import { rows } from './limit.ts';

/** Outgoing: what mail of our own may take of time and of the local MTA. */
export const outgoingLimits = rows({
  outgoing_reply: {
    value: 120,
    unit: 'seconds',
    reason:
      'a local MTA answers at once; RFC 5321 §4.5.3.2 would wait five minutes, but a delivery waits behind this and its client ' +
      'ten minutes at most',
    onExcess: 'the connection is given up: a temporary failure for every recipient without an answer',
  },
  outgoing_transaction: {
    value: 300,
    unit: 'seconds',
    reason:
      'one message from connecting to the last reply; what waits for it must itself answer within ten minutes',
    onExcess: 'the connection is given up: a temporary failure for every recipient without an answer',
  },
  outgoing_courtesy: {
    value: 20,
    unit: 'seconds',
    reason:
      'vacation replies, notifications and notices: nothing is lost with them, and a delivery waits behind them',
    onExcess: 'the message is given up and logged',
  },
  outgoing_connections: {
    value: 20,
    unit: 'count',
    reason:
      'connections to the MTA a worker has at once; Postfix takes 50 from a client (smtpd_client_connection_count_limit)',
    onExcess: 'further messages wait for one of them, within their own time',
  },
  outgoing_recipients: {
    value: 100,
    unit: 'count',
    reason: 'recipients of one transaction (RFC 5321 §4.5.3.1.8: at least 100)',
    onExcess: 'the rest goes in another transaction',
  },
});
