import { COMPLETED, type Completion, type Session } from '../session.ts';

/** LOGOUT (RFC 9051 §6.1.3): BYE, the tagged OK, then the loop closes the connection. */
export function logout(session: Session): Completion {
  session.unselect();
  session.untagged('BYE LOGOUT received');
  return COMPLETED;
}
