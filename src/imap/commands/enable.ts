import { COMPLETED, type Completion, type Session } from '../session.ts';
import type { EnableCommand } from '../parse/command.ts';

/**
 * ENABLE (RFC 9051 §6.3.1). Names we do not know, or that need no enabling, are left out of the answer; an answer
 * comes in any case (RFC 5161 §3.2).
 */
export function enable(session: Session, command: EnableCommand): Completion {
  const enabled: string[] = [];
  for (const name of command.capabilities) {
    if (name === 'CONDSTORE' && !session.condstore) {
      session.enableCondstore();
      enabled.push(name);
    } else if (name === 'IMAP4REV2' && !session.rev2) {
      session.rev2 = true;
      enabled.push('IMAP4rev2');
    }
  }
  session.untagged(`ENABLED${enabled.map((name) => ` ${name}`).join('')}`);
  return COMPLETED;
}
