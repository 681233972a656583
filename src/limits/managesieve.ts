import { rows } from './limit.ts';

/** ManageSieve: what a client may hold. Scripts come as literals; lines are short. */
export const managesieveLimits = rows({
  managesieve_line: {
    value: 8 << 10,
    unit: 'bytes',
    reason:
      'RFC 5804 §4 has quoted strings of 1,024 octets, a command three of them; longer ones are literals',
    onExcess: 'NO, the line is dropped; before the login the connection is closed',
  },
  managesieve_literals: {
    value: 4,
    unit: 'count',
    reason: 'no command has more than two strings',
    onExcess: 'NO, and their bytes are dropped unseen',
  },
  managesieve_waiting_input: {
    value: 64 << 10,
    unit: 'bytes',
    reason:
      'commands may be sent without waiting for answers (RFC 5804 §2); these wait behind one that works',
    onExcess: 'the connection is not read until the commands have been answered',
  },
  managesieve_bad_commands: {
    value: 20,
    unit: 'count',
    reason: 'a client that is none; as many as for IMAP and POP3',
    onExcess: 'BYE, and the connection is closed; before the login the first unknown command does it',
  },
});
