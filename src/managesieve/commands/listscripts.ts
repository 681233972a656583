import { expectArguments } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { ok, textString } from '../write.ts';

/** LISTSCRIPTS (RFC 5804 §2.7). */
export function listscripts(session: ManageSieveSession, args: readonly Argument[]): void {
  expectArguments(args, [], 'LISTSCRIPTS');
  const lines = session.scripts.list().map(({ name, active }) =>
    `${textString(name)}${active ? ' ACTIVE' : ''}\r\n`
  );
  session.write(lines.join('') + ok());
}
