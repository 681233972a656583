/** HELP (RFC 5321 §4.1.1.8). */

import type { Dialogue } from '../dialogue.ts';

export function help(dialogue: Dialogue): void {
  dialogue.sayLines(214, [
    '2.0.0 LMTP (RFC 2033): LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT STARTTLS AUTH HELP',
    '2.0.0 A message goes to each accepted recipient, and each gets a reply of its own.',
  ]);
}
