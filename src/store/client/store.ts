/** The store as a worker or a tool holds it. */
import { existsSync } from 'node:fs';
import { MailError, serverError, userError } from '../../errors.ts';
import type {
  DeletedMailbox,
  Delivery,
  DeliveryRequest,
  DeliveryResult,
  DeliveryTarget,
  ExpireOptions,
  Identity,
  MailboxName,
  Mark,
  ReconstructReport,
  ReconstructSource,
  Remembered,
  Secrets,
  Stage,
  Store,
  StoreAdmin,
  StoreSession,
} from '../border.ts';
import { checkDirectory } from '../check/index.ts';
import type { Layout } from '../layout.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { OwnerReader } from '../index/reader.ts';
import { nearestPath } from '../fuzzy.ts';
import { damagedParts, describeDamage, findCopies } from '../reconstruct/mend.ts';
import { adoptFiles } from '../reconstruct/adopt.ts';
import { isSnapshot, makeSnapshot, snapshotPath } from '../snapshot.ts';
import { isSharedOwner } from '../names.ts';
import { mayPost } from '../rights.ts';
import { partFileLsn, type Spool } from '../spool/spool.ts';
import { UNKNOWN_UIDS } from '../writer/decide/restore.ts';
import type { Change } from '../writer/requests.ts';
import type { Settings } from '../../config/settings.ts';
import { deliverAll, type Target } from './deliver.ts';
import type { WriterLink } from './link.ts';
import { StoreParts } from './parts.ts';
import { Session } from './session.ts';
import { step } from '../step.ts';

export class MailStore implements Store {
  private readonly parts: StoreParts;
  readonly secrets: Secrets;
  readonly admin: StoreAdmin;

  constructor(
    settings: Settings,
    private readonly layout: Layout,
    spool: Spool,
    private readonly link: WriterLink,
  ) {
    this.parts = new StoreParts(settings, layout, spool, link);
    const { directory } = this.parts.readers;
    this.secrets = {
      get: (userid) => directory.secret(userid),
      list: () => directory.secrets(),
      page: (after, count) => directory.secretsBehind(after, count),
      set: (userid, secret) => this.change({ op: 'secret', userid, secret }).then(() => {}),
      replace: (userid, before, secret) =>
        this.change({ op: 'secret', userid, secret, before }).then((answer) =>
          (answer as { set: boolean }).set
        ),
      remove: (userid) => this.change({ op: 'secret', userid, secret: null }).then(() => {}),
    };
    this.admin = {
      owners: () =>
        directory.owners().map(({ userid, created, partition }) => ({ userid, created, partition })),
      purgeUser: async (userid) => {
        const owner = this.parts.owner(userid);
        await this.change({ op: 'purgeuser', userid });
        if (owner !== null) this.parts.readers.drop(owner.id);
      },
      deletedMailboxes: (owner) => this.deletedMailboxes(owner),
      undelete: (mailboxid, as) =>
        this.change({ op: 'undelete', owner: as.owner, mailboxid, path: as.path }).then(() => {}),
      expire: (options) => this.expire(options),
      remembered: (userid) => this.remembered(userid),
      reconstruct: (userid, from) => this.reconstruct(userid, from),
    };
  }

  private change(change: Change, blobs: readonly Uint8Array[] = []): Promise<unknown> {
    return this.link.change(change, '', blobs);
  }

  session(identity: Identity): StoreSession {
    return new Session(this.parts, identity);
  }

  async recipient(request: DeliveryRequest): Promise<DeliveryTarget> {
    const { settings, readers } = this.parts;
    const { userid, detail, size } = request;
    const owner = this.parts.owner(userid);
    if (owner === null) return this.newcomer(request);
    const path = settings.unixhierarchysep ? detail ?? '' : (detail ?? '').replaceAll('.', '/');
    if (path === '' && size === null) {
      // Of its index nothing is asked that directory.db does not know.
      readers.demandOpen(owner.id);
      const listed = readers.directory.recipient(owner.id);
      return listed?.inbox === true ? target(request, '', listed.script) : this.newcomer(request);
    }
    const reader = readers.of(owner);
    // One read transaction: each costs system calls of its own.
    return reader.consistent(() => {
      const wanted = path === '' ? null : this.addressed(reader, path);
      const posted = wanted !== null && mayPost(wanted.row.acl, request.poster);
      const found = posted ? wanted : reader.destination('');
      if (found === null) return this.newcomer(request);
      const { row, script } = found;
      if (size !== null && isFull(reader, row.quotaroot, size)) throw userError('overquota', 'Over quota');
      return target(request, row.path, script);
    });
  }

  /** Somebody without an INBOX: the delivery makes it where settings say so. */
  private newcomer(request: DeliveryRequest): Target {
    const { createonpost, autocreatequota } = this.parts.settings;
    if (!createonpost || autocreatequota === 0 || isSharedOwner(request.userid)) {
      throw userError('nouser', 'User unknown');
    }
    return target(request, '', null);
  }

  /** The folder an address names, or the nearest to it where options say so. */
  private addressed(reader: OwnerReader, path: string): ReturnType<OwnerReader['destination']> {
    const exact = reader.destination(path);
    if (exact !== null || !this.parts.settings.lmtp_fuzzy_mailbox_match) return exact;
    const near = nearestPath(reader.mailboxes().map((row) => row.path), path);
    return near === null ? null : reader.destination(near);
  }

  scriptByHash(userid: string, hash: string): Uint8Array | null {
    const active = this.reader(userid)?.activeScript();
    return active?.hash === hash ? active.content : null;
  }

  scriptNamed(userid: string, name: string): Uint8Array | null {
    return this.reader(userid)?.script(name)?.content ?? null;
  }

  activeScript(userid: string): { name: string; hash: string; content: Uint8Array } | null {
    return this.reader(userid)?.activeScript() ?? null;
  }

  private reader(userid: string): OwnerReader | null {
    const owner = this.parts.owner(userid);
    return owner === null ? null : this.parts.readers.of(owner);
  }

  stage(limit: number): Stage {
    return this.parts.stage(limit);
  }

  async deliver(
    deliveries: readonly Delivery[],
    options: { ignoreQuota: boolean },
  ): Promise<DeliveryResult[]> {
    return await deliverAll(deliveries, options.ignoreQuota, (change, blobs) => this.change(change, blobs));
  }

  marked(userid: string, kind: string, key: string): boolean {
    const until = this.reader(userid)?.markedUntil(kind, key) ?? null;
    return until !== null && until > Math.floor(Date.now() / 1000);
  }

  async mark(userid: string, marks: readonly Mark[]): Promise<void> {
    await this.change({ op: 'mark', userid, marks: [...marks] });
  }

  private deletedMailboxes(userid: string): DeletedMailbox[] {
    const owner = this.parts.owner(userid);
    if (owner === null) return [];
    return this.parts.readers.of(owner).deletedMailboxes().map((row) => ({
      name: { owner: userid, path: row.path },
      mailboxid: row.mailboxid,
      deletedAt: row.deletedat ?? 0,
      exists: row.messages,
    }));
  }

  private remembered(userid: string): Remembered {
    const reader = this.reader(userid);
    if (reader === null) throw userError('nouser', `There is no user ${userid}`);
    const { delivered, marks } = reader.remembered();
    return {
      delivered: delivered.map(({ id, path, at }) => ({ id, mailbox: { owner: userid, path }, at })),
      marks,
    };
  }

  private async expire(options: ExpireOptions): Promise<{ messages: number; mailboxes: number }> {
    const { duplicate_retention } = this.parts.settings;
    const now = Math.floor(Date.now() / 1000);
    // Nothing is older than the beginning of time.
    const before = (days: number | null) =>
      days === null ? 0 : now - Math.round(days * 86_400) + (days === 0 ? 1 : 0);
    const { expungeDays, deleteDays, duplicateDays = duplicate_retention / 86_400 } = options;
    const total = { messages: 0, mailboxes: 0 };
    let failure: unknown = null;
    for (const owner of this.parts.readers.directory.owners()) {
      if (options.userid !== undefined && owner.userid !== options.userid) continue;
      try {
        for (let more = true; more;) {
          const done = await this.change({
            op: 'expire',
            owner: owner.id,
            expungedBefore: before(expungeDays),
            deletedBefore: before(deleteDays),
            deliveredBefore: before(duplicateDays),
            marksBefore: duplicateDays === null ? 0 : now,
          }) as { messages: number; mailboxes: number; more: boolean };
          total.messages += done.messages;
          total.mailboxes += done.mailboxes;
          more = done.more;
        }
      } catch (error) {
        // Removed meanwhile, or closed for repair: the others still get their turn.
        if (!(error instanceof MailError && error.code === 'nonexistent')) failure ??= error;
      }
    }
    step('expire.done');
    if (failure !== null) throw failure;
    return total;
  }

  private async reconstruct(userid: string, from: ReconstructSource): Promise<ReconstructReport> {
    const { settings } = this.parts;
    const wrong = checkDirectory(this.layout.directory).find(({ severity }) => severity === 'damage');
    if (wrong !== undefined) {
      this.link.suspect(0, wrong.text);
      throw serverError(
        `directory.db is damaged (${wrong.text}): the writer makes it anew now; run this once more`,
      );
    }
    if (from !== 'spool') return await this.reconstructFromLog(userid, from === 'snapshot');
    await this.change({ op: 'replaceowner', userid });
    const owner = this.parts.owner(userid);
    if (owner === null) throw userError('nouser', `There is no user ${userid}`);
    const { adopted, damaged } = await adoptFiles(
      settings,
      owner,
      (change, blobs) => this.change(change, blobs),
    );
    return { records: 0, messages: adopted, adopted, mended: [], damaged };
  }

  private async reconstructFromLog(userid: string, acceptLoss: boolean): Promise<ReconstructReport> {
    const { readers, settings, spool } = this.parts;
    const owner = this.parts.owner(userid);
    if (owner === null) throw userError('nouser', `There is no user ${userid}`);
    let exact = !acceptLoss;
    let { records, snapshot: start } = await this.link.rebuild(owner.id, false).catch((error: unknown) => {
      // What can be had exactly is; only else something is given up.
      if (!acceptLoss || !(error instanceof MailError) || error.kind !== 'server') throw error;
      return { records: 0, snapshot: -1 };
    });
    if (start === -1) ({ records, snapshot: start } = await this.link.rebuild(owner.id, true));
    else exact = true;
    readers.drop(owner.id);
    let adopted = 0;
    if (!exact) {
      await this.change({ op: 'raise', owner: owner.id, uids: UNKNOWN_UIDS, newUidvalidity: false });
      const later = (path: string) => !(partFileLsn(path) <= start);
      ({ adopted } = await adoptFiles(settings, owner, (change, blobs) => this.change(change, blobs), later));
    }
    const messages = readers.of(owner).mailboxes().reduce((sum, row) => sum + row.messages, 0);
    const snapshot = snapshotPath(spool.partition(owner.partition), owner.folder);
    if (!exact || existsSync(snapshot) && !isSnapshot(snapshot, owner.id)) {
      makeSnapshot(this.layout.index(owner.folder), snapshot, owner.id);
    }
    return { records, messages, adopted, ...await this.mend(owner) };
  }

  /** Message files that are damaged get their bytes back where those still are. */
  private async mend(owner: OwnerRow): Promise<{ mended: string[]; damaged: string[] }> {
    const { readers, settings } = this.parts;
    const found = await damagedParts(settings, owner, () => readers.of(owner), () => Promise.resolve());
    const mended = new Set<string>();
    for (const { part, stage } of findCopies(settings, readers.directory.owners(), found)) {
      const { id, partition, file, path } = part;
      if (await this.link.mend({ owner: owner.id, part: id, partition, file, stage })) mended.add(path);
    }
    const damaged = found.filter(({ path }) => !mended.has(path))
      .map((part) => describeDamage(part, owner, readers.of(owner)));
    return { mended: [...mended], damaged };
  }

  async close(): Promise<void> {
    this.parts.readers.close();
    await this.link.close();
  }
}

function target(request: DeliveryRequest, path: string, script: string | null): Target {
  const name: MailboxName = { owner: request.userid, path };
  return { name, userid: request.userid, script, poster: request.poster };
}

/** Whether a message of this size does not fit the quota root. */
function isFull(reader: OwnerReader, root: string | null, size: number): boolean {
  const quota = root === null ? undefined : reader.quotas().find(({ path }) => path === root);
  return quota !== undefined &&
    (quota.storageLimit !== null && quota.storage + size > quota.storageLimit ||
      quota.messageLimit !== null && quota.messages + 1 > quota.messageLimit);
}
