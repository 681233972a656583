/** Every command, and the state it belongs to (RFC 1939 §3). */

import type { Pop3Command } from '../session.ts';
import { apop } from './apop.ts';
import { auth } from './auth.ts';
import { capa } from './capa.ts';
import { dele } from './dele.ts';
import { lang } from './lang.ts';
import { list } from './list.ts';
import { noop } from './noop.ts';
import { pass } from './pass.ts';
import { quit } from './quit.ts';
import { retr } from './retr.ts';
import { rset } from './rset.ts';
import { stat } from './stat.ts';
import { stls } from './stls.ts';
import { top } from './top.ts';
import { uidl } from './uidl.ts';
import { user } from './user.ts';
import { utf8 } from './utf8.ts';

export const COMMANDS: ReadonlyMap<string, Pop3Command> = new Map<string, Pop3Command>([
  ['APOP', { state: 'authorization', run: apop }],
  ['AUTH', { state: 'authorization', run: auth }],
  ['CAPA', { state: 'any', run: capa }],
  ['DELE', { state: 'transaction', run: dele }],
  ['LANG', { state: 'any', run: lang }],
  ['LIST', { state: 'transaction', run: list }],
  ['NOOP', { state: 'transaction', run: noop }],
  ['PASS', { state: 'authorization', run: pass }],
  ['QUIT', { state: 'any', run: quit }],
  ['RETR', { state: 'transaction', run: retr }],
  ['RSET', { state: 'transaction', run: rset }],
  ['STAT', { state: 'transaction', run: stat }],
  ['STLS', { state: 'authorization', run: stls }],
  ['TOP', { state: 'transaction', run: top }],
  ['UIDL', { state: 'transaction', run: uidl }],
  ['USER', { state: 'authorization', run: user }],
  ['UTF8', { state: 'any', run: utf8 }],
]);
