/**
 * Bringing back what a user lost, into the store as it is, running or not: as logged changes like any others.
 *
 * Invariants
 * 1. Nothing that is there is removed or given another UID; what is added gets new UIDs, so none ever means two messages.
 * 2. A message that is still there under its UID is not added again, nor one that an earlier restore added: doing it twice, or
 *    going on after an interruption, doubles nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../../config/settings.ts';
import { MailError, userError } from '../../../errors.ts';
import { limits } from '../../../limits.ts';
import type { Log } from '../../../telemetry/log.ts';
import type { MailboxName } from '../../border.ts';
import type { WriterLink } from '../../client/link.ts';
import { flagNames } from '../../flags.ts';
import { DirectoryReader } from '../../index/directoryreader.ts';
import { SERVER } from '../../index/metadata.ts';
import { type ContentRow, OwnerReader } from '../../index/reader.ts';
import type { MailboxRow } from '../../index/rows.ts';
import { layoutOf } from '../../layout.ts';
import { entryName } from '../../metadata.ts';
import { isSharedOwner } from '../../names.ts';
import { openLink } from '../../open.ts';
import { Spool } from '../../spool/spool.ts';
import { isRefusal, MessageStage, type Received } from '../../spool/stage.ts';
import { UidSet } from '../../uidset.ts';
import type { Change, RestoredMessage } from '../../writer/requests.ts';
import { runOf, type Unsaved } from '../manifest.ts';
import type { Target } from '../target.ts';
import { makeWork, removeWork } from '../work.ts';
import { Bodies } from './bodies.ts';
import { type PastOwner, pastOwner } from './owner.ts';
import type { RestorePoint } from './point.ts';

/** Rows read at a time. */
const PAGE = 500;

/** Messages of one change, and their bytes in memory. */
const BATCH = 100;
const BATCH_BYTES = 4 << 20;

export interface Wanted {
  readonly userid: string;
  /** One mailbox by its path at that moment; all when undefined. */
  readonly path?: string | undefined;
  /** One message of that mailbox. */
  readonly uid?: number | undefined;
  /** Messages with this Message-ID. */
  readonly messageId?: string | undefined;
  /** Into the mailboxes themselves, with flags as they were, instead of below `Restored`. */
  readonly replace: boolean;
}

export interface RestoredMailbox {
  readonly from: MailboxName;
  readonly to: MailboxName;
  /** Messages added, and those that were there. */
  readonly restored: number;
  readonly there: number;
  /** Messages that got their flags back; only in place. */
  readonly flags: number;
}

export interface PartialReport {
  readonly run: string;
  readonly time: number;
  readonly mailboxes: readonly RestoredMailbox[];
  readonly missing: readonly Unsaved[];
}

/** Restores a user, a mailbox or messages. Throws 'nouser' or 'nonexistent' where the backup has none. */
export async function restorePartly(
  settings: Settings,
  target: Target,
  point: RestorePoint,
  wanted: Wanted,
  log: Log,
): Promise<PartialReport> {
  const work = makeWork(layoutOf(settings));
  try {
    const past = await pastOwner(settings, target, point, wanted.userid, work);
    const link = await openLink(settings, log, 'either');
    try {
      // A restore that was killed may have asked for more than it lived to see: what is there is looked at behind that.
      await link.settled();
      return await new Partial(settings, past, link, new Bodies(target, point), wanted).restore(point);
    } finally {
      past.close();
      await link.close();
    }
  } finally {
    removeWork(work);
  }
}

/** What a mailbox of the store has now. */
interface Present {
  readonly mailbox: MailboxRow | null;
  readonly byUid: Map<number, string>;
  /** How often each content is there. */
  readonly contents: Map<string, number>;
}

class Partial {
  private readonly missing: Unsaved[] = [];
  private readonly partition: string;

  constructor(
    private readonly settings: Settings,
    private readonly past: PastOwner,
    private readonly link: WriterLink,
    private readonly bodies: Bodies,
    private readonly wanted: Wanted,
  ) {
    this.partition = new Spool(settings.partition).partition(settings.defaultpartition);
  }

  private change<Result>(change: Change, blobs: readonly Uint8Array[] = []): Promise<Result> {
    return this.link.change(change, '', blobs) as Promise<Result>;
  }

  async restore(point: RestorePoint): Promise<PartialReport> {
    const { path, userid } = this.wanted;
    const rows = this.past.index.mailboxes().filter((row) => path === undefined || row.path === path);
    if (rows.length === 0) {
      throw userError(
        'nonexistent',
        `${userid} had no mailbox ${path === '' ? 'INBOX' : path} at that moment`,
      );
    }
    const fresh = this.live((index) => index) === null;
    const mailboxes: RestoredMailbox[] = [];
    for (const row of rows) {
      const restored = await this.mailbox(row);
      if (restored !== null) mailboxes.push(restored);
    }
    if (mailboxes.length === 0) throw userError('nonexistent', 'no such message was there at that moment');
    if (path === undefined && this.wanted.replace) {
      if (fresh) await this.surroundings();
      if (this.wanted.messageId === undefined) await this.scripts();
    }
    return { run: runOf(point.base.name), time: point.time, mailboxes, missing: this.missing };
  }

  /** Reads the owner's index as it is now; null where there is no such user. */
  private live<Result>(read: (index: OwnerReader) => Result): Result | null {
    const layout = layoutOf(this.settings);
    const directory = new DirectoryReader(layout.directory);
    const owner = directory.owner(this.wanted.userid);
    directory.close();
    if (owner === null || !existsSync(layout.index(owner.folder))) return null;
    const index = new OwnerReader(layout.index(owner.folder));
    try {
      return read(index);
    } finally {
      index.close();
    }
  }

  /** What the mailbox is called, and what it holds, now; by its object id, as it may have been renamed. */
  private present(find: (row: MailboxRow) => boolean): Present {
    const present: Present = { mailbox: null, byUid: new Map(), contents: new Map() };
    return this.live((index) => {
      const mailbox = index.mailboxes().find(find);
      if (mailbox === undefined) return present;
      for (const [uid, , , , hash] of rowsOf(index, mailbox.id)) {
        present.byUid.set(uid, hash);
        present.contents.set(hash, (present.contents.get(hash) ?? 0) + 1);
      }
      return { ...present, mailbox };
    }) ?? present;
  }

  private async mailbox(row: MailboxRow): Promise<RestoredMailbox | null> {
    const { userid, replace } = this.wanted;
    const now = this.present(({ mailboxid }) => mailboxid === row.mailboxid);
    const same = now.mailbox !== null && now.mailbox.uidvalidity === row.uidvalidity;
    const path = replace
      ? now.mailbox?.path ?? row.path
      : join('Restored', row.path === '' ? 'INBOX' : row.path);
    const to = replace && now.mailbox !== null ? now : this.present((other) => other.path === path);
    const lost: ContentRow[] = [];
    const kept: ContentRow[] = [];
    const spare = new Map(to.contents);
    if (replace && same) {
      // Those under their own UIDs do not stand for others with the same content.
      for (const [uid, , , , hash] of rowsOf(this.past.index, row.id)) {
        if (now.byUid.get(uid) === hash) spare.set(hash, (spare.get(hash) ?? 1) - 1);
      }
    }
    let there = 0;
    for (const message of rowsOf(this.past.index, row.id)) {
      if (!this.isWanted(message)) continue;
      const [uid, , , , hash] = message;
      if (same && now.byUid.get(uid) === hash) {
        kept.push(message);
        there++;
      } else if ((spare.get(hash) ?? 0) > 0) {
        spare.set(hash, (spare.get(hash) as number) - 1);
        there++;
      } else lost.push(message);
    }
    const single = this.wanted.uid !== undefined || this.wanted.messageId !== undefined;
    if (lost.length === 0 && there === 0 && single) return null;
    const report = { from: { owner: userid, path: row.path }, to: { owner: userid, path }, there };
    // An empty mailbox is something that can be lost as well, where it is brought back itself.
    if (lost.length === 0 && !(replace && to.mailbox === null)) {
      const flags = replace && kept.length > 0 ? await this.flags(row, now.mailbox as MailboxRow, kept) : 0;
      return { ...report, restored: 0, flags };
    }
    const metadata = replace ? this.past.index.everyMetadata(row.id) : [];
    const { owner, mailbox } = await this.change<{ owner: number; mailbox: number }>({
      op: 'restoremailbox',
      name: { owner: userid, path },
      specialUse: replace ? row.specialUse : [],
      acl: replace ? [...row.acl] : null,
      metadata: metadata.map(([userid, entry], at) => [userid, entry, at]),
    }, metadata.map(([, , value]) => value));
    const restored = await this.messages(row, lost, owner, mailbox);
    const flags = replace && kept.length > 0 ? await this.flags(row, now.mailbox as MailboxRow, kept) : 0;
    return { ...report, restored, flags };
  }

  private isWanted([uid, , , , , , messageId]: ContentRow): boolean {
    if (this.wanted.uid !== undefined && uid !== this.wanted.uid) return false;
    return this.wanted.messageId === undefined ||
      messageId !== null && bare(messageId) === bare(this.wanted.messageId);
  }

  /** Adds messages in their order, a batch in memory at a time. */
  private async messages(
    row: MailboxRow,
    lost: readonly ContentRow[],
    owner: number,
    mailbox: number,
  ): Promise<number> {
    await this.bodies.prepare(lost.map(([, , , , hash]) => hash));
    let restored = 0;
    let batch: { message: Received; flags: string[]; internaldate: number }[] = [];
    let bytes = 0;
    const flush = async () => {
      if (batch.length === 0) return;
      const taken = batch;
      [batch, bytes] = [[], 0];
      const handed = taken.map(({ message }) => message.hand());
      const messages = taken.map(({ flags, internaldate }, at): RestoredMessage => ({
        data: (handed[at] as (typeof handed)[number]).data,
        flags,
        internaldate,
      }));
      try {
        await this.change(
          { op: 'restoremessages', owner, mailbox, messages },
          handed.flatMap(({ blobs }) => blobs),
        );
      } catch (error) {
        if (isRefusal(error)) { for (const { message } of taken) message.forget(); }
        throw error;
      }
      restored += taken.length;
    };
    for (const [uid, lo, hi, internaldate, hash] of lost) {
      const message = await this.receive(row, uid, hash);
      if (message === null) continue;
      batch.push({ message, flags: flagNames(lo, hi, row.keywords), internaldate });
      bytes += message.held;
      if (batch.length === BATCH || bytes > Math.min(BATCH_BYTES, limits.store_frame.value / 4)) {
        await flush();
      }
    }
    await flush();
    return restored;
  }

  private async receive(row: MailboxRow, uid: number, hash: string): Promise<Received | null> {
    const stage = new MessageStage(this.partition, 0);
    try {
      for await (const block of this.bodies.read(hash)) stage.write(block);
      return await stage.finish() as Received;
    } catch (error) {
      stage.abort();
      const code = error instanceof MailError ? error.code : '';
      if (code !== 'nonexistent' && code !== 'corruption') throw error;
      const { userid } = this.wanted;
      this.missing.push({
        userid,
        place: `${row.path || 'INBOX'} UID ${uid}`,
        text: (error as Error).message,
      });
      return null;
    }
  }

  /** Gives messages that are there the flags they had. */
  private async flags(row: MailboxRow, now: MailboxRow, kept: readonly ContentRow[]): Promise<number> {
    const owner = this.live((index) => index.owner) as number;
    const groups = new Map<string, { uids: number[]; flags: string[] }>();
    for (const [uid, lo, hi] of kept) {
      const key = `${lo} ${hi}`;
      const group = groups.get(key) ?? { uids: [], flags: flagNames(lo, hi, row.keywords) };
      group.uids.push(uid);
      groups.set(key, group);
    }
    const flags = [...groups.values()].map(({ uids, flags }): [string, string[]] => [
      UidSet.fromSorted(uids).toString(),
      flags,
    ]);
    const { changed } = await this.change<{ changed: number }>({
      op: 'restoreflags',
      owner,
      mailbox: now.id,
      flags,
    });
    return changed;
  }

  /** What a user who was gone altogether had beside mailboxes: quotas, subscriptions, the password. */
  private async surroundings(): Promise<void> {
    const { userid } = this.wanted;
    const by = { userid: 'root', admin: true, groups: [] };
    for (const { path, storageLimit, messageLimit } of this.past.index.quotas()) {
      const root = { owner: userid, path };
      await this.change({ op: 'quota', by, root, storage: storageLimit, messages: messageLimit });
    }
    for (const name of this.past.index.subscriptions()) {
      await this.change({ op: 'subscribe', by: { userid, admin: false, groups: [] }, name, on: true });
    }
    const own = this.past.index.everyMetadata(SERVER);
    if (own.length > 0) {
      // Those of a shared hierarchy are the server's own.
      const shared = isSharedOwner(userid);
      const entries = own.map(([, entry], at): [string, number] => [entryName(entry, shared), at]);
      const owner = { userid, admin: false, groups: [] };
      const change: Change = { op: 'metadata', by: shared ? by : owner, name: null, entries };
      await this.change(change, own.map(([, , value]) => value));
    }
    const directory = new DirectoryReader(layoutOf(this.settings).directory);
    const known = directory.secret(userid);
    directory.close();
    const { secret } = this.past;
    if (known === null && secret !== null) await this.change({ op: 'secret', userid, secret, before: null });
  }

  /** Sieve scripts that are not there any more; the one that was active runs again if now none does. */
  private async scripts(): Promise<void> {
    const { userid: owner } = this.wanted;
    const by = { userid: 'root', admin: true, groups: [] };
    const now = this.live((index) => index.scripts()) ?? [];
    for (const { name, content } of this.past.index.scripts()) {
      if (now.some((script) => script.name === name)) continue;
      const maxScripts = limits.store_scripts.value;
      await this.change({ op: 'putscript', by, owner, name, maxScripts }, [content]);
    }
    const active = this.past.index.activeScript();
    if (active === null || now.some((script) => script.active)) return;
    await this.change({ op: 'activatescript', by, owner, name: active.name });
  }
}

/** Message-IDs are compared without their brackets. */
function bare(messageId: string): string {
  return messageId.trim().replace(/^<|>$/g, '');
}

function* rowsOf(index: OwnerReader, mailbox: number): IterableIterator<ContentRow> {
  for (let after = 0;;) {
    const page = index.contents(mailbox, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    yield* page;
    after = last[0];
  }
}
