/**
 * What a user's mailboxes must hold after a crash.
 *
 * 1. `folders` is exactly what was acknowledged.
 * 2. `arrived` are acknowledged deliveries to INBOX whose UID nobody has told yet.
 * 3. `pending` are the changes that got no OK: each may have happened once, or not at all.
 * 4. A UID once seen under a uidvalidity means the same message for ever.
 */

export interface Message {
  readonly id: string;
  readonly flags: ReadonlySet<string>;
}

/** The uidvalidity of a folder whose CREATE was acknowledged and nothing else is known of yet. */
export const UNKNOWN = 0;

/** A mailbox as acknowledged, or as a client finds it. */
export interface Folder {
  readonly uidvalidity: number;
  readonly messages: Map<number, Message>;
}

export interface FoundFolder extends Folder {
  readonly uidnext: number;
  readonly highestmodseq: number;
}

/** A change that was sent and not acknowledged. */
export type Pending =
  | { readonly kind: 'add'; readonly folder: string; readonly id: string }
  | {
    readonly kind: 'flag';
    readonly folder: string;
    readonly uids: readonly number[];
    readonly flag: string;
  }
  | {
    readonly kind: 'copy' | 'move';
    readonly folder: string;
    readonly uids: readonly number[];
    readonly to: string;
  }
  | { readonly kind: 'expunge'; readonly folder: string; readonly uids: readonly number[] }
  | { readonly kind: 'create' | 'delete'; readonly folder: string }
  | { readonly kind: 'rename'; readonly folder: string; readonly to: string };

interface Past {
  readonly ids: Map<number, string>;
  uidnext: number;
  highestmodseq: number;
}

export class UserModel {
  readonly name: string;
  folders = new Map<string, Folder>();
  arrived: string[] = [];
  readonly pending = new Set<Pending>();
  /** All that was ever seen, by folder name and uidvalidity. */
  readonly #past = new Map<string, Past>();
  readonly #highestUidvalidity = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  folder(name: string): Folder {
    const folder = this.folders.get(name);
    if (folder === undefined) throw new Error(`the model of ${this.name} has no ${name}`);
    return folder;
  }

  /** A folder was created; returns what is wrong with its uidvalidity (RFC 9051 §2.3.1.1). */
  create(name: string, uidvalidity: number): string[] {
    const highest = this.#highestUidvalidity.get(name) ?? 0;
    this.#highestUidvalidity.set(name, Math.max(highest, uidvalidity));
    this.folders.set(name, { uidvalidity, messages: new Map() });
    return uidvalidity > highest
      ? []
      : [`${name}: created anew with uidvalidity ${uidvalidity} after ${highest}`];
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

  /** An acknowledgement named a UID; returns what is wrong with it. */
  saw(name: string, uidvalidity: number, uid: number, id: string): string[] {
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
  settle(found: ReadonlyMap<string, FoundFolder>): string[] {
    const wrong: string[] = [];
    this.#settleNames(found, wrong);
    const moved = this.#lostAndGained(found, wrong);
    for (const [name, folder] of found) {
      this.#compareKnown(name, folder, wrong);
      this.#compareNew(name, folder, moved, wrong);
      this.#remember(name, folder, wrong);
    }
    this.folders = new Map([...found].map(([name, folder]) => [name, {
      uidvalidity: folder.uidvalidity,
      messages: new Map(folder.messages),
    }]));
    this.arrived = [];
    this.pending.clear();
    return wrong.map((text) => `${this.name}: ${text}`);
  }

  /** Which folders there are, after the unacknowledged CREATE, DELETE and RENAME have been decided. */
  #settleNames(found: ReadonlyMap<string, FoundFolder>, wrong: string[]): void {
    for (const change of this.pending) {
      if (change.kind === 'rename' && !found.has(change.folder)) this.rename(change.folder, change.to);
      if (change.kind === 'delete' && !found.has(change.folder)) this.folders.delete(change.folder);
      const created = change.kind === 'create' ? found.get(change.folder) : undefined;
      if (created !== undefined) {
        wrong.push(...this.create(change.folder, created.uidvalidity));
      }
    }
    for (const name of this.folders.keys()) if (!found.has(name)) wrong.push(`folder ${name} is lost`);
    for (const name of found.keys()) {
      if (!this.folders.has(name)) wrong.push(`folder ${name} came from nowhere`);
    }
  }

  /** For every unacknowledged COPY and MOVE: how often each identity may newly stand in the target. */
  #lostAndGained(found: ReadonlyMap<string, FoundFolder>, wrong: string[]): Map<string, string[]> {
    const allowed = new Map<string, string[]>();
    const allow = (folder: string, id: string): void => {
      allowed.set(folder, [...allowed.get(folder) ?? [], id]);
    };
    for (const id of this.arrived) allow('INBOX', id);
    for (const change of this.pending) {
      if (change.kind === 'add') allow(change.folder, change.id);
      if (change.kind !== 'copy' && change.kind !== 'move') continue;
      const source = this.folders.get(change.folder);
      const target = found.get(change.to);
      const before = this.folders.get(change.to);
      if (source === undefined || target === undefined) continue;
      const gained = [...target.messages].filter(([uid]) => !before?.messages.has(uid)).map(([, { id }]) =>
        id
      );
      let arrived = 0;
      for (const uid of change.uids) {
        const id = source.messages.get(uid)?.id ?? '';
        const here = gained.includes(id);
        if (here) arrived++;
        const stays = found.get(change.folder)?.messages.has(uid) ?? false;
        if (change.kind === 'move' && stays === here) {
          wrong.push(
            `MOVE of ${id} from ${change.folder} to ${change.to}: ${stays ? 'in both' : 'in neither'}`,
          );
        }
        allow(change.to, id);
      }
      // RFC 9051 §6.4.7: a COPY that does not succeed leaves nothing behind.
      if (change.kind === 'copy' && arrived > 0 && arrived < change.uids.length) {
        wrong.push(`COPY to ${change.to} happened for ${arrived} of ${change.uids.length}`);
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
    for (const [uid, message] of expected.messages) {
      const there = found.messages.get(uid);
      if (there === undefined) {
        const excused = this.#changes(name, uid).some(({ kind }) => kind === 'expunge' || kind === 'move');
        if (!excused) wrong.push(`${name}: ${message.id} (uid ${uid}) is lost`);
        continue;
      }
      if (there.id !== message.id) wrong.push(`${name}: uid ${uid} was ${message.id} and is now ${there.id}`);
      const open = this.#changes(name, uid).flatMap((change) => change.kind === 'flag' ? [change.flag] : []);
      const differ = message.flags.symmetricDifference(there.flags);
      for (const flag of differ) {
        if (!open.includes(flag)) {
          wrong.push(`${name}: ${flag} of ${message.id} (uid ${uid}) is not as acknowledged`);
        }
      }
    }
  }

  #compareNew(
    name: string,
    found: FoundFolder,
    allowed: ReadonlyMap<string, string[]>,
    wrong: string[],
  ): void {
    const expected = this.folders.get(name);
    const excuses = [...allowed.get(name) ?? []];
    for (const [uid, message] of found.messages) {
      if (expected?.messages.has(uid)) continue;
      const excuse = excuses.indexOf(message.id);
      if (excuse < 0) wrong.push(`${name}: ${message.id} (uid ${uid}) is there once too often`);
      else excuses.splice(excuse, 1);
    }
    if (name !== 'INBOX') return;
    for (const id of this.arrived) {
      if (excuses.includes(id)) wrong.push(`INBOX: ${id} was acknowledged over LMTP and is lost`);
    }
  }

  /** The unacknowledged changes to one message. */
  #changes(folder: string, uid: number): Pending[] {
    return [...this.pending].filter((change) =>
      change.folder === folder && 'uids' in change && change.uids.includes(uid)
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
