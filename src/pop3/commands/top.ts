import { syntaxError } from '../../errors.ts';
import { count, messageNumber } from '../parse/number.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';
import { endOfLines, writeContent } from './content.ts';

/** TOP msg n (RFC 1939 §7): the header, the empty line and n lines of the body. */
export async function top(session: Pop3Session, argument: string): Promise<void> {
  const { drop } = session;
  const [first = '', second, ...more] = argument.split(' ');
  if (second === undefined || more.length > 0) throw syntaxError('Expected TOP message lines');
  const number = messageNumber(first, drop);
  const lines = count(second);
  const content = drop.content(number);
  try {
    await writeContent(session, ok('Top of message follows'), content, endOfLines(content, lines));
  } finally {
    content.close();
  }
}
