/** One change, decided: the table from operation to decision. */
import { MailError } from '../../../errors.ts';
import type { OwnerRow } from '../../index/directory.ts';
import type { Context } from '../context.ts';
import type { Change } from '../requests.ts';
import { decideCopy, decideExpunge } from './copy.ts';
import { decideExpire } from './expire.ts';
import { decideStore } from './flags.ts';
import {
  decideAcl,
  decideCreate,
  decideDelete,
  decideQuota,
  decideRename,
  decideSubscribe,
  decideTold,
  decideUndelete,
} from './mailbox.ts';
import { decideDeliver } from './deliver.ts';
import { decideMark } from './mark.ts';
import { decideAppend } from './message.ts';
import { decideMetadata } from './metadata.ts';
import { decideAdopt, decideReplaceOwner } from './adopt.ts';
import { decideRaise, decideRestoreFlags, decideRestoreMailbox, decideRestoreMessages } from './restore.ts';
import { decideActivateScript, decideDeleteScript, decidePutScript, decideRenameScript } from './script.ts';
import { decideWake } from './wake.ts';
import { decideLogin, decidePurgeUser, decideSecret } from './user.ts';

/** Removal of files, which happens after the commit and outside the decision. */
export interface Removals {
  folders(owner: OwnerRow): void;
  /** With the LSN of the purge: the files stay until a checkpoint has it. */
  files(owner: OwnerRow, lsn: number, files: [string, string][]): void;
}

/** A decision of several steps, all of them now. */
function inOneGo(steps: Generator<void, unknown>): unknown {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Decides a long change (queue.ts) step by step. */
export function decideLong(context: Context, change: Change, removals: Removals): Generator<void, unknown> {
  switch (change.op) {
    case 'copy':
      return decideCopy(context, change);
    case 'expire':
      return decideExpire(context, change, (owner, files) => removals.files(owner, context.lsn, files));
    default:
      throw new MailError('server', 'serverbug', `${change.op} has no steps`);
  }
}

/** Decides a change and applies it within the batch's transactions. Returns the answer to the caller. */
export function decide(
  context: Context,
  change: Change,
  blobs: readonly Uint8Array[],
  removals: Removals,
): unknown {
  switch (change.op) {
    case 'deliver':
      return decideDeliver(context, change, blobs);
    case 'metadata':
      return decideMetadata(context, change, blobs);
    case 'wake':
      return decideWake(context, change);
    case 'mark':
      return decideMark(context, change);
    case 'append':
      return decideAppend(context, change, blobs);
    case 'store':
      return decideStore(context, change);
    case 'expunge':
      return decideExpunge(context, change);
    case 'copy':
    case 'expire':
      return inOneGo(decideLong(context, change, removals));
    case 'told':
      return decideTold(context, change);
    case 'create':
      return decideCreate(context, change);
    case 'delete':
      return decideDelete(context, change);
    case 'rename':
      return decideRename(context, change);
    case 'subscribe':
      return decideSubscribe(context, change);
    case 'acl':
      return decideAcl(context, change);
    case 'quota':
      return decideQuota(context, change);
    case 'putscript':
      return decidePutScript(context, change, blobs[0] as Uint8Array);
    case 'activatescript':
      return decideActivateScript(context, change);
    case 'deletescript':
      return decideDeleteScript(context, change);
    case 'renamescript':
      return decideRenameScript(context, change);
    case 'login':
      return decideLogin(context, change.userid);
    case 'secret':
      return decideSecret(context, change);
    case 'purgeuser':
      return decidePurgeUser(context, change.userid, (owner) => removals.folders(owner));
    case 'undelete':
      return decideUndelete(context, change);
    case 'replaceowner':
      return decideReplaceOwner(context, change.userid);
    case 'adopt':
      return decideAdopt(context, change, blobs);
    case 'raise':
      return decideRaise(context, change);
    case 'restoremailbox':
      return decideRestoreMailbox(context, change, blobs);
    case 'restoremessages':
      return decideRestoreMessages(context, change, blobs);
    case 'restoreflags':
      return decideRestoreFlags(context, change);
    default:
      throw new MailError('syntax', 'badsyntax', 'the writer does not know this change');
  }
}
