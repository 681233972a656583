/**
 * What a decision works with: the state of the store inside the running batch, and the record it is writing.
 *
 * Invariants
 * 1. A decision checks everything first and emits afterwards. If one throws after it emitted, the whole batch is rolled
 *    back and its changes are tried one by one, so a failure never leaves half a change behind.
 * 2. Emitting applies the event at once, inside the owner's open transaction: the next decision sees it.
 */
import { serverError, userError } from '../../errors.ts';
import type { Settings } from '../../config/settings.ts';
import type { Identity, MailboxName } from '../border.ts';
import { applyOwnerEvent } from '../index/apply.ts';
import type { Directory, OwnerRow } from '../index/directory.ts';
import type { OwnerIndex } from '../index/owner.ts';
import type { MailboxRow } from '../index/rows.ts';
import type { DirectoryEvent, OwnerEvent, PartData } from '../log/events.ts';
import { effectiveRights, hasRight } from '../rights.ts';
import type { Spool } from '../spool/spool.ts';
import type { OwnerPool } from './owners.ts';
import type { PlannedFile } from './placement.ts';

export interface WriterState {
  readonly settings: Settings;
  readonly directory: Directory;
  readonly owners: OwnerPool;
  readonly spool: Spool;
  /** What new users filter their mail with; null for nothing. */
  readonly firstScript: Uint8Array | null;
}

/** One owner's part of the record being written. */
export interface DraftSection {
  index: OwnerIndex;
  events: OwnerEvent[];
}

export class Context {
  readonly sections: DraftSection[] = [];
  readonly directoryEvents: DirectoryEvent[] = [];
  /** Set by a deletion: the directory applies before the owners (DESIGN rule 8). */
  directoryFirst = false;
  readonly blobs: Uint8Array[] = [];
  /** Ids of owners whose index was asked for. */
  readonly touched = new Set<number>();
  /** Spool files this change needs; the writer makes them before it logs the record. */
  readonly planned: PlannedFile[] = [];
  /** Runs after the commit: unlinking, forgetting a removed owner. */
  readonly afterCommit: (() => void)[] = [];

  constructor(
    readonly state: WriterState,
    /** LSN of the record being written; a long change gets it when all its steps are done. */
    public lsn: number,
    /** Unix time in seconds. */
    readonly now: number,
    /** Owners held for this long change. */
    private readonly holds: ReadonlySet<number> = new Set(),
  ) {}

  get settings(): Settings {
    return this.state.settings;
  }

  get emitted(): boolean {
    return this.sections.length > 0 || this.directoryEvents.length > 0;
  }

  /** Events so far, applied or not. */
  get events(): number {
    return this.sections.reduce((sum, { events }) => sum + events.length, this.directoryEvents.length);
  }

  /** The living owner, or null. */
  owner(userid: string): OwnerRow | null {
    return this.state.directory.owner(userid);
  }

  /** The owner's index with its transaction open. */
  index(owner: OwnerRow): OwnerIndex {
    if (this.state.owners.held.has(owner.id) && !this.holds.has(owner.id)) {
      throw serverError('the mailbox is busy with a long change');
    }
    this.touched.add(owner.id);
    const index = this.state.owners.open(owner);
    index.begin();
    return index;
  }

  indexById(id: number): OwnerIndex {
    const owner = this.state.directory.ownerById(id);
    if (owner === null) throw noMailbox();
    return this.index(owner);
  }

  /** A living mailbox by name; 'nonexistent' also where the caller may not look it up. */
  mailbox(name: MailboxName, by: Identity): { index: OwnerIndex; row: MailboxRow; rights: string } {
    const owner = this.owner(name.owner);
    const index = owner === null ? null : this.index(owner);
    const row = index?.byPath.get(name.path);
    if (index === null || row === undefined) throw noMailbox();
    return { index, row, rights: this.checkedRights(row, by, index.userid) };
  }

  /** A living mailbox by ids. */
  mailboxById(
    owner: number,
    id: number,
    by: Identity,
  ): { index: OwnerIndex; row: MailboxRow; rights: string } {
    const index = this.indexById(owner);
    const row = index.mailboxes.get(id);
    if (row === undefined || row.deletedat !== null) throw noMailbox();
    return { index, row, rights: this.checkedRights(row, by, index.userid) };
  }

  rights(row: MailboxRow, by: Identity, owner: string): string {
    return effectiveRights(row.acl, by, owner, this.settings);
  }

  /** True for an administrator of this owner's domain: his rights, not his name, decide. */
  administers(by: Identity, owner: string): boolean {
    return by.admin && hasRight(effectiveRights([], by, owner, this.settings), 'a');
  }

  private checkedRights(row: MailboxRow, by: Identity, owner: string): string {
    const rights = this.rights(row, by, owner);
    if (!hasRight(rights, 'l') && !hasRight(rights, 'r')) throw noMailbox();
    return rights;
  }

  blob(bytes: Uint8Array): number {
    return this.blobs.push(bytes) - 1;
  }

  /** Applies an owner's event now and puts it into the record. */
  emit(index: OwnerIndex, event: OwnerEvent): void {
    let section = this.sections.find((candidate) => candidate.index === index);
    if (section === undefined) {
      section = { index, events: [] };
      this.sections.push(section);
    }
    section.events.push(event);
    if (event.k === 'add') {
      for (const part of event.parts) this.place(index, part);
    }
    applyOwnerEvent(index, event, this.blobs);
  }

  emitDirectory(event: DirectoryEvent): void {
    this.state.directory.begin();
    this.directoryEvents.push(event);
    this.state.directory.apply(event);
  }

  /** Says in directory.db what it holds of a mailbox. */
  publish(index: OwnerIndex, row: MailboxRow): void {
    this.emitDirectory({
      k: 'mb',
      o: index.id,
      m: row.id,
      path: row.path,
      mailboxid: row.mailboxid,
      specialUse: row.specialUse,
      acl: row.acl,
      uidvalidity: row.uidvalidity,
    });
  }

  /** First file of this record with the same content: further recipients share its blocks. */
  private readonly placed = new Map<string, string>();

  private place(index: OwnerIndex, part: PartData): void {
    const path = this.state.owners.partPath(index, part);
    // An adopted file is where it belongs already, and is not this change's to remove.
    if ('link' in part.source && part.source.link === path) return;
    const shared = this.placed.get(part.hash) ?? null;
    if (shared === null) this.placed.set(part.hash, path);
    this.planned.push({ path, part, shared });
  }
}

/** The one answer for "does not exist" and "you may not know". */
export function noMailbox(): Error {
  return userError('nonexistent', 'Mailbox does not exist');
}

/** Throws 'noperm' unless all letters are among the rights. */
export function demand(rights: string, letters: string, what: string): void {
  for (const letter of letters) {
    if (!hasRight(rights, letter)) {
      throw userError('noperm', `You lack the right '${letter}' needed to ${what}`);
    }
  }
}
