import type { IdCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/** ID (RFC 2971 §3.1): what the client says goes to the log, what we say depends on `serverinfo`. */
export function id(session: Session, command: IdCommand): Completion {
  if (command.params !== null) {
    const said: Record<string, string> = {};
    for (const { field, value } of command.params) {
      // Only names that are words become keys of the log line.
      if (value !== null && /^[a-z][a-z0-9_-]*$/i.test(field)) said[`id_${field.toLowerCase()}`] = value;
    }
    session.log.info('client identified itself', said);
  }
  const { serverinfo } = session.settings;
  session.untagged(
    serverinfo === 'on' ? `ID ("name" "mailstore" "version" "${session.deps.version}")` : 'ID NIL',
  );
  return COMPLETED;
}
