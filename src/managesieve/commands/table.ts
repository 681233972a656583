/** Every command, and the state it belongs to (RFC 5804 §4). */

import type { SieveCommand } from '../session.ts';
import { authenticate } from './authenticate.ts';
import { capability } from './capability.ts';
import { checkscript } from './checkscript.ts';
import { deletescript } from './deletescript.ts';
import { getscript } from './getscript.ts';
import { havespace } from './havespace.ts';
import { listscripts } from './listscripts.ts';
import { logout } from './logout.ts';
import { noop } from './noop.ts';
import { putscript } from './putscript.ts';
import { renamescript } from './renamescript.ts';
import { setactive } from './setactive.ts';
import { starttls } from './starttls.ts';
import { unauthenticate } from './unauthenticate.ts';

export const COMMANDS: ReadonlyMap<string, SieveCommand> = new Map<string, SieveCommand>([
  ['AUTHENTICATE', { state: 'nonauthenticated', run: authenticate }],
  ['CAPABILITY', { state: 'any', run: capability }],
  ['CHECKSCRIPT', { state: 'authenticated', run: checkscript }],
  ['DELETESCRIPT', { state: 'authenticated', run: deletescript }],
  ['GETSCRIPT', { state: 'authenticated', run: getscript }],
  ['HAVESPACE', { state: 'authenticated', run: havespace }],
  ['LISTSCRIPTS', { state: 'authenticated', run: listscripts }],
  ['LOGOUT', { state: 'any', run: logout }],
  ['NOOP', { state: 'any', run: noop }],
  ['PUTSCRIPT', { state: 'authenticated', run: putscript }],
  ['RENAMESCRIPT', { state: 'authenticated', run: renamescript }],
  ['SETACTIVE', { state: 'authenticated', run: setactive }],
  ['STARTTLS', { state: 'nonauthenticated', run: starttls }],
  ['UNAUTHENTICATE', { state: 'authenticated', run: unauthenticate }],
]);
