/** One authenticated user's view of the store. */
import { limitError, userError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type {
  AclEntry,
  AppendMessage,
  AppendResult,
  Identity,
  ListedMailbox,
  Mailbox,
  MailboxInfo,
  MailboxListener,
  MailboxName,
  MaildropLock,
  Metadata,
  QuotaRoot,
  Scripts,
  Stage,
  StoreSession,
} from '../border.ts';
import type { DirectoryMailbox } from '../index/directoryreader.ts';
import type { OwnerReader } from '../index/reader.ts';
import { type MailboxRow, quotarootOf, type QuotaRow } from '../index/rows.ts';
import { ANYONE, hasRight } from '../rights.ts';
import { isRefusal, type Received } from '../spool/stage.ts';
import { UidSet } from '../uidset.ts';
import type { Change } from '../writer/requests.ts';
import { SelectedMailbox } from './mailbox.ts';
import { lockMaildrop } from './maildroplock.ts';
import { SessionMetadata } from './metadata.ts';
import type { StoreParts } from './parts.ts';
import { quotaOf } from './quota.ts';
import { OwnerScripts } from './scripts.ts';

export class Session implements StoreSession {
  private readonly origin: number;

  constructor(private readonly parts: StoreParts, readonly identity: Identity) {
    this.origin = parts.newOrigin();
  }

  private change<Result>(change: Change, blobs: readonly Uint8Array[] = []): Promise<Result> {
    return this.parts.change(change, this.origin, blobs) as Promise<Result>;
  }

  async login(): Promise<void> {
    const { settings } = this.parts;
    const { userid } = this.identity;
    if (settings.autocreatequota === 0 || this.identity.admin) return;
    const owner = this.parts.owner(userid);
    // From the directory: a login opens no index.
    if (owner !== null && this.parts.readers.directory.has(owner.id, '')) return;
    await this.change({ op: 'login', userid });
  }

  list(): ListedMailbox[] {
    const { readers } = this.parts;
    const { userid, admin, groups } = this.identity;
    const own = readers.directory.owner(userid);
    const mine = own === null ? [] : readers.directory.mailboxesOf(own.id);
    const identifiers = [userid, ANYONE, ...groups.map((group) => `group:${group.replace(/^group:/, '')}`)];
    const others = admin
      ? readers.directory.allMailboxes().filter((mailbox) => mailbox.owner !== own?.id)
      : readers.directory.granted(identifiers, own?.id);
    const subscribed = new Set(this.subscriptions().map(keyOf));
    const rightsOn = this.rightsOnMany();
    const all = [...mine, ...others].filter((mailbox) => hasRight(rightsOn(mailbox), 'l'));
    const parents = parentsOf(all);
    return all.map((mailbox) => listedOf(mailbox, rightsOn(mailbox), parents, subscribed));
  }

  /** `rightsOn` for mailboxes of which many have one and the same ACL. */
  private rightsOnMany(): (mailbox: DirectoryMailbox) => string {
    const found = new Map<DirectoryMailbox['acl'], { userid: string; rights: string }>();
    return (mailbox) => {
      const known = found.get(mailbox.acl);
      if (known?.userid === mailbox.userid) return known.rights;
      const rights = this.rightsOn(mailbox);
      found.set(mailbox.acl, { userid: mailbox.userid, rights });
      return rights;
    };
  }

  private rightsOn(mailbox: DirectoryMailbox): string {
    return this.parts.rights(mailbox.acl, this.identity, mailbox.userid);
  }

  private hasChildren(owner: number, path: string): boolean {
    const { directory } = this.parts.readers;
    // Mostly the first one is visible.
    const first = directory.below(owner, path, 1);
    return first.length > 0 &&
      (this.visible(first).length > 0 || this.visible(directory.below(owner, path, -1)).length > 0);
  }

  /** Those the caller may look up: nothing else counts as a child either (RFC 3348 §3). */
  private visible(mailboxes: readonly DirectoryMailbox[]): DirectoryMailbox[] {
    return mailboxes.filter((mailbox) => hasRight(this.rightsOn(mailbox), 'l'));
  }

  subscriptions(): MailboxName[] {
    const owner = this.parts.owner(this.identity.userid);
    return owner === null ? [] : this.parts.readers.of(owner).subscriptions();
  }

  async subscribe(name: MailboxName, on: boolean): Promise<void> {
    await this.change({ op: 'subscribe', by: this.identity, name, on });
  }

  lockMaildrop(name: MailboxName): MaildropLock {
    const { row } = this.find(name);
    const owner = this.parts.owner(name.owner);
    if (owner === null) throw userError('nonexistent', 'Mailbox does not exist');
    return lockMaildrop(this.parts.layout.maildrop(owner.folder, row.id));
  }

  /** The row of a mailbox the caller may look up. */
  private find(name: MailboxName): { row: MailboxRow; rights: string } {
    const owner = this.parts.owner(name.owner);
    const row = owner === null ? null : this.parts.readers.of(owner).mailbox(name.path);
    const rights = row === null ? '' : this.parts.rights(row.acl, this.identity, name.owner);
    if (row === null || !(hasRight(rights, 'l') || hasRight(rights, 'r'))) {
      throw userError('nonexistent', 'Mailbox does not exist');
    }
    return { row, rights };
  }

  info(name: MailboxName): MailboxInfo {
    const { row, rights } = this.find(name);
    const owner = this.parts.owner(name.owner);
    if (owner === null) throw userError('nonexistent', 'Mailbox does not exist');
    const reader = this.parts.readers.of(owner);
    const own = owner.userid === this.identity.userid;
    const seen = own ? null : reader.seen(row.id, this.identity.userid);
    const told = this.parts.recent.upTo({ owner: owner.id, mailbox: row.id, by: this.identity });
    const hasChildren = () => this.hasChildren(owner.id, name.path);
    const subscribed = () => this.subscriptions().some((other) => keyOf(other) === keyOf(name));
    return {
      name,
      mailboxid: row.mailboxid,
      uidvalidity: row.uidvalidity,
      uidnext: row.uidnext,
      highestmodseq: row.highestmodseq,
      exists: row.messages,
      recent: recentOf(reader, row, Math.max(seen?.recentuid ?? row.recentuid, told)),
      unseen: seen === null
        ? row.unseen
        : row.messages - seen.uids.intersect(this.parts.readers.uids(owner, row)).size,
      deleted: row.deleted,
      size: row.size,
      specialUse: row.specialUse,
      rights,
      // Looked up where they are asked for: STATUS of every mailbox does not, and one look is as long as the list is.
      get hasChildren() {
        return hasChildren();
      },
      get subscribed() {
        return subscribed();
      },
      selectable: true,
    };
  }

  async create(name: MailboxName, specialUse: readonly string[] = []): Promise<MailboxInfo> {
    await this.change({ op: 'create', by: this.identity, name, specialUse: [...specialUse] });
    return this.info(name);
  }

  async delete(name: MailboxName): Promise<void> {
    await this.change({ op: 'delete', by: this.identity, name });
  }

  async rename(from: MailboxName, to: MailboxName): Promise<void> {
    await this.change({ op: 'rename', by: this.identity, from, to });
  }

  async select(
    name: MailboxName,
    readOnly: boolean,
    listener: MailboxListener | MailboxListener['heard'],
  ): Promise<Mailbox> {
    const { row, rights } = this.find(name);
    const owner = this.parts.owner(name.owner);
    if (owner === null) throw userError('nonexistent', 'Mailbox does not exist');
    if (!hasRight(rights, 'r')) {
      throw userError('noperm', "You lack the right 'r' needed to open this mailbox");
    }
    // RFC 4314 §4: without any right to change something the mailbox opens read-only.
    const mayChange = /[stwe]/.test(rights);
    const mailbox = new SelectedMailbox(
      this.parts,
      owner,
      row.id,
      row,
      this.identity,
      readOnly || !mayChange,
      this.origin,
      listener,
    );
    await mailbox.open(row);
    return mailbox;
  }

  stage(limit: number, onDisk = false): Stage {
    return this.parts.stage(limit, onDisk);
  }

  async append(name: MailboxName, messages: readonly AppendMessage[]): Promise<AppendResult> {
    const received = messages.map(({ message }) => message as Received);
    if (messages.length > 1) checkRecord(received);
    const handed = received.map((message) => message.hand());
    try {
      const { uidvalidity, uids } = await this.change<{ uidvalidity: number; uids: string }>(
        {
          op: 'append',
          by: this.identity,
          name,
          messages: messages.map(({ flags, internaldate }, at) => ({
            data: (handed[at] as (typeof handed)[number]).data,
            flags: [...flags],
            internaldate,
          })),
        },
        handed.flatMap(({ blobs }) => blobs),
      );
      return { uidvalidity, uids: UidSet.parse(uids) };
    } catch (error) {
      if (isRefusal(error)) { for (const message of received) message.forget(); }
      throw error;
    }
  }

  acl(name: MailboxName): AclEntry[] {
    const { row, rights } = this.find(name);
    if (!hasRight(rights, 'a')) {
      throw userError('noperm', "You lack the right 'a' needed to see the access control list");
    }
    return [...row.acl];
  }

  async setAcl(name: MailboxName, identifier: string, rights: string | null): Promise<void> {
    await this.change({ op: 'acl', by: this.identity, name, identifier, rights });
  }

  quotaRoots(name: MailboxName): QuotaRoot[] {
    const { row, rights } = this.find(name);
    if (!hasRight(rights, 'r') && !this.identity.admin) {
      throw userError('noperm', "You lack the right 'r' needed to see the quota");
    }
    const quota = this.quotasOf(name.owner).find((candidate) => candidate.path === row.quotaroot);
    return quota === undefined ? [] : [quotaOf(name.owner, quota)];
  }

  quota(root: MailboxName): QuotaRoot {
    const admin = hasRight(this.parts.rights([], this.identity, root.owner), 'a');
    if (!admin && root.owner !== this.identity.userid) {
      throw userError('nonexistent', 'Quota root does not exist');
    }
    const quotas = new Map(this.quotasOf(root.owner).map((quota) => [quota.path, quota]));
    const quota = quotas.get(root.path);
    if (quota === undefined || quotarootOf(root.path, quotas) !== root.path) {
      throw userError('nonexistent', 'Quota root does not exist');
    }
    return quotaOf(root.owner, quota);
  }

  get metadata(): Metadata {
    return new SessionMetadata(this.parts, this.identity, this.origin);
  }

  eventScript(mailbox: MailboxName): string | null {
    return new SessionMetadata(this.parts, this.identity, this.origin).eventScript(mailbox);
  }

  get scripts(): Scripts {
    return new OwnerScripts(this.parts, this.identity, this.origin, this.identity.userid);
  }

  scriptsOf(userid: string): Scripts {
    const own = userid === this.identity.userid;
    if (!own && !(this.identity.admin && hasRight(this.parts.rights([], this.identity, userid), 'a'))) {
      throw userError('noperm', 'These scripts are not yours');
    }
    return new OwnerScripts(this.parts, this.identity, this.origin, userid);
  }

  private quotasOf(userid: string): QuotaRow[] {
    const owner = this.parts.owner(userid);
    return owner === null ? [] : this.parts.readers.of(owner).quotas();
  }

  async setQuota(
    root: MailboxName,
    limits: { storage: number | null; messages: number | null },
  ): Promise<void> {
    await this.change({ op: 'quota', by: this.identity, root, ...limits });
  }
}

/** Throws 'toobig' unless the messages fit into one request and one record. */
function checkRecord(messages: readonly Received[]): void {
  // The record names files and places beside what the request holds: half is left for that.
  const most = limits.store_frame.value / 2;
  let bytes = 0;
  for (const { data, blobs } of messages) {
    bytes += Buffer.byteLength(JSON.stringify(data));
    for (const { length } of blobs) bytes += length;
  }
  if (bytes > most) {
    throw limitError('The messages are too many for one change; send fewer at a time', 'toobig');
  }
}

function keyOf(name: MailboxName): string {
  return `${name.owner}\u0000${name.path}`;
}

/** Keys of all names that have something below them. INBOX has what is below it in the own tree. */
function parentsOf(mailboxes: readonly DirectoryMailbox[]): Set<string> {
  const parents = new Set<string>();
  for (const { userid, path } of mailboxes) {
    if (path === '') continue;
    for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
      parents.add(keyOf({ owner: userid, path: path.slice(0, cut) }));
    }
    parents.add(keyOf({ owner: userid, path: '' }));
  }
  return parents;
}

function listedOf(
  mailbox: DirectoryMailbox,
  rights: string,
  parents: ReadonlySet<string>,
  subscribed: ReadonlySet<string>,
): ListedMailbox {
  const name = { owner: mailbox.userid, path: mailbox.path };
  const key = keyOf(name);
  return {
    name,
    mailboxid: mailbox.mailboxid,
    specialUse: mailbox.specialUse,
    rights,
    hasChildren: parents.has(key),
    subscribed: subscribed.has(key),
    selectable: true,
  };
}

/** Messages above the UID up to which sessions were told; where nobody was told of any there is nothing to count. */
function recentOf(reader: OwnerReader, row: MailboxRow, claimed: number): number {
  if (claimed === 0) return row.messages;
  return claimed >= row.uidnext - 1 ? 0 : reader.countAfter(row.id, claimed);
}
