import { userError } from '../../errors.ts';
import type { Pop3Session } from '../session.ts';
import { ok } from '../write.ts';

/** LANG [range] (RFC 6856 §3.2): there is English. */
export function lang(session: Pop3Session, argument: string): void {
  if (argument === '') {
    session.write(`${ok('Language listing follows:')}en English\r\ni-default English\r\n.\r\n`);
    return;
  }
  const range = argument.toLowerCase();
  const tag = range === 'i-default' ? 'i-default' : range === '*' || /^en(?:-|$)/.test(range) ? 'en' : null;
  if (tag === null) throw userError('cannot', 'There is no such language');
  session.write(ok(`${tag} Language changed`));
}
