/**
 * The last resort after an index is lost for good: a new one from the names in directory.db and the files in the spool, with
 * new UIDVALIDITYs (promise 4). Flags, keywords, subscriptions and which mailbox a message was in are gone.
 */
import { join } from 'node:path';
import { userError } from '../../../errors.ts';
import { messageFiles } from '../../check/spool.ts';
import { DirectoryReader } from '../../index/directoryreader.ts';
import { syncFileSystem } from '../../lock.ts';
import { ownerFolder } from '../../names.ts';
import type { AddedMessage, PartData } from '../../log/events.ts';
import type { Context } from '../context.ts';
import type { Change } from '../requests.ts';
import { createMailbox, createUser, newOwner } from './user.ts';

type Adopt = Extract<Change, { op: 'adopt' }>;

/** The owner gets a new id, so that no record of the lost index can ever be applied to the new one. */
export function decideReplaceOwner(context: Context, userid: string): { mailboxes: number } {
  const old = context.owner(userid);
  if (old === null) return replaceUnknown(context, userid);
  const { directory, owners } = context.state;
  // The old owner's records will not be replayed any more: what they delivered must be on disk.
  for (const partition of Object.values(context.settings.partition)) syncFileSystem(partition);
  const reader = new DirectoryReader(directory.path);
  const names = reader.mailboxesOf(old.id);
  reader.close();
  owners.drop(old.id);
  owners.release(old.id);
  context.emitDirectory({ k: 'ownergone', id: old.id, at: context.now });
  const index = context.index(newOwner(context, userid, true));
  for (const { path, specialUse, acl } of names) {
    const row = index.byPath.get(path) ?? createMailbox(context, index, path, specialUse);
    context.emit(index, { k: 'acl', mb: row.id, acl });
    context.publish(index, row);
  }
  return { mailboxes: names.length };
}

/** Nothing knows the user any more, but his messages lie in the spool: he gets an INBOX to adopt them. */
function replaceUnknown(context: Context, userid: string): { mailboxes: number } {
  const folder = ownerFolder(userid, context.settings).join('/');
  const left = Object.values(context.settings.partition).some((root) => {
    for (const _ of messageFiles(join(root, folder))) return true;
    return false;
  });
  if (!left) {
    throw userError('nouser', `There is no user ${userid}, and there are no message files of that name`);
  }
  createUser(context, userid);
  return { mailboxes: 1 };
}

/** Files become messages of one mailbox, made if it is not there. */
export function decideAdopt(
  context: Context,
  change: Adopt,
  blobs: readonly Uint8Array[],
): { adopted: number } {
  const owner = context.owner(change.userid);
  if (owner === null) throw userError('nouser', `There is no user ${change.userid}`);
  const index = context.index(owner);
  const row = index.byPath.get(change.path) ?? createMailbox(context, index, change.path, []);
  const known = (file: string) => index.sql('SELECT 1 FROM part WHERE file = ?').get(file) !== null;
  const parts: PartData[] = [];
  const msgs: AddedMessage[] = [];
  change.messages.forEach((message, at) => {
    const { internaldate, stage: _, ...data } = message;
    if (known(data.file)) return;
    const part: PartData = {
      ...data,
      id: index.nextPart + parts.length,
      structure: context.blob(blobs[at] as Uint8Array),
      source: { link: context.state.spool.path(data.partition, owner.folder, data.file) },
    };
    msgs.push([row.uidnext + parts.length, 0, 0, internaldate, context.now, part.id]);
    parts.push(part);
  });
  if (parts.length > 0) {
    context.emit(index, { k: 'add', mb: row.id, q: index.nextModseq(), parts, msgs, dup: null });
  }
  return { adopted: parts.length };
}
