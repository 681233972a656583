/** Every command: in which states it may be given, what it does, and whether EXPUNGE may be told at its end. */

import { syntaxError } from '../../errors.ts';
import type { Command, CommandName } from '../parse/command.ts';
import type { Completion, Session } from '../session.ts';
import { authenticate } from './authenticate.ts';
import { capability } from './capability.ts';
import { close, unselect } from './close.ts';
import { copy } from './copy.ts';
import { create } from './create.ts';
import { deleteMailbox } from './delete.ts';
import { deleteAcl, setAcl } from './setacl.ts';
import { enable } from './enable.ts';
import { expunge } from './expunge.ts';
import { fetch } from './fetch.ts';
import { getAcl } from './getacl.ts';
import { getQuota, getQuotaRoot } from './getquota.ts';
import { id } from './id.ts';
import { idle } from './idle.ts';
import { list } from './list.ts';
import { listRights } from './listrights.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { lsub } from './lsub.ts';
import { move } from './move.ts';
import { myRights } from './myrights.ts';
import { namespace } from './namespace.ts';
import { noop } from './noop.ts';
import { rename } from './rename.ts';
import { search } from './search.ts';
import { select } from './select.ts';
import { setQuota } from './setquota.ts';
import { sort } from './sort.ts';
import { startTls } from './starttls.ts';
import { status } from './status.ts';
import { store } from './store.ts';
import { subscribe } from './subscribe.ts';
import { thread } from './thread.ts';

/** States of RFC 9051 §3 in which a command is valid; `selected` is part of `authenticated`. */
type States = 'any' | 'unauthenticated' | 'authenticated' | 'selected';

interface Entry<Name extends CommandName> {
  readonly states: States;
  readonly run: (
    session: Session,
    command: Extract<Command, { name: Name }>,
    tag: string,
  ) => Promise<Completion | null> | Completion | null;
}

type Table = { readonly [Name in Exclude<CommandName, 'APPEND'>]: Entry<Name> };

/** APPEND is not here: its message streams through loop.ts. */
const table: Table = {
  CAPABILITY: { states: 'any', run: capability },
  NOOP: { states: 'any', run: noop },
  LOGOUT: { states: 'any', run: logout },
  ID: { states: 'any', run: id },
  STARTTLS: { states: 'unauthenticated', run: startTls },
  AUTHENTICATE: { states: 'unauthenticated', run: authenticate },
  LOGIN: { states: 'unauthenticated', run: login },
  ENABLE: { states: 'authenticated', run: enable },
  NAMESPACE: { states: 'authenticated', run: namespace },
  SELECT: { states: 'authenticated', run: select },
  EXAMINE: { states: 'authenticated', run: select },
  CREATE: { states: 'authenticated', run: create },
  DELETE: { states: 'authenticated', run: deleteMailbox },
  RENAME: { states: 'authenticated', run: rename },
  SUBSCRIBE: { states: 'authenticated', run: subscribe },
  UNSUBSCRIBE: { states: 'authenticated', run: subscribe },
  LIST: { states: 'authenticated', run: list },
  LSUB: { states: 'authenticated', run: lsub },
  STATUS: { states: 'authenticated', run: status },
  IDLE: { states: 'authenticated', run: idle },
  GETQUOTA: { states: 'authenticated', run: getQuota },
  GETQUOTAROOT: { states: 'authenticated', run: getQuotaRoot },
  SETQUOTA: { states: 'authenticated', run: setQuota },
  GETACL: { states: 'authenticated', run: getAcl },
  SETACL: { states: 'authenticated', run: setAcl },
  DELETEACL: { states: 'authenticated', run: deleteAcl },
  LISTRIGHTS: { states: 'authenticated', run: listRights },
  MYRIGHTS: { states: 'authenticated', run: myRights },
  CHECK: { states: 'selected', run: noop },
  CLOSE: { states: 'selected', run: close },
  UNSELECT: { states: 'selected', run: unselect },
  EXPUNGE: { states: 'selected', run: expunge },
  SEARCH: { states: 'selected', run: search },
  SORT: { states: 'selected', run: sort },
  THREAD: { states: 'selected', run: thread },
  FETCH: { states: 'selected', run: fetch },
  STORE: { states: 'selected', run: store },
  COPY: { states: 'selected', run: copy },
  MOVE: { states: 'selected', run: move },
};

/** Refuses a command that is not valid in the state the session is in (RFC 9051 §3: BAD). */
export function checkState(session: Session, states: States): void {
  if (states === 'any') return;
  if (states === 'unauthenticated') {
    if (session.authenticated) throw syntaxError('you are logged in already');
    return;
  }
  if (!session.authenticated) throw syntaxError('log in first');
  if (states === 'selected' && session.selected === null) throw syntaxError('select a mailbox first');
}

/** Runs a command other than APPEND in its state. Null: the tag has been answered already. */
export function run(
  session: Session,
  command: Command,
  tag: string,
): Promise<Completion | null> | Completion | null {
  if (command.name === 'APPEND') throw syntaxError('APPEND needs the message as a literal');
  const entry = table[command.name] as Entry<CommandName>;
  checkState(session, entry.states);
  return entry.run(session, command, tag);
}
