import { expectArguments } from '../parse/arguments.ts';
import type { Argument } from '../parse/received.ts';
import type { ManageSieveSession } from '../session.ts';
import { byteString, ok } from '../write.ts';

/** NOOP [tag] (RFC 5804 §2.13): the tag comes back, by which a client finds its place again. */
export function noop(session: ManageSieveSession, args: readonly Argument[]): void {
  expectArguments(args, ['string'], 'NOOP ["tag"]', 1);
  const [tag] = args;
  session.write(tag === undefined ? ok('NOOP completed') : ok('Done', `TAG ${byteString(tag.text)}`));
}
