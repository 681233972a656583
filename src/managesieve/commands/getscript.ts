import { userError } from '../../errors.ts';
import { expectArguments, nameAt } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { literal, ok } from '../write.ts';

/** GETSCRIPT name (RFC 5804 §2.9): byte for byte as it was put, as a literal, which is what clients are used to. */
export function getscript(session: ManageSieveSession, args: readonly Argument[]): void {
  expectArguments(args, ['string'], 'GETSCRIPT "name"');
  const script = session.scripts.get(nameAt(args, 0));
  if (script === null) throw userError('nonexistent', 'There is no script by that name');
  const bytes = Buffer.from(script.buffer, script.byteOffset, script.length).toString('latin1');
  session.write(`${literal(bytes)}\r\n${ok()}`);
}
