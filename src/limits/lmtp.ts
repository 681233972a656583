import { rows } from './limit.ts';

/** Lmtp: what a delivery may hold. Senders are our own MTAs, but one of them may be broken or borrowed. */
export const lmtpLimits = rows({
  lmtp_line: {
    value: 4 << 10,
    unit: 'bytes',
    reason:
      'RFC 5321 §4.5.3.1.4 asks for 512, its extensions for a little more; rewritten senders (SRS) are long',
    onExcess: 'the rest of the line is dropped and answered with 500 5.5.2; before LHLO the connection ends',
  },
  lmtp_recipients: {
    value: 1_000,
    unit: 'count',
    reason:
      'each costs a lookup, and one delivery is one record of the log; Postfix sends 50, RFC 5321 wants 100',
    onExcess: 'RCPT is answered with 452 4.5.3, the client sends the rest in another transaction',
  },
  lmtp_header: {
    value: 256 << 10,
    unit: 'bytes',
    reason: 'the header is held until it ends, to know what is missing; Postfix passes on 100 KB at most',
    onExcess:
      'what was seen so far decides on Message-ID, Return-Path and hops; the rest goes straight through',
  },
  lmtp_hops: {
    value: 50,
    unit: 'count',
    reason: 'Received or Delivered-To fields of a message (RFC 5321 §6.3); Postfix stops at the same number',
    onExcess: 'the message is answered with 554 5.4.6',
  },
  lmtp_bad_commands: {
    value: 20,
    unit: 'count',
    reason:
      'commands of a connection that are unknown, malformed or out of order; a working client sends none',
    onExcess: '421 4.7.0 and the connection ends; before LHLO or AUTH the first unknown command ends it',
  },
  lmtp_idle: {
    value: 300,
    unit: 'seconds',
    reason: 'RFC 5321 §4.5.3.2.7: at least five minutes for the next command; Postfix reuses connections',
    onExcess: '421 4.4.2 and the connection ends, an unfinished message is forgotten',
  },
  lmtp_waiting_input: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'pipelined commands that arrive while a delivery is being made durable',
    onExcess: 'nothing more is read from the connection until the delivery is answered',
  },
});
