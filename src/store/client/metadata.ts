/** Metadata as one session sees it. */
import { userError } from '../../errors.ts';
import type { Identity, MailboxName, Metadata, MetadataEntry } from '../border.ts';
import { SERVER } from '../index/metadata.ts';
import type { OwnerReader } from '../index/reader.ts';
import { entryName, parseEntry } from '../metadata.ts';
import { hasRight } from '../rights.ts';
import type { StoreParts } from './parts.ts';

/** Where entries of one scope stand. */
interface Place {
  readonly reader: OwnerReader;
  readonly mailbox: number;
  readonly userid: string;
}

/** RFC 6785 §3.6, without its scope. */
const EVENT_SCRIPT = '/imapsieve/script';

export class SessionMetadata implements Metadata {
  constructor(
    private readonly parts: StoreParts,
    private readonly by: Identity,
    private readonly origin: number,
  ) {}

  private reader(userid: string): OwnerReader | null {
    const owner = this.parts.owner(userid);
    return owner === null ? null : this.parts.readers.of(owner);
  }

  private place(name: MailboxName | null, shared: boolean): Place | null {
    const { by } = this;
    const owner = name === null ? shared ? '' : by.userid : name.owner;
    const reader = this.reader(owner);
    const userid = shared ? '' : by.userid;
    if (name === null) return reader === null ? null : { reader, mailbox: SERVER, userid };
    const row = reader?.mailbox(name.path) ?? null;
    const rights = row === null ? '' : this.parts.rights(row.acl, by, owner);
    if (reader === null || row === null || !(hasRight(rights, 'l') || hasRight(rights, 'r'))) {
      throw userError('nonexistent', 'Mailbox does not exist');
    }
    const may = hasRight(rights, 'l') && [...'rswip'].some((right) => hasRight(rights, right));
    const administers = by.admin && hasRight(this.parts.rights([], by, owner), 'a');
    if (!may && !administers) throw userError('noperm', 'You may not see the metadata of this mailbox');
    return { reader, mailbox: row.id, userid };
  }

  get(mailbox: MailboxName | null, name: string): Uint8Array | null {
    const { entry, shared } = parseEntry(name);
    const place = this.place(mailbox, shared);
    return place === null ? null : place.reader.metadata(place.mailbox, place.userid, entry);
  }

  list(mailbox: MailboxName | null): MetadataEntry[] {
    const found: MetadataEntry[] = [];
    for (const shared of [false, true]) {
      const place = this.place(mailbox, shared);
      if (place === null) continue;
      for (const { entry, value } of place.reader.allMetadata(place.mailbox, place.userid)) {
        found.push({ name: entryName(entry, shared), value });
      }
    }
    return found;
  }

  async set(
    mailbox: MailboxName | null,
    entries: ReadonlyMap<string, Uint8Array | null>,
  ): Promise<void> {
    const blobs: Uint8Array[] = [];
    const named = [...entries].map(([name, value]): [string, number | null] => [
      name,
      value === null ? null : blobs.push(value) - 1,
    ]);
    if (named.length === 0) return;
    await this.parts.change(
      { op: 'metadata', by: this.by, name: mailbox, entries: named },
      this.origin,
      blobs,
    );
  }

  eventScript(name: MailboxName): string | null {
    const reader = this.reader(name.owner);
    const row = reader?.mailbox(name.path) ?? null;
    if (reader === null || row === null) return null;
    // An entry that is there decides, also by being empty.
    const value = reader.metadata(row.id, '', EVENT_SCRIPT) ??
      this.reader('')?.metadata(SERVER, '', EVENT_SCRIPT) ?? null;
    return value === null || value.length === 0 ? null : Buffer.from(value).toString();
  }
}
