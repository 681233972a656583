/** The read-only databases of a worker: directory.db and a least-recently-used pool of owners' indexes. */
import { existsSync } from 'node:fs';
import { type MailError, serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { OwnerRow } from '../index/directory.ts';
import { DirectoryReader } from '../index/directoryreader.ts';
import { OwnerReader } from '../index/reader.ts';
import type { MailboxRow } from '../index/rows.ts';
import type { Layout } from '../layout.ts';
import type { UidSet } from '../uidset.ts';
import { MailboxUids } from './uids.ts';

/** What a user hears while the writer heals; the log has the reason. */
function closedForRepair(): MailError {
  return serverError('the mailbox is closed for repair; the administrator finds the reason in the log');
}

type Alarm = (owner: number, reason: string) => void;

export class Readers {
  readonly directory: DirectoryReader;
  /** In order of use: the first is the longest unused. */
  private readonly pool = new Map<number, OwnerReader>();
  private readonly known = new MailboxUids();

  /** @param alarm hears of an owner whose index (0: directory.db) is damaged */
  constructor(private readonly layout: Layout, private readonly alarm: Alarm) {
    this.directory = new DirectoryReader(layout.directory, (reason) => alarm(0, reason));
  }

  /** The index of an owner. Do not keep it over an await: it may be closed when others are opened. */
  of(owner: Pick<OwnerRow, 'id' | 'folder'>): OwnerReader {
    const found = this.pool.get(owner.id);
    if (found !== undefined) {
      this.pool.delete(owner.id);
      this.pool.set(owner.id, found);
      return found;
    }
    if (this.pool.size >= limits.store_open_indexes.value) {
      for (const [id, reader] of this.pool) {
        this.pool.delete(id);
        reader.close();
        break;
      }
    }
    const reader = this.open(owner);
    this.pool.set(owner.id, reader);
    return reader;
  }

  private open({ id, folder }: Pick<OwnerRow, 'id' | 'folder'>): OwnerReader {
    const path = this.layout.index(folder);
    const damaged = (reason: string): MailError => {
      this.alarm(id, reason);
      return closedForRepair();
    };
    // The floor first: the writer goes on.
    const floor = this.directory.floor(id);
    if (!existsSync(path)) throw damaged(`${path} is missing`);
    const reader = new OwnerReader(path, damaged);
    const { lsn } = reader;
    if (lsn >= floor) return reader;
    reader.close();
    throw damaged(`${path} is at ${lsn} but had ${floor}: its journal was lost`);
  }

  /** The UIDs of a mailbox whose row was read just now. */
  uids(owner: Pick<OwnerRow, 'id' | 'folder'>, row: MailboxRow): UidSet {
    return this.known.of(owner.id, this.of(owner), row);
  }

  /** Lets others have their turn while the UIDs of a large mailbox are read for the first time; undefined if there is no need. */
  prepareUids(owner: Pick<OwnerRow, 'id' | 'folder'>, row: MailboxRow): Promise<void> | undefined {
    return this.known.prepare(owner.id, () => this.of(owner), row);
  }

  /** Forgets an owner's index, for instance because the user was removed. */
  drop(owner: number): void {
    this.pool.get(owner)?.close();
    this.pool.delete(owner);
    this.known.drop(owner);
  }

  /** Forgets all indexes: each is opened again when it is wanted. */
  dropAll(): void {
    for (const reader of this.pool.values()) reader.close();
    this.pool.clear();
  }

  close(): void {
    this.dropAll();
    this.directory.close();
  }
}
