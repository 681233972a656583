import { rows } from './limit.ts';

/** pop3: what a client may hold. Commands are short; only AUTH has longer lines (sasl_response). */
export const pop3Limits = rows({
  pop3_line: {
    value: 1_024,
    unit: 'bytes',
    reason: 'RFC 2449 §4 has 255 octets; a password of ours can have as many as password_bytes says',
    onExcess: '-ERR, the line is dropped; AUTH with an initial response is sent in lines of its own instead',
  },
  pop3_waiting_input: {
    value: 64 << 10,
    unit: 'bytes',
    reason: 'PIPELINING (RFC 2449 §6.8): commands that wait behind one that works',
    onExcess: 'the connection is not read until the commands have been answered',
  },
  pop3_bad_commands: {
    value: 20,
    unit: 'count',
    reason: 'a client that is none; as many as Dovecot allows',
    onExcess: '-ERR, and the connection is closed',
  },
});
