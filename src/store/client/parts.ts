/** What the handles of one process share. */
import { statSync } from 'node:fs';
import type { Settings } from '../../config/settings.ts';
import { serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { AclEntry, Identity } from '../border.ts';
import type { OwnerRow } from '../index/directory.ts';
import { isUnused } from '../index/salvage.ts';
import type { Layout } from '../layout.ts';
import { ownerFolder } from '../names.ts';
import { effectiveRights } from '../rights.ts';
import type { Spool } from '../spool/spool.ts';
import { MessageStage } from '../spool/stage.ts';
import type { Change } from '../writer/requests.ts';
import { isDiskFull } from '../writer/reserve.ts';
import { Feed } from './feed.ts';
import type { WriterLink } from './link.ts';
import { Readers } from './readers.ts';
import { RecentTold } from './recent.ts';

/** Milliseconds in which an index may be there before its owner is: a new user's, whose record is being made durable. */
const BEING_MADE = 30_000;

/** Rights with all they follow from. ACLs of rows are never changed, they are replaced. */
interface FoundRights {
  readonly userid: string;
  readonly admin: boolean;
  readonly groups: readonly string[];
  readonly groupsUnknown: boolean | undefined;
  readonly owner: string;
  readonly rights: string;
}

export class StoreParts {
  readonly readers: Readers;
  readonly feed: Feed;
  readonly recent = new RecentTold();
  private sessions = 0;
  private readonly closed = new Set<number>();
  /** What `rights` last found for an ACL. */
  private readonly found = new WeakMap<readonly AclEntry[], FoundRights>();
  /** Owners looked up before. A row never changes; an owner that goes is told of by `onReplaced`. */
  private readonly owners = new Map<string, OwnerRow>();

  constructor(
    readonly settings: Settings,
    readonly layout: Layout,
    readonly spool: Spool,
    readonly link: WriterLink,
  ) {
    this.readers = new Readers(layout, (owner, reason) => link.suspect(owner, reason), this.closed);
    this.feed = new Feed(link, this.closed);
    const deliver = link.onNews;
    link.onNews = (news) => {
      if (news === null) this.owners.clear();
      deliver(news);
    };
    link.onClosed = (owner, closed) => {
      if (closed) this.closed.add(owner);
      else if (this.closed.delete(owner)) this.feed.lost(owner);
    };
    link.onReplaced = (owner) => {
      if (owner === null) {
        this.owners.clear();
        this.readers.startOver();
        this.closed.clear();
        return;
      }
      for (const [userid, row] of this.owners) if (row.id === owner) this.owners.delete(userid);
      this.readers.drop(owner);
      this.feed.lost(owner);
    };
  }

  /** Where a message is received. Small ones stay in memory, with `onDisk` none. */
  stage(limit: number, onDisk = false): MessageStage {
    const { settings, spool, layout } = this;
    const partition = spool.partition(settings.defaultpartition);
    return new MessageStage(partition, limit, onDisk, () => isDiskFull(layout.log));
  }

  /** What tells one session's changes from those of others of this process. */
  newOrigin(): number {
    return ++this.sessions;
  }

  /** Makes a change of a session; the name of its origin is unique in the system. */
  change(change: Change, origin: number, blobs: readonly Uint8Array[] = []): Promise<unknown> {
    return this.link.change(change, `${process.pid}.${origin}`, blobs);
  }

  owner(userid: string): OwnerRow | null {
    const known = this.owners.get(userid);
    if (known !== undefined && this.link.isConnected) return known;
    const row = this.readers.directory.owner(userid);
    if (row === null) {
      this.refuseKnown(userid);
      return null; // may be made at any time
    }
    if (!this.link.isConnected) return row;
    if (this.owners.size >= limits.store_known_owners.value) this.owners.clear();
    this.owners.set(userid, row);
    return row;
  }

  /** Somebody directory.db does not find although an index has been there for a while is not told to be unknown: that is final. */
  private refuseKnown(userid: string): void {
    const path = this.layout.index(ownerFolder(userid, this.settings).join('/'));
    const made = statSync(path, { throwIfNoEntry: false })?.birthtimeMs;
    if (made === undefined || Date.now() - made < BEING_MADE || isUnused(path)) return;
    const reason = `directory.db does not find ${userid}, who has an index`;
    this.link.suspect(0, reason);
    throw serverError('the mailbox cannot be opened now; the administrator finds the reason in the log');
  }

  rights(acl: readonly AclEntry[], identity: Identity, owner: string): string {
    const { userid, admin, groups, groupsUnknown } = identity;
    const found = this.found.get(acl);
    if (
      found !== undefined && found.userid === userid && found.owner === owner && found.admin === admin &&
      found.groupsUnknown === groupsUnknown &&
      (found.groups === groups || found.groups.length === 0 && groups.length === 0)
    ) return found.rights;
    const rights = effectiveRights(acl, identity, owner, this.settings);
    this.found.set(acl, { userid, admin, groups, groupsUnknown, owner, rights });
    return rights;
  }
}
