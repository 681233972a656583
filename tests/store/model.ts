/**
 * The store as plain objects: slow, obvious, no files. Every operation answers like the store's or throws the code of its
 * error. Modseqs are not computed: each change is stamped with the step it happened in.
 */
import { FULL_RIGHTS } from '../../src/store/rights.ts';

import {
  type ModelBox,
  type ModelMessage,
  type ModelMessageId,
  type ModelOwner,
  type Name,
  Refused,
  type Who,
} from './modelparts.ts';

export * from './modelparts.ts';

const SYSTEM = ['\\answered', '\\flagged', '\\draft', '\\deleted', '\\seen'];

export function keyOf(name: Name): string {
  return `${name.owner}\u0000${name.path}`;
}

export class Model {
  readonly owners = new Map<string, ModelOwner>();
  step = 0;
  private order = 0;

  constructor(private readonly autocreatequota: number) {}

  box(name: Name): ModelBox | undefined {
    return this.owners.get(name.owner)?.boxes.find((box) => !box.deleted && box.path === name.path);
  }

  rights(who: Who, owner: string, box: ModelBox): string {
    let give = '';
    let deny = '';
    for (const [identifier, rights] of box.acl) {
      if (identifier === who.userid || identifier === 'anyone') give += rights;
      if (identifier === `-${who.userid}` || identifier === '-anyone') deny += rights;
    }
    let has = [...give].filter((letter) => !deny.includes(letter)).join('');
    if (who.userid === owner || who.admin) has += 'lkxa';
    return has;
  }

  /** The mailbox if it is there and may be looked up. */
  find(who: Who, name: Name): { box: ModelBox; rights: string } {
    const box = this.box(name);
    const rights = box === undefined ? '' : this.rights(who, name.owner, box);
    if (box === undefined || !/[lr]/.test(rights)) throw new Refused('nonexistent');
    return { box, rights };
  }

  private need(rights: string, letters: string): void {
    for (const letter of letters) if (!rights.includes(letter)) throw new Refused('noperm');
  }

  quotaroot(owner: string, path: string): string | null {
    const quotas = this.owners.get(owner)?.quotas;
    for (let at = path;; at = at.includes('/') ? at.slice(0, at.lastIndexOf('/')) : '') {
      if (quotas?.has(at)) return at;
      if (at === '') return null;
    }
  }

  used(owner: string, root: string): { storage: number; messages: number } {
    const sum = { storage: 0, messages: 0 };
    for (const box of this.owners.get(owner)?.boxes ?? []) {
      if (box.deleted || this.quotaroot(owner, box.path) !== root) continue;
      for (const { size } of box.messages.values()) {
        sum.storage += size;
        sum.messages++;
      }
    }
    return sum;
  }

  private checkQuota(owner: string, box: ModelBox, size: number, count: number): void {
    const root = this.quotaroot(owner, box.path);
    if (root === null) return;
    const limit = this.owners.get(owner)?.quotas.get(root);
    const used = this.used(owner, root);
    if (limit === undefined) return;
    if (limit.storage !== null && used.storage + size > limit.storage) throw new Refused('overquota');
    if (limit.messages !== null && used.messages + count > limit.messages) throw new Refused('overquota');
  }

  private ensureOwner(userid: string): ModelOwner {
    let owner = this.owners.get(userid);
    if (owner === undefined) {
      owner = { boxes: [], quotas: new Map(), subscriptions: new Set() };
      this.owners.set(userid, owner);
    }
    return owner;
  }

  private make(userid: string, path: string): ModelBox {
    const owner = this.ensureOwner(userid);
    let parent: ModelBox | undefined;
    if (path !== '') {
      const above = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
      parent = this.box({ owner: userid, path: above }) ??
        (above === '' ? undefined : this.make(userid, above));
    }
    const box: ModelBox = {
      order: this.order++,
      path,
      uidnext: 1,
      messages: new Map(),
      expunged: new Map(),
      seen: new Map(),
      keywords: new Set(),
      acl: new Map(parent?.acl ?? [[userid, FULL_RIGHTS]]),
      delivered: new Set(),
      deleted: false,
      changed: this.step,
    };
    owner.boxes.push(box);
    return box;
  }

  createUser(userid: string): void {
    const owner = this.ensureOwner(userid);
    if (!owner.quotas.has('')) owner.quotas.set('', { storage: this.autocreatequota, messages: null });
    if (this.box({ owner: userid, path: '' }) === undefined) this.make(userid, '');
  }

  private add(box: ModelBox, message: Omit<ModelMessage, 'touched'>): number {
    const uid = box.uidnext++;
    for (const flag of message.flags) if (!flag.startsWith('\\')) box.keywords.add(flag);
    box.messages.set(uid, { ...message, touched: this.step });
    box.changed = this.step;
    return uid;
  }

  /** One target of a delivery: its UID, or null for a duplicate. */
  deliver(
    userid: string,
    detail: string | null,
    message: ModelMessageId,
  ): { uid: number | null; path: string } {
    if (this.box({ owner: userid, path: '' }) === undefined) this.createUser(userid);
    let box = this.box({ owner: userid, path: '' }) as ModelBox;
    const wanted = detail === null ? undefined : this.box({ owner: userid, path: detail });
    if (wanted !== undefined) {
      const has = (identifier: string) => wanted.acl.get(identifier)?.includes('p') ?? false;
      if ((has('anyone') || has('anonymous')) && !has('-anyone') && !has('-anonymous')) box = wanted;
    }
    if (box.delivered.has(message.id)) return { uid: null, path: box.path };
    this.checkQuota(userid, box, message.text.length, 1);
    box.delivered.add(message.id);
    const { text } = message;
    return {
      uid: this.add(box, { text, size: text.length, internaldate: null, flags: new Set() }),
      path: box.path,
    };
  }

  /** What a script files into several mailboxes: all of them or none. UIDs, or null for a duplicate. */
  file(
    userid: string,
    names: readonly Name[],
    message: ModelMessageId,
    flags: readonly string[],
  ): (number | null)[] {
    const who = { userid, admin: false };
    if (this.box({ owner: userid, path: '' }) === undefined) this.createUser(userid);
    const places = names.map((name) => {
      const own = name.owner === userid && name.path === '' ? this.box(name) : undefined;
      if (own !== undefined) return { name, box: own, rights: this.rights(who, userid, own) };
      const found = this.find(who, name);
      this.need(found.rights, 'i');
      return { name, ...found };
    });
    const boxes = [...new Set(places.map(({ box }) => box))].filter((box) => !box.delivered.has(message.id));
    const counts = new Map<string, number>();
    for (const box of boxes) {
      const { name: { owner } } = places.find((place) => place.box === box) as (typeof places)[number];
      const root = `${owner} ${this.quotaroot(owner, box.path)}`;
      const count = (counts.get(root) ?? 0) + 1;
      counts.set(root, count);
      this.checkQuota(owner, box, message.text.length * count, count);
    }
    const uids = new Map<ModelBox, number>();
    for (const { name, box, rights } of places) {
      if (!boxes.includes(box) || uids.has(box)) continue;
      box.delivered.add(message.id);
      uids.set(box, this.put(who, name, box, rights, message.text, flags, null));
    }
    return places.map(({ box }) => uids.get(box) ?? null);
  }

  append(who: Who, name: Name, text: string, flags: readonly string[], internaldate: number | null): number {
    const { box, rights } = this.find(who, name);
    this.need(rights, 'i');
    this.checkQuota(name.owner, box, text.length, 1);
    return this.put(who, name, box, rights, text, flags, internaldate);
  }

  private put(
    who: Who,
    name: Name,
    box: ModelBox,
    rights: string,
    text: string,
    flags: readonly string[],
    internaldate: number | null,
  ): number {
    const allowed = new Set(flags.map((flag) => flag.toLowerCase()).filter((flag) => this.may(rights, flag)));
    const seen = allowed.has('\\seen');
    if (who.userid !== name.owner) allowed.delete('\\seen');
    const uid = this.add(box, { text, size: text.length, internaldate, flags: allowed });
    if (seen && who.userid !== name.owner) this.seenOf(box, who.userid).add(uid);
    return uid;
  }

  private may(rights: string, flag: string): boolean {
    return rights.includes(flag === '\\seen' ? 's' : flag === '\\deleted' ? 't' : 'w');
  }

  seenOf(box: ModelBox, userid: string): Set<number> {
    let seen = box.seen.get(userid);
    if (seen === undefined) {
      seen = new Set();
      box.seen.set(userid, seen);
    }
    return seen;
  }

  /** Flags as this user sees them. */
  flagsFor(who: Who, owner: string, box: ModelBox, uid: number): Set<string> {
    const flags = new Set(box.messages.get(uid)?.flags);
    if (who.userid === owner) return flags;
    flags.delete('\\seen');
    if (box.seen.get(who.userid)?.has(uid)) flags.add('\\seen');
    return flags;
  }

  /** What SELECT of this mailbox needs; true when it opens read-only. */
  select(who: Who, name: Name): { box: ModelBox; rights: string; readOnly: boolean } {
    const found = this.find(who, name);
    this.need(found.rights, 'r');
    return { ...found, readOnly: !/[stwe]/.test(found.rights) };
  }

  store(
    who: Who,
    name: Name,
    uids: readonly number[],
    operation: 'add' | 'remove' | 'replace',
    flags: readonly string[],
    unchangedSinceStep: number | null,
  ): { changed: number[]; modified: number[] } {
    const { box, rights, readOnly } = this.select(who, name);
    if (readOnly) throw new Refused('readonly');
    if (!/[stw]/.test(rights)) throw new Refused('noperm');
    const makes = rights.includes('w') && operation !== 'remove';
    const named = flags.map((flag) => flag.toLowerCase()).filter((flag) =>
      SYSTEM.includes(flag) || makes || box.keywords.has(flag)
    );
    const wanted = named.filter((flag) => this.may(rights, flag));
    if (operation !== 'replace' && named.length > 0 && wanted.length === 0) throw new Refused('noperm');
    for (const flag of named) if (makes && !flag.startsWith('\\')) box.keywords.add(flag);
    const own = who.userid === name.owner;
    const changed: number[] = [];
    const modified: number[] = [];
    for (const uid of uids) {
      const message = box.messages.get(uid);
      if (message === undefined) continue;
      if (unchangedSinceStep !== null && message.touched > unchangedSinceStep) {
        modified.push(uid);
        continue;
      }
      const before = this.flagsFor(who, name.owner, box, uid);
      const after = new Set(before);
      if (operation === 'replace') {
        for (const flag of before) if (this.may(rights, flag)) after.delete(flag);
      }
      for (const flag of wanted) {
        if (operation === 'remove') after.delete(flag);
        else after.add(flag);
      }
      if (same(before, after)) continue;
      changed.push(uid);
      const seen = after.has('\\seen');
      box.changed = this.step;
      if (!own) {
        if (seen) this.seenOf(box, who.userid).add(uid);
        else this.seenOf(box, who.userid).delete(uid);
        after.delete('\\seen');
        before.delete('\\seen');
        if (same(before, after)) continue;
        if (message.flags.has('\\seen')) after.add('\\seen');
      }
      message.flags = after;
      message.touched = this.step;
    }
    return { changed, modified };
  }

  expunge(who: Who, name: Name, uids: readonly number[] | null): number[] {
    const { box, rights, readOnly } = this.select(who, name);
    if (readOnly) throw new Refused('readonly');
    this.need(rights, 'e');
    const gone: number[] = [];
    for (const [uid, { flags }] of box.messages) {
      if (flags.has('\\deleted') && (uids === null || uids.includes(uid))) gone.push(uid);
    }
    for (const uid of gone) this.remove(box, uid);
    return gone;
  }

  private remove(box: ModelBox, uid: number): void {
    box.messages.delete(uid);
    box.expunged.set(uid, this.step);
    box.changed = this.step;
  }

  copy(
    who: Who,
    from: Name,
    uids: readonly number[],
    to: Name,
    move: boolean,
  ): { source: number[]; destination: number[] } {
    const source = this.select(who, from);
    if (move && source.readOnly) throw new Refused('readonly');
    this.need(source.rights, move ? 'rte' : 'r');
    const target = this.find(who, to);
    this.need(target.rights, 'i');
    const taken = uids.filter((uid) => source.box.messages.has(uid));
    if (taken.length === 0) return { source: [], destination: [] };
    const sameRoot = from.owner === to.owner &&
      this.quotaroot(from.owner, from.path) === this.quotaroot(to.owner, to.path);
    const size = taken.reduce((sum, uid) => sum + (source.box.messages.get(uid) as ModelMessage).size, 0);
    if (!(move && sameRoot)) this.checkQuota(to.owner, target.box, size, taken.length);
    const destination: number[] = [];
    for (const uid of taken) {
      const { text, size: bytes, internaldate } = source.box.messages.get(uid) as ModelMessage;
      const flags = new Set(
        [...this.flagsFor(who, from.owner, source.box, uid)].filter((flag) => this.may(target.rights, flag)),
      );
      const seen = flags.has('\\seen');
      if (who.userid !== to.owner) flags.delete('\\seen');
      const made = this.add(target.box, { text, size: bytes, internaldate, flags });
      if (seen && who.userid !== to.owner) this.seenOf(target.box, who.userid).add(made);
      destination.push(made);
    }
    if (move) { for (const uid of taken) this.remove(source.box, uid); }
    return { source: taken, destination };
  }

  private mayCreate(who: Who, name: Name): void {
    if (who.admin) return;
    for (let path = name.path; path !== '';) {
      path = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
      const box = this.box({ owner: name.owner, path });
      if (box === undefined) continue;
      const rights = this.rights(who, name.owner, box);
      this.need(rights, 'lk');
      return;
    }
    throw new Refused('noperm');
  }

  create(who: Who, name: Name): void {
    const there = this.box(name);
    if (there !== undefined) {
      if (!this.rights(who, name.owner, there).includes('l')) this.mayCreate(who, name);
      throw new Refused('alreadyexists');
    }
    if (name.path === '' && name.owner === who.userid && !who.admin) return this.createUser(name.owner);
    this.mayCreate(who, name);
    this.make(name.owner, name.path);
  }

  delete(who: Who, name: Name): void {
    const { box, rights } = this.find(who, name);
    if (name.path === '' && !who.admin) throw new Refused('cannot');
    this.need(rights, 'x');
    const boxes = (this.owners.get(name.owner) as ModelOwner).boxes;
    for (const gone of name.path === '' ? boxes : [box]) {
      if (gone.deleted) continue;
      gone.deleted = true;
      gone.changed = this.step;
    }
  }

  rename(who: Who, from: Name, to: Name): void {
    const { box, rights } = this.find(who, from);
    if (to.owner !== from.owner) throw new Refused('cannot');
    if (!who.admin) this.need(rights, from.path === '' ? 'rte' : 'x');
    const there = this.box(to);
    if (there === undefined || !this.rights(who, to.owner, there).includes('l')) this.mayCreate(who, to);
    if (there !== undefined) throw new Refused('alreadyexists');
    if (from.path === '') {
      const target = this.make(to.owner, to.path);
      for (const keyword of box.messages.size > 0 ? box.keywords : []) target.keywords.add(keyword);
      for (const [uid, { touched: _, flags, ...message }] of [...box.messages]) {
        this.add(target, { ...message, flags: new Set(flags) });
        this.remove(box, uid);
      }
      return;
    }
    if (to.path.startsWith(`${from.path}/`)) throw new Refused('cannot');
    const boxes = (this.owners.get(from.owner) as ModelOwner).boxes;
    const moved = boxes.filter((other) =>
      !other.deleted && (other === box || other.path.startsWith(`${from.path}/`))
    );
    for (const other of moved) {
      const path = to.path + other.path.slice(from.path.length);
      if (this.box({ owner: to.owner, path }) !== undefined) throw new Refused('alreadyexists');
    }
    const above = to.path.includes('/') ? to.path.slice(0, to.path.lastIndexOf('/')) : '';
    if (above !== '' && this.box({ owner: to.owner, path: above }) === undefined) this.make(to.owner, above);
    for (const other of moved) {
      other.path = to.path + other.path.slice(from.path.length);
      other.changed = this.step;
    }
  }

  subscribe(who: Who, name: Name, on: boolean): void {
    const owner = this.owners.get(who.userid);
    if (owner === undefined) throw new Refused('cannot');
    if (on) owner.subscriptions.add(keyOf(name));
    else owner.subscriptions.delete(keyOf(name));
  }

  setAcl(who: Who, name: Name, identifier: string, rights: string): void {
    const { box, rights: own } = this.find(who, name);
    this.need(own, 'a');
    if (rights === '') box.acl.delete(identifier);
    else box.acl.set(identifier, rights);
  }

  setQuota(root: Name, limits: { storage: number | null; messages: number | null }): void {
    if (this.box(root) === undefined) throw new Refused('nonexistent');
    const { quotas } = this.owners.get(root.owner) as ModelOwner;
    if (limits.storage === null && limits.messages === null) quotas.delete(root.path);
    else quotas.set(root.path, limits);
  }

  undelete(owner: string, box: ModelBox, path: string): void {
    if (this.box({ owner, path }) !== undefined) throw new Refused('alreadyexists');
    box.deleted = false;
    box.path = path;
    box.changed = this.step;
  }

  /** An expiry run for everything. */
  expire(): void {
    for (const owner of this.owners.values()) {
      owner.boxes = owner.boxes.filter((box) => !box.deleted);
      for (const box of owner.boxes) box.expunged.clear();
    }
  }

  purge(userid: string): void {
    this.owners.delete(userid);
  }
}

export function same<Item>(a: ReadonlySet<Item>, b: ReadonlySet<Item>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}
