/** Users and mailboxes coming into being, and users going. */
import { randomBytes } from '../../../crypto.ts';
import { IndexDamage } from '../../index/damage.ts';
import { identify } from '../../index/salvage.ts';
import { limitError, userError } from '../../../errors.ts';
import { limits } from '../../../limits.ts';
import type { OwnerRow } from '../../index/directory.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import type { MailboxRow } from '../../index/rows.ts';
import { syncFileSystem } from '../../lock.ts';
import { checkName, folderName, isSharedOwner, ownerFolder, parentName } from '../../names.ts';
import { newAcl } from '../../rights.ts';
import type { Context } from '../context.ts';
import { emitFirstScript } from '../firstscript.ts';
import type { Change } from '../requests.ts';

/** Names that commonly stand for a role (RFC 6154): a folder made automatically under one gets the attribute. */
const ROLES: Readonly<Record<string, string>> = {
  archive: '\\Archive',
  archives: '\\Archive',
  drafts: '\\Drafts',
  junk: '\\Junk',
  spam: '\\Junk',
  sent: '\\Sent',
  'sent items': '\\Sent',
  trash: '\\Trash',
};

/** The owner, made if it is not there: its row, its folder, an empty index. */
export function ensureOwner(context: Context, userid: string): OwnerRow {
  return context.owner(userid) ?? newOwner(context, userid, false);
}

/** @param keepOld puts an index that lies in the folder aside instead of removing it */
export function newOwner(context: Context, userid: string, keepOld: boolean): OwnerRow {
  const { directory } = context.state;
  const owner: OwnerRow = {
    id: directory.nextOwner,
    userid,
    folder: ownerFolder(userid, context.settings).join('/'),
    partition: context.settings.defaultpartition,
    created: context.now,
  };
  if (!keepOld) refuseKnown(context, owner);
  context.state.owners.expectNew(owner, keepOld);
  context.emitDirectory({ k: 'owner', ...owner });
  return context.owner(userid) as OwnerRow;
}

/**
 * An index that lies where the new one would, with changes in it and of an owner that is not gone, says that there is such a user:
 * it is directory.db that does not find him, and making him anew would destroy what he has.
 */
function refuseKnown(context: Context, { userid, folder }: OwnerRow): void {
  const { directory, owners } = context.state;
  const found = identify(owners.indexPath(folder));
  if (found === null || found.lsn === 0) return;
  if (directory.anyOwner(found.owner) !== null && directory.ownerById(found.owner) === null) return;
  const damage = new IndexDamage(0, directory.path, `it does not find ${userid}, who has an index`);
  owners.onDirectoryDamage(damage.message);
  throw damage;
}

/** A UIDVALIDITY never used before: larger of now and the high-water mark plus one (DESIGN rule 13). */
export function newUidvalidity(context: Context): number {
  return Math.max(context.now, context.state.directory.uidvalidity + 1);
}

/** Creates one mailbox whose name is free. Superior names are made as well (RFC 9051 §6.3.4). */
export function createMailbox(
  context: Context,
  index: OwnerIndex,
  path: string,
  specialUse: readonly string[],
): MailboxRow {
  const name = checkName({ owner: index.userid, path });
  if (index.byPath.size >= limits.store_mailboxes.value) {
    throw limitError(`There are ${limits.store_mailboxes.value} mailboxes already`);
  }
  const above = parentName(name);
  let parent: MailboxRow | undefined;
  if (above !== undefined) {
    parent = index.byPath.get(above.path) ??
      (above.path === '' ? undefined : createMailbox(context, index, above.path, []));
  }
  const id = index.nextMailbox;
  context.emit(index, {
    k: 'mailbox',
    m: id,
    q: index.nextModseq(),
    data: {
      id,
      path,
      mailboxid: randomBytes(12).toString('hex'),
      uidvalidity: newUidvalidity(context),
      uidnext: 1,
      specialUse: [...specialUse],
      acl: newAcl(index.userid, parent?.acl ?? null),
      partition: parent?.partition ?? context.settings.defaultpartition,
      created: context.now,
    },
  });
  const row = index.mailboxes.get(id) as MailboxRow;
  context.publish(index, row);
  return row;
}

/** Creates a user's INBOX with what autocreate* says: quota, folders, subscriptions, a script. */
export function createUser(context: Context, userid: string): void {
  const { settings } = context;
  if (isSharedOwner(userid)) throw userError('nouser', 'User unknown');
  const folders = settings.autocreateinboxfolders.map((text) => folderName(userid, text, settings).path);
  const index = context.index(ensureOwner(context, userid));
  if (settings.autocreatequota > 0 && !index.quotas.has('')) {
    context.emit(index, {
      k: 'quota',
      path: '',
      storage: settings.autocreatequota,
      messages: null,
      set: true,
    });
  }
  if (!index.byPath.has('')) createMailbox(context, index, '', []);
  const taken = new Set<string>();
  for (const path of folders) {
    if (index.byPath.has(path)) continue;
    const role = ROLES[path.toLowerCase()];
    createMailbox(context, index, path, role === undefined || taken.has(role) ? [] : [role]);
    if (role !== undefined) taken.add(role);
  }
  for (const folder of settings.autosubscribeinboxfolders) {
    const { path } = folderName(userid, folder, settings);
    if (index.byPath.has(path)) {
      context.emit(index, { k: 'subscribe', owner: userid, path, on: true });
    }
  }
  emitFirstScript(context, index);
}

/** First login: INBOX and folders where autocreatequota allows it. */
export function decideLogin(context: Context, userid: string): { created: boolean } {
  const owner = context.owner(userid);
  if (owner !== null && context.index(owner).byPath.has('')) return { created: false };
  if (context.settings.autocreatequota === 0) return { created: false };
  createUser(context, userid);
  return { created: true };
}

/** A secret set or removed; where `before` is given, only if that is what stands there. */
export function decideSecret(
  context: Context,
  { userid, secret, before }: Extract<Change, { op: 'secret' }>,
): { set: boolean } {
  if (before !== undefined && context.state.directory.secret(userid) !== before) return { set: false };
  context.emitDirectory({ k: 'secret', userid, secret, at: context.now });
  return { set: true };
}

/** Removes a user's mail for good. The files go after the commit. */
export function decidePurgeUser(
  context: Context,
  userid: string,
  removeFolders: (owner: OwnerRow) => void,
): { purged: boolean } {
  const owner = context.owner(userid);
  if (owner === null) return { purged: false };
  // Others may have copied from this user since the last checkpoint: their files must not need these ones for a replay.
  for (const partition of Object.values(context.settings.partition)) syncFileSystem(partition);
  context.directoryFirst = true;
  context.emitDirectory({ k: 'ownergone', id: owner.id, at: context.now });
  context.afterCommit.push(() => removeFolders(owner));
  return { purged: true };
}
