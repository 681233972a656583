/** What the handles of one process share. */
import type { Settings } from '../../config/settings.ts';
import type { AclEntry, Identity } from '../border.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { Layout } from '../layout.ts';
import { effectiveRights } from '../rights.ts';
import type { Spool } from '../spool/spool.ts';
import { Feed } from './feed.ts';
import type { WriterLink } from './link.ts';
import { Readers } from './readers.ts';

export class StoreParts {
  readonly readers: Readers;
  readonly feed: Feed;
  private sessions = 0;

  constructor(
    readonly settings: Settings,
    layout: Layout,
    readonly spool: Spool,
    readonly link: WriterLink,
  ) {
    this.readers = new Readers(layout);
    this.feed = new Feed(link);
    link.onReplaced = (owner) => {
      this.readers.drop(owner);
      this.feed.lost(owner);
    };
  }

  /** A name for one session's changes, unique in the system while it lives. */
  newOrigin(): string {
    return `${process.pid}.${this.sessions++}`;
  }

  owner(userid: string): OwnerRow | null {
    return this.readers.directory.owner(userid);
  }

  rights(acl: readonly AclEntry[], identity: Identity, owner: string): string {
    return effectiveRights(acl, identity, owner, this.settings);
  }
}
