/**
 * What a user's mailboxes must hold after a crash.
 *
 * 1. `folders` is exactly what was acknowledged.
 * 2. `arrived` are acknowledged messages whose UID nobody has told yet, each in one of the folders it may be in.
 * 3. `pending` are the changes that got no OK: each may have happened as a whole, once, or not at all.
 * 4. A UID once seen under a uidvalidity means the same message for ever.
 */

export interface Message {
  readonly id: string;
  readonly flags: ReadonlySet<string>;
}

/** The uidvalidity of a folder whose CREATE was acknowledged and nothing else is known of yet. */
export const UNKNOWN = 0;

/** A mailbox as acknowledged. */
export interface Folder {
  readonly uidvalidity: number;
  readonly messages: Map<number, Message>;
  /** Rights by identifier, without the owner's. */
  readonly acl: Map<string, string>;
  /** Its special use (RFC 6154), or ''. */
  readonly use: string;
}

export interface FoundFolder extends Folder {
  readonly uidnext: number;
  readonly highestmodseq: number;
}

/** Everything a client finds of a user. */
export interface FoundUser {
  readonly folders: ReadonlyMap<string, FoundFolder>;
  readonly subscribed: ReadonlySet<string>;
  readonly messageLimit: number | null;
  readonly password: string;
}

export type FlagChange = 'add' | 'remove' | 'replace';

/** A change that was sent and not acknowledged. */
export type Pending =
  | { readonly kind: 'add'; readonly folders: string[]; readonly id: string }
  | { readonly kind: 'adds'; readonly folder: string; readonly ids: readonly string[] }
  | {
    readonly kind: 'flag';
    readonly folder: string;
    readonly uids: readonly number[];
    readonly change: FlagChange;
    readonly flags: readonly string[];
  }
  | {
    readonly kind: 'copy' | 'move';
    readonly folder: string;
    readonly uids: readonly number[];
    readonly to: string;
    /** Whose mailbox `to` is. */
    readonly owner: UserModel;
  }
  | { readonly kind: 'expunge'; readonly folder: string; readonly uids: readonly number[] }
  | { readonly kind: 'create'; readonly folder: string; readonly use: string }
  | { readonly kind: 'delete'; readonly folder: string }
  | { readonly kind: 'undelete'; readonly folder: string; readonly content: Folder }
  | { readonly kind: 'rename'; readonly folder: string; readonly to: string }
  | { readonly kind: 'renameinbox'; readonly to: string }
  | { readonly kind: 'subscribe'; readonly folder: string; readonly on: boolean }
  | {
    readonly kind: 'acl';
    readonly folder: string;
    readonly identifier: string;
    readonly rights: string | undefined;
  }
  | { readonly kind: 'quota'; readonly messageLimit: number }
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'purge' };

interface Past {
  readonly ids: Map<number, string>;
  uidnext: number;
  highestmodseq: number;
}

/** The flags of a message after STORE. */
export function flagged(
  before: ReadonlySet<string>,
  change: FlagChange,
  flags: readonly string[],
): ReadonlySet<string> {
  if (change === 'replace') return new Set(flags);
  return change === 'add' ? before.union(new Set(flags)) : before.difference(new Set(flags));
}

export class UserModel {
  readonly name: string;
  password: string;
  folders = new Map<string, Folder>();
  arrived: { readonly id: string; readonly folders: string[] }[] = [];
  subscribed = new Set<string>();
  messageLimit: number | null = null;
  /** The user is being removed and made anew. */
  mayBeMissing = false;
  readonly pending = new Set<Pending>();
  /** Deleted folders that can be brought back, the last of each name. */
  readonly deleted = new Map<string, Folder>();
  /** All that was ever seen, by folder name and uidvalidity. */
  readonly #past = new Map<string, Past>();
  readonly #highestUidvalidity = new Map<string, number>();

  constructor(name: string, password: string) {
    this.name = name;
    this.password = password;
  }

  folder(name: string): Folder {
    const folder = this.folders.get(name);
    if (folder === undefined) throw new Error(`the model of ${this.name} has no ${name}`);
    return folder;
  }

  /** A folder was created; returns what is wrong with its uidvalidity (RFC 9051 §2.3.1.1). */
  create(name: string, uidvalidity: number, use = ''): string[] {
    const highest = this.#highestUidvalidity.get(name) ?? 0;
    this.#highestUidvalidity.set(name, Math.max(highest, uidvalidity));
    const parent = this.folders.get(name.slice(0, Math.max(0, name.lastIndexOf('/'))));
    const { acl = new Map(parent?.acl), use: before = use } = this.folders.get(name) ?? {};
    this.folders.set(name, { uidvalidity, messages: new Map(), acl, use: before });
    return uidvalidity === UNKNOWN || uidvalidity > highest
      ? []
      : [`${name}: created anew with uidvalidity ${uidvalidity} after ${highest}`];
  }

  remove(name: string): void {
    const folder = this.folders.get(name);
    if (folder !== undefined) this.deleted.set(name, folder);
    this.folders.delete(name);
  }

  /** Renames in the model: the folder and those below it; what was seen of them goes along. */
  rename(from: string, to: string): void {
    for (const [name, folder] of [...this.folders]) {
      if (name !== from && !name.startsWith(`${from}/`)) continue;
      const renamed = to + name.slice(from.length);
      this.folders.delete(name);
      this.folders.set(renamed, folder);
      const past = this.#past.get(`${name} ${folder.uidvalidity}`);
      if (past !== undefined) this.#past.set(`${renamed} ${folder.uidvalidity}`, past);
      const highest = Math.max(this.#highestUidvalidity.get(renamed) ?? 0, folder.uidvalidity);
      this.#highestUidvalidity.set(renamed, highest);
    }
  }

  /** Where a message that is delivered now may be found: INBOX may be renamed at any moment. */
  inboxes(): string[] {
    return [
      'INBOX',
      ...[...this.pending].flatMap((change) => change.kind === 'renameinbox' ? [change.to] : []),
    ];
  }

  /** RENAME INBOX is about to be sent: messages that are on their way may go along. */
  mayLeaveInbox(to: string): void {
    for (const { folders } of this.arrived) if (folders.includes('INBOX')) folders.push(to);
    for (const change of this.pending) {
      if (change.kind === 'add' && change.folders.includes('INBOX')) change.folders.push(to);
    }
  }

  /** RENAME INBOX happened (RFC 9051 §6.3.6): the messages get new UIDs in the new folder. */
  inboxRenamed(to: string, uidvalidity: number): string[] {
    const inbox = this.folder('INBOX');
    for (const { id } of inbox.messages.values()) this.arrived.push({ id, folders: [to] });
    inbox.messages.clear();
    return this.create(to, uidvalidity);
  }

  /** The user was removed with all mail and made anew. */
  purged(): void {
    this.folders = new Map();
    this.arrived = [];
    this.deleted.clear();
    this.subscribed.clear();
    this.messageLimit = null;
    this.create('INBOX', UNKNOWN);
  }

  /** An acknowledgement named a UID; returns what is wrong with it. */
  saw(name: string, uidvalidity: number, uid: number, id: string): string[] {
    if (uidvalidity === UNKNOWN) return [];
    const past = this.#pastOf(name, uidvalidity);
    const before = past.ids.get(uid);
    if (before === undefined) {
      past.ids.set(uid, id);
      if (uid >= past.uidnext) return [];
      return [`${name}: uid ${uid} appeared below the uidnext ${past.uidnext} of before`];
    }
    return before === id ? [] : [`${name}: uid ${uid} was used for ${before} and ${id}`];
  }

  /** Compares with what a client finds, takes that over as the new truth, and returns what must not be. */
  settle(found: FoundUser): string[] {
    const wrong: string[] = [];
    this.#settleNames(found.folders, wrong);
    this.#settleRest(found, wrong);
    const allowed = this.#allowed(found, wrong);
    for (const [name, folder] of found.folders) {
      this.#compareKnown(name, folder, wrong);
      this.#compareNew(name, folder, allowed, wrong);
      this.#remember(name, folder, wrong);
    }
    for (const { id, folders } of this.arrived) {
      wrong.push(`${folders.join(' or ')}: ${id} was acknowledged and is lost`);
    }
    this.folders = new Map([...found.folders].map(([name, { uidvalidity, messages, acl, use }]) => [
      name,
      { uidvalidity, messages: new Map(messages), acl, use },
    ]));
    this.arrived = [];
    this.subscribed = new Set(found.subscribed);
    this.messageLimit = found.messageLimit;
    this.password = found.password;
    this.mayBeMissing = false;
    this.pending.clear();
    return wrong.map((text) => `${this.name}: ${text}`);
  }

  /** Which folders there are, after what changes their names and was not acknowledged has been decided. */
  #settleNames(found: ReadonlyMap<string, FoundFolder>, wrong: string[]): void {
    const inbox = this.folders.get('INBOX')?.uidvalidity;
    for (const change of this.pending) {
      if (change.kind === 'purge' && found.get('INBOX')?.uidvalidity !== inbox) this.purged();
      if (change.kind === 'rename' && !found.has(change.folder)) this.rename(change.folder, change.to);
      if (change.kind === 'delete' && !found.has(change.folder)) this.remove(change.folder);
      if (change.kind === 'undelete' && found.has(change.folder)) {
        this.folders.set(change.folder, change.content);
      }
      const renamed = change.kind === 'renameinbox' ? found.get(change.to) : undefined;
      if (change.kind === 'renameinbox' && renamed !== undefined) {
        wrong.push(...this.inboxRenamed(change.to, renamed.uidvalidity));
      }
      const created = change.kind === 'create' ? found.get(change.folder) : undefined;
      if (change.kind === 'create' && created !== undefined) {
        wrong.push(...this.create(change.folder, created.uidvalidity, change.use));
      }
    }
    for (const name of this.folders.keys()) if (!found.has(name)) wrong.push(`folder ${name} is lost`);
    for (const name of found.keys()) {
      if (!this.folders.has(name)) wrong.push(`folder ${name} came from nowhere`);
    }
  }

  /** Subscriptions, quota and password. */
  #settleRest(found: FoundUser, wrong: string[]): void {
    for (const name of this.subscribed.symmetricDifference(found.subscribed)) {
      const excused = [...this.pending].some((change) =>
        change.kind === 'purge' ||
        change.kind === 'subscribe' && change.folder === name && change.on === found.subscribed.has(name)
      );
      if (!excused) wrong.push(`the subscription of ${name} is not as acknowledged`);
    }
    const limits = [...this.pending].flatMap((change) =>
      change.kind === 'quota' ? [change.messageLimit] : []
    );
    if (found.messageLimit !== this.messageLimit && !limits.includes(found.messageLimit ?? NaN)) {
      wrong.push(`the quota is ${found.messageLimit} instead of ${this.messageLimit}`);
    }
  }

  /** Which identities may newly stand in which folder because of what was not acknowledged. */
  #allowed(found: FoundUser, wrong: string[]): Map<string, string[]> {
    const allowed = new Map<string, string[]>();
    for (const change of this.pending) {
      if (change.kind === 'add') {
        // Consumed by the first folder that has it: once is once.
        const at = change.folders.find((name) => gained(this, found, name).includes(change.id));
        if (at !== undefined) allow(allowed, at, change.id);
      }
      if (change.kind === 'adds') {
        const there = gained(this, found, change.folder);
        const count = change.ids.filter((id) => there.includes(id)).length;
        if (count > 0 && count < change.ids.length) {
          wrong.push(`APPEND to ${change.folder} happened for ${count} of ${change.ids.length} messages`);
        }
        for (const id of change.ids) allow(allowed, change.folder, id);
      }
      if ((change.kind === 'copy' || change.kind === 'move') && change.owner === this) {
        for (const id of transferred(this, change, found, found, wrong)) allow(allowed, change.to, id);
      }
    }
    return allowed;
  }

  #compareKnown(name: string, found: FoundFolder, wrong: string[]): void {
    const expected = this.folders.get(name);
    if (expected === undefined) return;
    if (expected.uidvalidity === UNKNOWN) {
      wrong.push(...this.create(name, found.uidvalidity));
    } else if (expected.uidvalidity !== found.uidvalidity) {
      wrong.push(`${name}: uidvalidity ${expected.uidvalidity} became ${found.uidvalidity}`);
    }
    if (expected.use !== found.use) wrong.push(`${name}: its use ${expected.use} became ${found.use}`);
    for (const [uid, message] of expected.messages) {
      const there = found.messages.get(uid);
      if (there === undefined) {
        const excused = this.#changes(name, uid).some(({ kind }) => kind === 'expunge' || kind === 'move');
        if (!excused) wrong.push(`${name}: ${message.id} (uid ${uid}) is lost`);
      } else if (there.id !== message.id) {
        wrong.push(`${name}: uid ${uid} was ${message.id} and is now ${there.id}`);
      }
    }
    this.#compareWhole(name, expected, found, wrong);
    this.#compareAcl(name, expected, found, wrong);
  }

  /** Flags and expunges: as acknowledged, or the pending change as a whole. */
  #compareWhole(name: string, expected: Folder, found: FoundFolder, wrong: string[]): void {
    for (const change of this.pending) {
      if (change.kind !== 'expunge' || change.folder !== name) continue;
      const left = change.uids.filter((uid) => found.messages.has(uid)).length;
      if (left > 0 && left < change.uids.length) {
        wrong.push(`${name}: EXPUNGE of ${change.uids.length} messages left ${left}`);
      }
    }
    const sides = new Map<Pending, Set<string>>();
    for (const [uid, { id, flags: before }] of expected.messages) {
      const now = found.messages.get(uid)?.flags;
      if (now === undefined) continue;
      const open = this.#changes(name, uid).find((change) => change.kind === 'flag');
      const after = open?.kind === 'flag' ? flagged(before, open.change, open.flags) : before;
      const asBefore = now.symmetricDifference(before).size === 0;
      const asAfter = now.symmetricDifference(after).size === 0;
      if (!asBefore && !asAfter) {
        wrong.push(
          `${name}: the flags of ${id} (uid ${uid}) are ${[...now].join(' ')} ` +
            `and not ${[...before].join(' ')}${open === undefined ? '' : ` or ${[...after].join(' ')}`}`,
        );
      }
      if (open === undefined || asBefore === asAfter) continue;
      const seen = sides.get(open) ?? new Set();
      sides.set(open, seen.add(asAfter ? 'after' : 'before'));
    }
    for (const seen of sides.values()) if (seen.size > 1) wrong.push(`${name}: STORE was half done`);
  }

  #compareAcl(name: string, expected: Folder, found: FoundFolder, wrong: string[]): void {
    for (const identifier of new Set([...expected.acl.keys(), ...found.acl.keys()])) {
      const rights = found.acl.get(identifier);
      if (rights === expected.acl.get(identifier)) continue;
      const excused = [...this.pending].some((change) =>
        change.kind === 'acl' && change.folder === name && change.identifier === identifier &&
        change.rights === rights
      );
      if (!excused) {
        wrong.push(`${name}: ${identifier} has ${rights} instead of ${expected.acl.get(identifier)}`);
      }
    }
  }

  #compareNew(name: string, found: FoundFolder, allowed: Map<string, string[]>, wrong: string[]): void {
    const expected = this.folders.get(name);
    const excuses = allowed.get(name) ?? [];
    for (const [uid, { id }] of found.messages) {
      if (expected?.messages.has(uid)) continue;
      const arrived = this.arrived.findIndex((one) => one.id === id && one.folders.includes(name));
      const excuse = excuses.indexOf(id);
      if (arrived >= 0) this.arrived.splice(arrived, 1);
      else if (excuse >= 0) excuses.splice(excuse, 1);
      else wrong.push(`${name}: ${id} (uid ${uid}) is there once too often`);
    }
  }

  /** The unacknowledged changes to one message. */
  #changes(folder: string, uid: number): Pending[] {
    return [...this.pending].filter((change) =>
      'folder' in change && change.folder === folder && 'uids' in change && change.uids.includes(uid)
    );
  }

  /** Rule 4, and what else only grows. */
  #remember(name: string, found: FoundFolder, wrong: string[]): void {
    const past = this.#pastOf(name, found.uidvalidity);
    for (const [uid, { id }] of found.messages) {
      wrong.push(...this.saw(name, found.uidvalidity, uid, id));
      if (uid >= found.uidnext) wrong.push(`${name}: uid ${uid} is not below uidnext ${found.uidnext}`);
    }
    if (found.uidnext < past.uidnext) {
      wrong.push(`${name}: uidnext fell from ${past.uidnext} to ${found.uidnext}`);
    }
    if (found.highestmodseq < past.highestmodseq) {
      wrong.push(`${name}: modseq fell from ${past.highestmodseq} to ${found.highestmodseq}`);
    }
    past.uidnext = found.uidnext;
    past.highestmodseq = found.highestmodseq;
  }

  #pastOf(name: string, uidvalidity: number): Past {
    const key = `${name} ${uidvalidity}`;
    const known = this.#past.get(key);
    if (known !== undefined) return known;
    const past: Past = { ids: new Map(), uidnext: 0, highestmodseq: 0 };
    this.#past.set(key, past);
    return past;
  }
}

function allow(allowed: Map<string, string[]>, folder: string, id: string): void {
  allowed.set(folder, [...allowed.get(folder) ?? [], id]);
}

/** Identities in a folder under UIDs that were not acknowledged. */
function gained(user: UserModel, found: FoundUser, name: string): string[] {
  const known = user.folders.get(name)?.messages;
  return [...found.folders.get(name)?.messages ?? []].flatMap(([uid, { id }]) => known?.has(uid) ? [] : [id]);
}

/** What an unacknowledged COPY or MOVE may have brought, and whether it was done as a whole (RFC 9051 §6.4.7). */
function transferred(
  user: UserModel,
  change: Pending & { kind: 'copy' | 'move' },
  from: FoundUser,
  to: FoundUser,
  wrong: string[],
): string[] {
  const source = user.folders.get(change.folder);
  if (source === undefined) return [];
  const came = gained(change.owner, to, change.to);
  const ids = change.uids.map((uid) => source.messages.get(uid)?.id ?? '');
  const here = ids.filter((id) => came.includes(id)).length;
  const staying = change.uids.filter((uid) => from.folders.get(change.folder)?.messages.has(uid)).length;
  const what = `${change.kind.toUpperCase()} from ${change.folder} to ${change.to}`;
  if (here > 0 && here < ids.length) wrong.push(`${what} happened for ${here} of ${ids.length}`);
  if (change.kind === 'move' && staying !== (here === 0 ? ids.length : 0)) {
    wrong.push(`${what}: ${here} of ${ids.length} arrived and ${staying} stayed`);
  }
  return ids;
}

/** Compares all users with what is found of them; a message may have been on its way from one to another. */
export function settleAll(users: readonly UserModel[], found: ReadonlyMap<UserModel, FoundUser>): string[] {
  const wrong: string[] = [];
  for (const user of users) {
    for (const change of user.pending) {
      if (change.kind !== 'copy' && change.kind !== 'move' || change.owner === user) continue;
      const [from, to] = [found.get(user), found.get(change.owner)];
      if (from === undefined || to === undefined) continue;
      for (const id of transferred(user, change, from, to, wrong)) {
        change.owner.pending.add({ kind: 'add', folders: [change.to], id });
      }
    }
  }
  for (const user of users) {
    const there = found.get(user);
    if (there !== undefined) wrong.push(...user.settle(there));
  }
  return wrong;
}
