/** The store as a worker or a tool holds it. */
import { existsSync } from 'node:fs';
import { MailError, serverError, userError } from '../../errors.ts';
import type {
  DeletedMailbox,
  DeliveryRequest,
  DeliveryResult,
  DeliveryTarget,
  Identity,
  MailboxName,
  ReconstructReport,
  ReconstructSource,
  Secrets,
  Stage,
  StagedMessage,
  Store,
  StoreAdmin,
  StoreSession,
} from '../border.ts';
import { checkDirectory } from '../check/index.ts';
import type { Layout } from '../layout.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { OwnerReader } from '../index/reader.ts';
import { damagedParts, describeDamage, findCopies } from '../reconstruct/mend.ts';
import { adoptFiles } from '../reconstruct/adopt.ts';
import { isSnapshot, makeSnapshot, snapshotPath } from '../snapshot.ts';
import { mayPost } from '../rights.ts';
import { isRefusal, type Received } from '../spool/stage.ts';
import { partFileLsn, type Spool } from '../spool/spool.ts';
import { UNKNOWN_UIDS } from '../writer/decide/restore.ts';
import type { Change, DeliveredTarget } from '../writer/requests.ts';
import type { Settings } from '../../config/settings.ts';
import type { WriterLink } from './link.ts';
import { StoreParts } from './parts.ts';
import { Session } from './session.ts';
import { step } from '../step.ts';

/** A target that remembers who posts. */
interface Target extends DeliveryTarget {
  readonly poster: Identity | null;
}

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
    const owner = this.parts.owner(request.userid);
    const reader = owner === null ? null : readers.of(owner);
    const inbox = reader?.mailbox('') ?? null;
    if (reader === null || inbox === null) {
      if (!settings.createonpost || settings.autocreatequota === 0) {
        throw userError('nouser', 'User unknown');
      }
      return target(request, '', null);
    }
    let row = inbox;
    if (request.detail !== null && request.detail !== '') {
      const path = settings.unixhierarchysep ? request.detail : request.detail.replaceAll('.', '/');
      const wanted = reader.mailbox(path);
      if (wanted !== null && mayPost(wanted.acl, request.poster)) row = wanted;
    }
    if (request.size !== null && row.quotaroot !== null) {
      const quota = reader.quotas().find((candidate) => candidate.path === row.quotaroot);
      const full = quota !== undefined &&
        (quota.storageLimit !== null && quota.storage + request.size > quota.storageLimit ||
          quota.messageLimit !== null && quota.messages + 1 > quota.messageLimit);
      if (full) throw userError('overquota', 'Over quota');
    }
    return target(request, row.path, owner === null ? null : readers.directory.script(owner.id));
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
    message: StagedMessage,
    targets: readonly DeliveryTarget[],
    options: { ignoreQuota: boolean; flags?: readonly string[] },
  ): Promise<DeliveryResult[]> {
    const { data, blobs } = (message as Received).hand();
    try {
      const answers = await this.change({
        op: 'deliver',
        targets: targets.map((to) => ({
          userid: to.userid,
          path: to.name.path,
          poster: (to as Target).poster ?? null,
        })),
        message: data,
        ignoreQuota: options.ignoreQuota,
        flags: [...options.flags ?? []],
      }, blobs) as DeliveredTarget[];
      if (answers.every((answer) => answer.uid === undefined)) (message as Received).forget();
      return targets.map((to, at) => resultOf(to, answers[at] as DeliveredTarget));
    } catch (thrown) {
      if (isRefusal(thrown)) (message as Received).forget();
      const error = thrown instanceof MailError
        ? thrown
        : new MailError('server', 'unavailable', 'the message could not be stored', thrown);
      return targets.map((to) => ({ target: to, error }));
    }
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

  private async expire(
    options: { expungeDays: number; deleteDays: number },
  ): Promise<{ messages: number; mailboxes: number }> {
    const now = Math.floor(Date.now() / 1000);
    const before = (days: number) => now - Math.round(days * 86_400) + (days === 0 ? 1 : 0);
    const total = { messages: 0, mailboxes: 0 };
    let failure: unknown = null;
    for (const owner of this.parts.readers.directory.owners()) {
      try {
        for (let more = true; more;) {
          const done = await this.change({
            op: 'expire',
            owner: owner.id,
            expungedBefore: before(options.expungeDays),
            deletedBefore: before(options.deleteDays),
            deliveredBefore: now - this.parts.settings.duplicate_retention,
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

function resultOf(to: DeliveryTarget, answer: DeliveredTarget): DeliveryResult {
  if (answer.error !== undefined) {
    const { kind, code, text } = answer.error;
    return {
      target: to,
      error: new MailError(kind as MailError['kind'], code as MailError['code'], text),
    };
  }
  const placed: DeliveryTarget = { ...to, name: { owner: to.userid, path: answer.path } };
  return answer.uid === undefined || answer.uidvalidity === undefined
    ? { target: placed }
    : { target: placed, uid: answer.uid, uidvalidity: answer.uidvalidity };
}
