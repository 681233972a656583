/** CREATE, DELETE, RENAME, SUBSCRIBE, ACLs, quotas, \Recent and undelete. */
import { limitError, userError } from '../../../errors.ts';
import { limits } from '../../../limits.ts';
import type { Identity, MailboxName } from '../../border.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import type { MailboxRow } from '../../index/rows.ts';
import { checkName, isBelow, isSharedOwner, parentName } from '../../names.ts';
import { changeRights, hasRight, withEntry } from '../../rights.ts';
import { UidSet } from '../../uidset.ts';
import { type Context, demand, noMailbox } from '../context.ts';
import type { Change } from '../requests.ts';
import { createMailbox, createUser, ensureOwner } from './user.ts';

type Of<Op extends Change['op']> = Extract<Change, { op: Op }>;

/** Throws unless the caller may make `name`: 'k' on what is above it, or an administrator. */
export function demandCreate(
  context: Context,
  index: OwnerIndex | null,
  name: MailboxName,
  by: Identity,
): void {
  if (context.administers(by, name.owner)) return;
  for (let above = parentName(name); above !== undefined; above = parentName(above)) {
    const row = index?.byPath.get(above.path);
    if (row === undefined) continue;
    const rights = context.rights(row, by, name.owner);
    // A superior the caller may not look up is answered as one that is not there.
    if (!hasRight(rights, 'l')) break;
    return demand(rights, 'k', 'create mailboxes here');
  }
  throw userError('noperm', 'You may not create mailboxes here');
}

/** CREATE (RFC 9051 §6.3.4). A user may make the own INBOX where autocreatequota is set. */
export function decideCreate(context: Context, change: Of<'create'>): { mailbox: number } {
  const name = checkName(change.name);
  const owner = context.owner(name.owner);
  const index = owner === null ? null : context.index(owner);
  if (index?.byPath.has(name.path)) {
    const rights = context.rights(index.byPath.get(name.path) as MailboxRow, change.by, name.owner);
    if (!hasRight(rights, 'l')) demandCreate(context, index, name, change.by);
    throw userError('alreadyexists', 'Mailbox already exists');
  }
  if (name.path === '' && name.owner === change.by.userid && !change.by.admin) {
    if (context.settings.autocreatequota === 0) throw userError('noperm', 'You may not create this mailbox');
    createUser(context, name.owner);
    return { mailbox: 0 };
  }
  demandCreate(context, index, name, change.by);
  for (const use of change.specialUse) {
    for (const row of index?.byPath.values() ?? []) {
      if (row.specialUse.includes(use)) {
        throw userError('cannot', `There is a mailbox for ${use} already`);
      }
    }
  }
  const target = index ?? context.index(ensureOwner(context, name.owner));
  return { mailbox: createMailbox(context, target, name.path, change.specialUse).id };
}

/**
 * DELETE (RFC 9051 §6.3.5). The mailbox is only marked; the expiry run removes it. Deleting a user's INBOX is for
 * administrators and takes everything below it along, as in Cyrus.
 */
export function decideDelete(context: Context, change: Of<'delete'>): { deleted: number } {
  const { index, row, rights } = context.mailbox(change.name, change.by);
  const all = row.path === '' && !isSharedOwner(index.userid);
  if (all && !change.by.admin) throw userError('cannot', 'INBOX cannot be deleted');
  if (!change.by.admin) demand(rights, 'x', 'delete this mailbox');
  const rows = all ? [...index.byPath.values()] : [row];
  const at = context.settings.delete_mode === 'immediate'
    ? () => 0
    : (gone: MailboxRow) => timeOfDeletion(context, index, gone);
  context.directoryFirst = true;
  const q = index.nextModseq();
  for (const gone of rows) {
    context.emitDirectory({ k: 'mbgone', o: index.id, m: gone.id });
    context.emit(index, { k: 'delete', mb: gone.id, at: at(gone), q });
  }
  return { deleted: rows.length };
}

/** Now, but behind all deletions of the same name: who undeletes it means the last one, whatever the clock does. */
function timeOfDeletion({ now }: Context, index: OwnerIndex, { path }: MailboxRow): number {
  let at = now;
  for (const other of index.mailboxes.values()) {
    if (other.deletedat !== null && other.path === path && other.deletedat >= at) at = other.deletedat + 1;
  }
  return at;
}

/**
 * RENAME (RFC 9051 §6.3.6): takes the mailboxes below along. Renaming INBOX moves its messages into a new mailbox and
 * leaves INBOX and what is below it where it is.
 */
export function decideRename(context: Context, change: Of<'rename'>): { renamed: number } {
  const { index, row, rights } = context.mailbox(change.from, change.by);
  const to = checkName(change.to);
  if (to.owner !== index.userid) {
    throw userError(
      'cannot',
      'A mailbox cannot be renamed to another user; create one there and move the messages',
    );
  }
  if (!change.by.admin) demand(rights, row.path === '' ? 'rte' : 'x', 'rename this mailbox');
  const there = index.byPath.get(to.path);
  const known = there !== undefined && hasRight(context.rights(there, change.by, to.owner), 'l');
  if (!known) demandCreate(context, index, to, change.by);
  if (there !== undefined) throw userError('alreadyexists', 'A mailbox of that name exists');
  if (row.path === '' && !isSharedOwner(index.userid)) return renameInbox(context, index, row, to);
  if (isBelow(to, change.from)) throw userError('cannot', 'A mailbox cannot be moved below itself');
  const moved: [MailboxRow, string][] = [];
  for (const candidate of index.byPath.values()) {
    if (candidate !== row && !candidate.path.startsWith(`${row.path}/`)) continue;
    const path = to.path + candidate.path.slice(row.path.length);
    checkName({ owner: to.owner, path });
    if (index.byPath.has(path)) throw userError('alreadyexists', 'A mailbox below that name exists');
    moved.push([candidate, path]);
  }
  const above = parentName(to);
  if (above !== undefined && above.path !== '' && !index.byPath.has(above.path)) {
    createMailbox(context, index, above.path, []);
  }
  const q = index.nextModseq();
  for (const [mailbox, path] of moved) {
    context.emit(index, { k: 'rename', mb: mailbox.id, path, q });
    context.publish(index, mailbox);
  }
  return { renamed: moved.length };
}

function renameInbox(
  context: Context,
  index: OwnerIndex,
  inbox: MailboxRow,
  to: MailboxName,
): { renamed: number } {
  const target = createMailbox(context, index, to.path, []);
  const uids = index.sql('SELECT uid FROM msg WHERE mailbox = ? ORDER BY uid').values(inbox.id);
  if (uids.length === 0) return { renamed: 0 };
  const u = UidSet.fromSorted(uids.map((row) => row[0] as number)).toString();
  if (inbox.keywords.length > 0) {
    context.emit(index, { k: 'keywords', mb: target.id, names: inbox.keywords });
  }
  context.emit(index, {
    k: 'copy',
    from: inbox.id,
    mb: target.id,
    q: index.nextModseq(),
    u,
    first: 1,
    savedate: context.now,
    map: [],
  });
  context.emit(index, { k: 'expunge', mb: inbox.id, q: index.nextModseq(), u, at: context.now });
  return { renamed: uids.length };
}

/** SUBSCRIBE and UNSUBSCRIBE stand in the subscriber's own index, whether or not the mailbox exists. */
export function decideSubscribe(context: Context, change: Of<'subscribe'>): { changed: boolean } {
  const owner = context.owner(change.by.userid);
  if (owner === null) {
    throw userError('cannot', 'You have no mailboxes, so there is no place to keep subscriptions');
  }
  const index = context.index(owner);
  const { owner: of, path } = change.name;
  const there = index.sql('SELECT 1 FROM subscription WHERE owner = ? AND path = ?').get(of, path) !== null;
  if (there === change.on) return { changed: false };
  if (change.on) {
    checkName(change.name);
    const [count] = index.sql('SELECT count(*) FROM subscription').values()[0] as [number];
    if (count >= limits.store_subscriptions.value) throw limitError('There are too many subscriptions');
  }
  context.emit(index, { k: 'subscribe', owner: of, path, on: change.on });
  return { changed: true };
}

/** SETACL and DELETEACL (RFC 4314 §3.1, §3.2). `rights` may begin with + or -; null removes the entry. */
export function decideAcl(context: Context, change: Of<'acl'>): { rights: string } {
  const { index, row, rights } = context.mailbox(change.name, change.by);
  demand(rights, 'a', 'administer this mailbox');
  const current = row.acl.find((entry) => entry.identifier === change.identifier)?.rights ?? '';
  const next = change.rights === null ? null : changeRights(current, change.rights);
  const acl = withEntry(row.acl, change.identifier, next);
  if (acl.length > limits.store_acl_entries.value) throw limitError('The access control list is full');
  context.emit(index, { k: 'acl', mb: row.id, acl });
  context.publish(index, row);
  return { rights: next ?? '' };
}

/** SETQUOTA (RFC 9208 §4.1.3): for administrators. Both limits null removes the root. */
export function decideQuota(context: Context, change: Of<'quota'>): { set: boolean } {
  if (!context.administers(change.by, change.root.owner)) {
    throw userError('noperm', 'Quotas are set by administrators');
  }
  const owner = context.owner(change.root.owner);
  if (owner === null) throw noMailbox();
  const index = context.index(owner);
  if (!index.byPath.has(change.root.path)) throw noMailbox();
  const set = change.storage !== null || change.messages !== null;
  context.emit(index, {
    k: 'quota',
    path: change.root.path,
    storage: change.storage,
    messages: change.messages,
    set,
  });
  return { set };
}

/** Logs up to where sessions of a user were told of messages (recent.ts). */
export function decideTold(context: Context, change: Of<'told'>): { after: number; upTo: number } {
  const { index, row } = context.mailboxById(change.owner, change.mailbox, change.by);
  const upTo = Math.min(row.uidnext - 1, change.upTo);
  const own = change.by.userid === index.userid;
  const after = own ? row.recentuid : recentOf(index, row.id, change.by.userid);
  if (after < upTo) {
    context.emit(index, { k: 'recent', mb: row.id, userid: change.by.userid, uid: upTo });
  }
  return { after, upTo };
}

function recentOf(index: OwnerIndex, mailbox: number, userid: string): number {
  return index.seen(mailbox, userid)?.recentuid ?? 0;
}

/** Brings a deleted mailbox back under a free name, with its messages, UIDs and UIDVALIDITY. */
export function decideUndelete(context: Context, change: Of<'undelete'>): { mailbox: number } {
  const owner = context.owner(change.owner);
  if (owner === null) throw noMailbox();
  const index = context.index(owner);
  const row = [...index.mailboxes.values()].find((candidate) => candidate.mailboxid === change.mailboxid);
  if (row === undefined || row.deletedat === null) {
    throw userError('nonexistent', 'There is no such deleted mailbox; the expiry run may have removed it');
  }
  checkName({ owner: change.owner, path: change.path });
  if (index.byPath.has(change.path)) throw userError('alreadyexists', 'A mailbox of that name exists');
  context.emit(index, { k: 'undelete', mb: row.id, path: change.path, q: index.nextModseq() });
  context.publish(index, row);
  return { mailbox: row.id };
}
