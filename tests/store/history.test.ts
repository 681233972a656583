/**
 * Random histories of every operation by several users, compared with the model in model.ts: answers, refusals, lists,
 * counters, rows, quotas and what changed since; what selected sessions were told; and the same again after restarts,
 * also from databases as of an earlier moment.
 */
import { expect, test } from 'bun:test';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MailError } from '../../src/errors.ts';
import type { StoreSession } from '../../src/store/border.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { layoutOf } from '../../src/store/layout.ts';
import { breakClaim } from '../../src/store/writer/committed.ts';
import { Random } from '../harness/random.ts';
import { Choices, PATHS, USERS } from './choices.ts';
import { keyOf, Model, type ModelBox, type Name, Refused, type Who } from './model.ts';
import { damage, TestFolders, TestStore } from './teststore.ts';
import { flagText, list, pages, Watcher } from './watcher.ts';

const RIGHTS = ['', 'l', 'lr', 'lrs', 'lrsip', 'lrswipkxtea', 'lrwi', 'lrtei', 'r', 'p', 'lrste'];
const QUOTA = 6000;

const all = UidSet.range(1, 0xfffffffe);

class History extends Choices {
  readonly folders: TestFolders;
  t: TestStore;
  watchers: Watcher[] = [];
  /** UIDVALIDITY to the mailbox that has it, for ever. */
  readonly validities = new Map<number, ModelBox>();
  readonly ids = new Map<ModelBox, string>();
  /** Steps and the HIGHESTMODSEQ after them. */
  readonly modseqs = new Map<ModelBox, { step: number; modseq: number }[]>();
  private saved = false;

  constructor(seed: number) {
    super(new Random(seed), new Model(QUOTA));
    this.folders = new TestFolders({
      autocreatequota: QUOTA,
      duplicatesuppression: true,
      log_segment_size: 20_000,
    });
    this.t = new TestStore(this.folders);
  }

  session(who: Who): StoreSession {
    return this.t.as(who.userid, { admin: who.admin });
  }

  /** Both sides do it; the answers or the refusals must be the same. */
  private async same<Answer>(expected: () => Answer, actual: () => Promise<unknown>): Promise<void> {
    let answer: unknown;
    let refusal = '';
    try {
      answer = expected() ?? null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refusal = error.code;
    }
    let got: unknown = null;
    let refused = '';
    try {
      got = await actual() ?? null;
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      refused = error.code;
    }
    expect(refused).toBe(refusal);
    if (refusal === '') expect(got).toEqual(answer);
  }

  async step(): Promise<void> {
    const { model, random } = this;
    model.step++;
    const { who, name } = this.both();
    const session = this.session(who);
    const box = model.box(name);
    const select = () => session.select(name, false, () => {});

    switch (random.below(26)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const mail = this.text();
        const targets = USERS.filter(() => random.oneIn(2)).map((user) =>
          random.oneIn(3) ? `${user}+${random.pick(PATHS)}` : user
        );
        if (targets.length === 0) return;
        await this.same(
          () =>
            targets.map((to) => {
              const [user, detail] = to.split('+');
              try {
                return model.deliver(user as string, detail || null, mail).uid;
              } catch (error) {
                if (error instanceof Refused) return error.code;
                throw error;
              }
            }),
          async () =>
            (await this.t.deliver(mail.text, ...targets)).map((result) =>
              result.error?.code ?? result.uid ?? null
            ),
        );
        return;
      }
      case 24:
      case 25: {
        const user = random.pick(USERS);
        const mail = this.text();
        const names = Array.from(
          { length: 1 + random.below(3) },
          () => random.oneIn(4) ? this.name() : this.existing(random.oneIn(3) ? random.pick(USERS) : user),
        );
        const flags = this.flags();
        return this.same(
          () => model.file(user, names, mail, flags),
          async () => {
            const { store } = this.t;
            const target = await store.recipient({ userid: user, detail: null, poster: null, size: null });
            const stage = store.stage(0);
            stage.write(Buffer.from(mail.text, 'latin1'));
            const placements = names.map((mailbox) => ({ mailbox, flags }));
            const [result] = await store.deliver([{ target, message: await stage.finish(), placements }], {
              ignoreQuota: false,
            });
            if (result?.error !== undefined) throw result.error;
            return result?.placed?.map(({ uid }) => uid);
          },
        );
      }
      case 4:
      case 5: {
        const { text } = this.text();
        const flags = this.flags();
        const date = random.oneIn(2) ? 1_000_000_000 + random.below(1000) : null;
        return this.same(
          () => model.append(who, name, text, flags, date),
          async () => (await this.t.append(session, name, text, flags, date)).uid,
        );
      }
      case 6:
      case 7:
      case 8:
      case 9: {
        const uids = this.uids(box);
        const operation = random.pick(['add', 'remove', 'replace'] as const);
        const flags = this.flags();
        const past = box !== undefined && random.oneIn(3) ? this.modseqs.get(box) : undefined;
        const since = past === undefined || past.length === 0 ? null : random.pick(past);
        return this.same(
          () => model.store(who, name, uids, operation, flags, since?.step ?? null),
          async () => {
            const handle = await select();
            const { changed, modified } = await handle.store(
              UidSet.fromSorted(uids),
              operation,
              flags,
              since?.modseq,
            );
            handle.close();
            return { changed: list(changed), modified: list(modified) };
          },
        );
      }
      case 10:
      case 11: {
        const uids = random.oneIn(2) ? null : this.uids(box);
        return this.same(
          () => model.expunge(who, name, uids),
          async () => {
            const handle = await select();
            const { expunged } = await handle.expunge(uids === null ? null : UidSet.fromSorted(uids));
            return list(expunged);
          },
        );
      }
      case 12:
      case 13:
      case 14: {
        const uids = this.uids(box);
        const to = random.oneIn(4)
          ? this.name()
          : this.existing(random.oneIn(2) ? name.owner : random.pick(USERS));
        const move = random.oneIn(2);
        return this.same(
          () => model.copy(who, name, uids, to, move),
          async () => {
            const handle = await select();
            const set = UidSet.fromSorted(uids);
            const { source, destination } = await (move ? handle.move(set, to) : handle.copy(set, to));
            return { source: list(source), destination: list(destination) };
          },
        );
      }
      case 15:
      case 16:
        return this.same(() => model.create(who, name), () => session.create(name).then(() => null));
      case 17:
        return this.same(() => model.delete(who, name), () => session.delete(name));
      case 18: {
        const to = {
          owner: random.oneIn(9) ? random.pick(USERS) : name.owner,
          path: random.pick([...PATHS, 'New/deep']),
        };
        if (to.path === '') return;
        return this.same(() => model.rename(who, name, to), () => session.rename(name, to));
      }
      case 19: {
        const on = !random.oneIn(3);
        return this.same(() => model.subscribe(who, name, on), () => session.subscribe(name, on));
      }
      case 20:
      case 21: {
        const identifier = random.pick([...USERS, ...USERS, 'anyone', '-bert']);
        const rights = random.pick(RIGHTS);
        return this.same(
          () => model.setAcl(who, name, identifier, rights),
          () => session.setAcl(name, identifier, rights === '' ? null : rights),
        );
      }
      case 22: {
        const limits = random.oneIn(3) ? { storage: null, messages: null } : {
          storage: random.oneIn(2) ? null : 2000 + random.below(6000),
          messages: random.oneIn(2) ? null : 3 + random.below(10),
        };
        return this.same(
          () => model.setQuota(name, limits),
          () => this.session({ userid: 'cyrus', admin: true }).setQuota(name, limits),
        );
      }
      default:
        return await this.rareStep(name);
    }
  }

  private async rareStep(name: Name): Promise<void> {
    const { model, random } = this;
    const gone = model.owners.get(name.owner)?.boxes.find((box) => box.deleted);
    switch (random.below(4)) {
      case 0:
        model.expire();
        await this.t.store.admin.expire({ expungeDays: 0, deleteDays: 0 });
        return;
      case 1:
        if (!random.oneIn(3)) return;
        model.purge(name.owner);
        await this.t.store.admin.purgeUser(name.owner);
        return;
      default: {
        if (gone === undefined) return;
        const mailboxid = this.ids.get(gone);
        // Made and deleted between two comparisons: its id is not known.
        if (mailboxid === undefined) return;
        await this.same(
          () => model.undelete(name.owner, gone, name.path),
          () => this.t.store.admin.undelete(mailboxid, name),
        );
      }
    }
  }

  /** Selects for a while; closes the oldest. */
  async watch(): Promise<void> {
    const { who, name } = this.both();
    const box = this.model.box(name);
    if (box === undefined || !this.model.rights(who, name.owner, box).includes('r')) return;
    const watcher = new Watcher(who, box, name.owner);
    watcher.handle = await this.session(who).select(
      name,
      this.random.oneIn(2),
      (change) => watcher.take(change),
    );
    watcher.read(watcher.handle.uids());
    this.watchers.push(watcher);
    if (this.watchers.length > 5) this.watchers.shift()?.handle.close();
  }

  compareWatchers(): void {
    for (const { who, box, owner, view, dead } of this.watchers) {
      expect(dead).toBe(
        box.deleted || this.model.owners.get(owner)?.boxes.includes(box) !== true ||
          !this.model.rights(who, owner, box).includes('r') || dead,
      );
      if (dead) continue;
      const expected = new Map<number, string>();
      for (const uid of box.messages.keys()) {
        expected.set(uid, [...this.model.flagsFor(who, owner, box, uid)].sort().join(' '));
      }
      expect(view).toEqual(expected);
    }
    this.watchers = this.watchers.filter(({ dead }) => !dead);
  }

  /** Everything as the owners see it, lists as everybody sees them. */
  async compare(): Promise<void> {
    expect(this.t.lines.lines).toEqual([]);
    for (const [userid, owner] of this.model.owners) {
      const who = { userid, admin: false };
      const session = this.session(who);
      for (const box of owner.boxes) if (!box.deleted) await this.compareBox(session, who, userid, box);
      for (const [path, limits] of owner.quotas) {
        const used = this.model.used(userid, path);
        expect(session.quota({ owner: userid, path })).toEqual({
          root: { owner: userid, path },
          storageUsed: used.storage,
          storageLimit: limits.storage,
          messagesUsed: used.messages,
          messagesLimit: limits.messages,
        });
      }
      expect(session.subscriptions().map(keyOf).sort()).toEqual([...owner.subscriptions].sort());
    }
    for (const userid of USERS) this.compareList({ userid, admin: false });
    this.compareList({ userid: 'cyrus', admin: true });
  }

  private compareList(who: Who): void {
    const visible: { name: Name; box: ModelBox }[] = [];
    for (const [owner, { boxes }] of this.model.owners) {
      for (const box of boxes) {
        if (!box.deleted && this.model.rights(who, owner, box).includes('l')) {
          visible.push({ name: { owner, path: box.path }, box });
        }
      }
    }
    const subscriptions = this.model.owners.get(who.userid)?.subscriptions;
    const expected = visible.map(({ name, box }) => ({
      key: keyOf(name),
      rights: [...new Set(this.model.rights(who, name.owner, box))].sort().join(''),
      hasChildren: visible.some((other) =>
        other.name.owner === name.owner && other.name.path !== '' &&
        (name.path === '' || other.name.path.startsWith(`${name.path}/`))
      ),
      subscribed: subscriptions?.has(keyOf(name)) ?? false,
    }));
    const listed = this.session(who).list().map(({ name, rights, hasChildren, subscribed }) => ({
      key: keyOf(name),
      rights: [...rights].sort().join(''),
      hasChildren,
      subscribed,
    }));
    const order = (a: { key: string }, b: { key: string }) => a.key < b.key ? -1 : 1;
    expect(listed.sort(order)).toEqual(expected.sort(order));
  }

  private async compareBox(session: StoreSession, who: Who, userid: string, box: ModelBox): Promise<void> {
    const name = { owner: userid, path: box.path };
    const info = session.info(name);
    const messages = [...box.messages.values()];
    const count = (test: (flags: Set<string>) => boolean) =>
      messages.filter(({ flags }) => test(flags)).length;
    expect({
      exists: info.exists,
      unseen: info.unseen,
      deleted: info.deleted,
      size: info.size,
      uidnext: info.uidnext,
    }).toEqual({
      exists: messages.length,
      unseen: count((flags) => !flags.has('\\seen')),
      deleted: count((flags) => flags.has('\\deleted')),
      size: messages.reduce((sum, { size }) => sum + size, 0),
      uidnext: box.uidnext,
    });
    // Promise 2: one UIDVALIDITY for ever, and for no other mailbox; modseq grows with every change.
    const owner = this.validities.get(info.uidvalidity) ?? box;
    expect(owner).toBe(box);
    this.validities.set(info.uidvalidity, box);
    this.ids.set(box, info.mailboxid);
    let past = this.modseqs.get(box);
    if (past === undefined) this.modseqs.set(box, past = []);
    const before = past.at(-1);
    if (before !== undefined) {
      if (box.changed > before.step) expect(info.highestmodseq).toBeGreaterThan(before.modseq);
      else expect(info.highestmodseq).toBe(before.modseq);
    }
    if (!info.rights.includes('r')) return;
    const handle = await session.select(name, true, () => {});
    const rows = [...pages(handle, all)];
    const living = new Set(box.messages.keys());
    expect(list(handle.uids())).toEqual([...living].sort((a, b) => a - b));
    expect(rows.map((row) => row[0])).toEqual([...living, ...box.expunged.keys()].sort((a, b) => a - b));
    for (const row of rows) {
      const expected = box.messages.get(row[0]);
      if (expected === undefined) continue;
      expect(row[4]).toBe(expected.size);
      if (expected.internaldate !== null) expect(row[5]).toBe(expected.internaldate);
      expect(flagText(row, handle.keywords)).toBe([...expected.flags].sort().join(' '));
      if (this.random.oneIn(4)) {
        const content = handle.content(row);
        expect(Buffer.from(content.read(0, content.size)).toString('latin1')).toBe(expected.text);
        content.close();
      }
    }
    const flagged = this.random.pick(['\\Seen', '\\Deleted', '\\Flagged']);
    const bit = { '\\Seen': 16, '\\Deleted': 8, '\\Flagged': 2 }[flagged] as number;
    expect(list(handle.withFlags({ lo: 0, hi: 0 }, { lo: bit, hi: 0 }))).toEqual(
      [...living].filter((uid) => !box.messages.get(uid)?.flags.has(flagged.toLowerCase())).sort((a, b) =>
        a - b
      ),
    );
    if (past.length > 0) {
      const since = this.random.pick(past);
      const { changed, expunged } = handle.changedSince(since.modseq);
      const touched = [...box.messages].filter(([, { touched }]) => touched > since.step).map(([uid]) => uid);
      expect(list(changed)).toEqual(touched.sort((a, b) => a - b));
      const gone = [...box.expunged].filter(([, step]) => step > since.step).map(([uid]) => uid);
      expect(list(expunged)).toEqual(gone.sort((a, b) => a - b));
    }
    past.push({ step: this.model.step, modseq: info.highestmodseq });
    handle.close();
    void who;
  }

  /** Keeps a copy of the databases, as they would come back after a loss of power. */
  save(): void {
    const { configdirectory } = this.folders.settings;
    rmSync(join(this.folders.root, 'saved'), { recursive: true, force: true });
    cpSync(configdirectory, join(this.folders.root, 'saved'), {
      recursive: true,
      filter: (source) => source !== this.folders.log,
    });
    this.saved = true;
  }

  async restart(): Promise<void> {
    const kind = this.random.below(4);
    for (const watcher of this.watchers) watcher.handle.close();
    this.watchers = [];
    if (kind === 0) await this.t.checkpoint();
    if (kind === 0) this.saved = false;
    if (kind === 1) this.t.abandon();
    else await this.t.close();
    if (kind > 1 && this.saved) {
      const { configdirectory } = this.folders.settings;
      breakClaim(layoutOf(this.folders.settings)); // it does not outlive a loss of power
      for (const name of ['user', 'directory.db', 'directory.db-wal', 'directory.db-shm']) {
        rmSync(join(configdirectory, name), { recursive: true, force: true });
        const from = join(this.folders.root, 'saved', name);
        if (existsSync(from)) cpSync(from, join(configdirectory, name), { recursive: true });
      }
    }
    this.t = new TestStore(this.folders, kind === 3);
    expect(this.t.lines.lines).toEqual([]);
    await this.compare();
  }
}

const seeds = process.env.STORE_SEED === undefined ? [1, 2, 3, 4, 5, 6] : [Number(process.env.STORE_SEED)];

test.each(seeds)('a random history of everything equals the model (seed %d)', async (seed) => {
  const history = new History(seed);
  try {
    for (let step = 0; step < 300; step++) {
      await history.step();
      history.compareWatchers();
      if (history.random.oneIn(6)) await history.watch();
      if (history.random.oneIn(10)) await history.compare();
      if (history.random.oneIn(30)) history.save();
      if (history.random.oneIn(35)) await history.restart();
    }
    await history.compare();
    expect(damage(history.folders.settings)).toEqual([]);
    await history.t.close();
    history.folders.remove();
  } catch (error) {
    throw new Error(`seed ${seed}, step ${history.model.step}, in ${history.folders.root}`, { cause: error });
  }
}, 60_000);
