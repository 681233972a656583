/**
 * The last resort after an index is lost for good: a new one from the names in directory.db and the files in the spool, with
 * new UIDVALIDITYs (promise 4). Flags, keywords, subscriptions and which mailbox a message was in are gone. Sieve scripts and
 * metadata stay as far as their rows can be read in what is left of the old index, or in its snapshot.
 */
import { join } from 'node:path';
import { userError } from '../../../errors.ts';
import { messageFiles } from '../../check/spool.ts';
import type { OwnerRow } from '../../index/directory.ts';
import { DirectoryReader } from '../../index/directoryreader.ts';
import { SERVER } from '../../index/metadata.ts';
import { mailboxFromValues } from '../../index/rows.ts';
import { intactRows } from '../../index/salvage.ts';
import { scriptFromValues, type ScriptRow } from '../../index/scripts.ts';
import { OWNER_TABLES } from '../../index/tables.ts';
import { layoutOf } from '../../layout.ts';
import { syncFileSystem } from '../../lock.ts';
import { ownerFolder } from '../../names.ts';
import type { AddedMessage, PartData } from '../../log/events.ts';
import type { Context } from '../context.ts';
import { snapshotPath } from '../../snapshot.ts';
import type { Change } from '../requests.ts';
import { emitMetadata } from './metadata.ts';
import { publishActive } from './script.ts';
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
  const scripts = leftScripts(context, old);
  const metadata = leftMetadata(context, old);
  owners.release(old.id);
  context.emitDirectory({ k: 'ownergone', id: old.id, at: context.now });
  const index = context.index(newOwner(context, userid, true));
  for (const { path, specialUse, acl } of names) {
    const row = index.byPath.get(path) ?? createMailbox(context, index, path, specialUse);
    context.emit(index, { k: 'acl', mb: row.id, acl });
    context.publish(index, row);
  }
  for (const { name, content, hash, changed, active } of scripts) {
    const blob = context.blob(content);
    context.emit(index, { k: 'script', name, content: blob, hash, at: changed, active });
  }
  publishActive(context, index, null);
  for (const { path, userid, entries } of metadata) {
    const row = path === null ? null : index.byPath.get(path);
    if (row !== undefined) emitMetadata(context, index, row?.id ?? SERVER, userid, entries);
  }
  return { mailboxes: names.length };
}

/** What may be left of an owner's index: itself, then its snapshot. */
function remains({ settings, state }: Context, { folder, partition }: OwnerRow): string[] {
  return [layoutOf(settings).index(folder), snapshotPath(state.spool.partition(partition), folder)];
}

/** Metadata that can still be believed, by the names of its mailboxes. */
function leftMetadata(
  context: Context,
  owner: OwnerRow,
): { path: string | null; userid: string; entries: Map<string, Uint8Array> }[] {
  for (const file of remains(context, owner)) {
    const paths = new Map<number, string | null>([[SERVER, null]]);
    for (const mailbox of intactRows(file, OWNER_TABLES, 'mailbox').map(mailboxFromValues)) {
      if (mailbox.deletedat === null) paths.set(mailbox.id, mailbox.path);
    }
    const found = new Map<
      string,
      { path: string | null; userid: string; entries: Map<string, Uint8Array> }
    >();
    for (const row of intactRows(file, OWNER_TABLES, 'annotation')) {
      const [mailbox, uid, entry, userid, value] = row as [
        number,
        number,
        string,
        string,
        Uint8Array,
        number,
      ];
      const path = paths.get(mailbox);
      // What was said of a message has no meaning any more: it has another UID.
      if (path === undefined || uid > 0) continue;
      const key = `${mailbox} ${userid}`;
      const place = found.get(key) ?? { path, userid, entries: new Map() };
      found.set(key, place);
      place.entries.set(entry, value);
    }
    if (found.size > 0) return [...found.values()];
  }
  return [];
}

/** Scripts that can still be believed: those of the index, then those only its snapshot has. */
function leftScripts(context: Context, owner: OwnerRow): ScriptRow[] {
  const found = new Map<string, ScriptRow>();
  let active = false;
  for (const path of remains(context, owner)) {
    for (const row of intactRows(path, OWNER_TABLES, 'script').map(scriptFromValues)) {
      if (found.has(row.name)) continue;
      found.set(row.name, { ...row, active: row.active && !active });
      active ||= row.active;
    }
  }
  return [...found.values()];
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
