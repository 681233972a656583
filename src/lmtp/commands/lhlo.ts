/** LHLO name: who the client is, answered with what is offered (RFC 2033 §4.1, RFC 5321 §4.1.1.1). */

import { syntaxError } from '../../errors.ts';
import type { Dialogue } from '../dialogue.ts';

/** Host names as they come, underscores included, or an address literal; nothing that could end a Received field. */
const NAME = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,254}|\[[A-Za-z0-9:.-]{1,254}\])$/;

export function lhlo(dialogue: Dialogue, argument: string): void {
  if (!NAME.test(argument)) throw syntaxError('LHLO needs a host name or an address literal');
  dialogue.reset();
  dialogue.clientName = argument;
  dialogue.sayLines(250, [dialogue.settings.servername, ...extensions(dialogue)]);
}

/** Extensions in force on this connection, in the how-to's order where it knows them. */
export function extensions(dialogue: Dialogue): string[] {
  const { settings, connection, mechanisms } = dialogue;
  const offers = ['8BITMIME', 'BINARYMIME', 'ENHANCEDSTATUSCODES', 'PIPELINING', 'CHUNKING'];
  offers.push(settings.maxmessagesize > 0 ? `SIZE ${settings.maxmessagesize}` : 'SIZE');
  offers.push('DSN', 'DELIVERBY');
  // RFC 6531 allows UTF-8 in headers; who refuses 8-bit headers cannot offer it.
  if (!settings.reject8bit) offers.push('SMTPUTF8');
  // RFC 3207 §4.2: not once TLS is on.
  if (connection.canStartTls) offers.push('STARTTLS');
  if (mechanisms.length > 0) offers.push(`AUTH ${mechanisms.join(' ')}`);
  if (mayIgnoreQuota(dialogue)) offers.push('IGNOREQUOTA');
  return offers;
}

/** Who may deliver past a quota: peers trusted as a whole, and administrators. */
export function mayIgnoreQuota(dialogue: Dialogue): boolean {
  return dialogue.trusted || dialogue.user?.admin === true;
}
