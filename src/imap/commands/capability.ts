import { COMPLETED, type Completion, type Session } from '../session.ts';

/** CAPABILITY (RFC 9051 §6.1.1). */
export function capability(session: Session): Completion {
  session.untagged(`CAPABILITY ${session.capabilities()}`);
  return COMPLETED;
}
