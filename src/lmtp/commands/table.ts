/** The verbs of LMTP. HELO and EHLO are not among them, so that a mix-up shows (RFC 2033 §4.1). */

import type { CommandHandler } from '../dialogue.ts';
import { auth } from './auth.ts';
import { bdat } from './bdat.ts';
import { data } from './data.ts';
import { help } from './help.ts';
import { lhlo } from './lhlo.ts';
import { mail } from './mail.ts';
import { noop } from './noop.ts';
import { quit } from './quit.ts';
import { rcpt } from './rcpt.ts';
import { rset } from './rset.ts';
import { starttls } from './starttls.ts';
import { vrfy } from './vrfy.ts';

export const COMMANDS: ReadonlyMap<string, CommandHandler> = new Map([
  ['LHLO', lhlo],
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', data],
  ['BDAT', bdat],
  ['RSET', rset],
  ['NOOP', noop],
  ['VRFY', vrfy],
  ['QUIT', quit],
  ['STARTTLS', starttls],
  ['AUTH', auth],
  ['HELP', help],
]);
