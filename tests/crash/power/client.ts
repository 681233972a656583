/** A user at work while everything is recorded: each change, once acknowledged, becomes a promise. */
import { ImapClient } from '../../harness/imap.ts';
import { LmtpClient } from '../../harness/lmtp.ts';
import type { Random } from '../../harness/random.ts';
import { PASSWORD } from '../../harness/server.ts';
import { messageOf, newId } from '../message.ts';
import { newCaller } from './caller.ts';
import type { Acknowledged, Promised, PromisedFolder } from './expected.ts';

/** Not \\Seen, which in a friend's folder is kept apart, for each reader. */
const FLAGS = ['\\Answered', '\\Flagged', '\\Draft', 'first-keyword', 'second'] as const;
/** With more messages than this in a folder some go. */
const MANY = 14;

interface Folder {
  uidvalidity: number;
  messages: Map<number, Promised>;
  acl: Map<string, string>;
}

export interface Place {
  readonly imap: number;
  readonly lmtp: number;
  readonly seed: number;
  readonly random: Random;
  readonly acknowledged: Acknowledged[];
}

export class Reader {
  private client: ImapClient | undefined;
  private caller = 0;
  private readonly folders = new Map<string, Folder>();
  private readonly inbox = new Map<number, Promised>();
  private readonly gone = new Set<number>();
  private quota: number | null = null;
  private selected = '';
  private made = 0;

  /** @param friend another user, who lets this one into a folder: copies cross owners there */
  constructor(
    private readonly place: Place,
    readonly user: string,
    private readonly prefix: string,
    private readonly friend: string | null,
  ) {}

  async connect(): Promise<void> {
    const { caller, localAddress } = newCaller();
    this.caller = caller;
    this.client = await ImapClient.connect({ port: this.place.imap, localAddress });
    await this.client.login(this.user, PASSWORD);
    this.selected = '';
  }

  disconnect(): void {
    this.client?.destroy();
  }

  /** A folder of this user's that a friend fills from then on. */
  async share(friend: string): Promise<void> {
    await this.run('CREATE shared');
    await this.run(`SETACL shared ${friend} lrswipkxte`);
  }

  /** Takes over the shared folder of the friend. */
  async takeOver(): Promise<void> {
    if (this.friend === null) return;
    await this.learnFolder(`${this.friend}/shared`);
  }

  /** Lets others into INBOX. */
  async lend(...others: readonly string[]): Promise<void> {
    for (const other of others) await this.run(`SETACL INBOX ${other} lr`);
  }

  /** Copies all of what another user lends into a folder of this one's. */
  async takeFrom(lender: string): Promise<void> {
    const path = `${this.prefix}${++this.made}`;
    await this.run(`CREATE ${path}`);
    const name = `${this.user}/${path}`;
    await this.learnFolder(name);
    await this.select(`${lender}/`);
    const found = new Map(await this.look());
    this.arrived(await this.run(`UID COPY 1:* ${path}`), found, name);
    await this.leave();
    this.promise();
  }

  /** A number of changes, one after the other. */
  async work(changes: number): Promise<void> {
    for (let n = 0; n < changes; n++) await this.change();
  }

  private async change(): Promise<void> {
    const { random } = this.place;
    const own = [...this.folders.keys()].filter((name) => name.startsWith(`${this.user}/`));
    if (own.length < 3) return await this.create();
    const name = random.pick([...own, `${this.user}/`]);
    if (name === `${this.user}/`) return await this.fromInbox(random.pick(own));
    const folder = this.folder(name);
    const uids = [...folder.messages.keys()];
    if (uids.length < 3) return await this.append(name, random.oneIn(3) ? 1 + random.below(4) : 1);
    const some = random.some(uids, uids.length > MANY ? 12 : 4);
    if (uids.length > MANY) return await this.expunge(name, some);
    const others = [...own, ...this.folders.keys()].filter((other) => other !== name);
    switch (random.below(14)) {
      case 0:
      case 1:
        return await this.copy('COPY', name, some, random.pick(others));
      case 2:
      case 3:
        return await this.copy('MOVE', name, some, random.pick(others));
      case 4:
        return await this.expunge(name, some);
      case 5:
        return await this.delete(name);
      case 6:
        return await this.rename(name);
      case 7:
        return await this.grant(name);
      case 8:
        return await this.append(name, 1 + random.below(5));
      case 9:
        return await this.limit();
      default:
        return await this.flag(name, some);
    }
  }

  private folder(name: string): Folder {
    const folder = this.folders.get(name);
    if (folder === undefined) throw new Error(`no folder ${name}`);
    return folder;
  }

  /** The name this user knows a folder by. */
  private nameOf(name: string): string {
    const [owner = '', path = ''] = name.split('/');
    if (owner === this.user) return path === '' ? 'INBOX' : path;
    return `"Other Users/${owner}${path === '' ? '' : `/${path}`}"`;
  }

  private async run(text: string, ...literals: readonly Buffer[]): Promise<string> {
    if (this.client === undefined) throw new Error('not connected');
    const answer = await this.client.ok(text, ...literals);
    return [answer.text, ...answer.untagged.map((line) => line.text)].join('\n');
  }

  /** What was told so far is promised now. */
  private promise(): void {
    if (this.client === undefined) return;
    const folders = new Map<string, PromisedFolder>();
    for (const [name, { uidvalidity, messages, acl }] of this.folders) {
      folders.set(name, { uidvalidity, messages: new Map(messages), acl: new Map(acl) });
    }
    this.place.acknowledged.push({
      kind: 'client',
      client: this.user,
      promise: {
        folders,
        prefix: this.prefix,
        owner: this.user,
        inbox: new Map(this.inbox),
        gone: new Set(this.gone),
        quota: this.quota,
      },
      caller: this.caller,
      bytes: this.client.received,
      word: '',
    });
  }

  private async select(name: string): Promise<void> {
    if (this.selected === name) return;
    await this.run(`SELECT ${this.nameOf(name)}`);
    this.selected = name;
  }

  private async leave(): Promise<void> {
    if (this.selected !== '') await this.run('UNSELECT');
    this.selected = '';
  }

  private async learnFolder(name: string): Promise<void> {
    const status = await this.run(`STATUS ${this.nameOf(name)} (UIDVALIDITY)`);
    const uidvalidity = Number(/UIDVALIDITY (\d+)/.exec(status)?.[1]);
    this.folders.set(name, { uidvalidity, messages: new Map(), acl: new Map() });
  }

  private async create(): Promise<void> {
    const path = `${this.prefix}${++this.made}`;
    await this.run(`CREATE ${path}`);
    await this.learnFolder(`${this.user}/${path}`);
    this.promise();
  }

  private async append(name: string, count: number): Promise<void> {
    const ids = Array.from({ length: count }, () => newId(this.place.seed));
    const flag = this.place.random.pick(FLAGS);
    const bodies = ids.map((id) => messageOf(id));
    // RFC 3502: each message has flags of its own; those behind the first have none here.
    const told = await this.run(`APPEND ${this.nameOf(name)} (${flag})`, ...bodies);
    const uids = numbers(/\[APPENDUID \d+ ([\d:,]+)\]/.exec(told)?.[1]);
    const folder = this.folder(name);
    for (const [index, uid] of uids.entries()) {
      folder.messages.set(uid, { id: ids[index] ?? '', flags: index === 0 ? [flag] : [] });
    }
    this.promise();
  }

  private async flag(name: string, uids: readonly number[]): Promise<void> {
    const { random } = this.place;
    await this.select(name);
    const flag = random.pick(FLAGS);
    const add = !random.oneIn(3);
    await this.run(`UID STORE ${uids.join(',')} ${add ? '+' : '-'}FLAGS.SILENT (${flag})`);
    mark(this.folder(name).messages, uids, flag, add);
    this.promise();
  }

  private async expunge(name: string, uids: readonly number[]): Promise<void> {
    const folder = this.folder(name);
    await this.select(name);
    await this.run(`UID STORE ${uids.join(',')} +FLAGS.SILENT (\\Deleted)`);
    mark(folder.messages, uids, '\\Deleted', true);
    this.promise();
    await this.run(`UID EXPUNGE ${uids.join(',')}`);
    for (const uid of uids) folder.messages.delete(uid);
    this.promise();
  }

  private async copy(verb: string, name: string, uids: readonly number[], to: string): Promise<void> {
    await this.select(name);
    const told = await this.run(`UID ${verb} ${uids.join(',')} ${this.nameOf(to)}`);
    this.arrived(told, name === `${this.user}/` ? this.inbox : this.folder(name).messages, to);
    if (verb !== 'MOVE') return this.promise();
    for (const uid of uids) {
      if (name === `${this.user}/`) {
        this.inbox.delete(uid);
        this.gone.add(uid);
      } else this.folder(name).messages.delete(uid);
    }
    this.promise();
  }

  private arrived(told: string, source: ReadonlyMap<number, Promised>, to: string): void {
    const match = /\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]/.exec(told);
    const from = numbers(match?.[1]);
    for (const [index, uid] of numbers(match?.[2]).entries()) {
      const message = source.get(from[index] ?? 0);
      // Flags do not go where the right to set them is missing; here they all do.
      if (message !== undefined) this.folder(to).messages.set(uid, message);
    }
  }

  /** Looks what came to INBOX and takes some of it away. */
  private async fromInbox(to: string): Promise<void> {
    await this.select(`${this.user}/`);
    const found = await this.look();
    if (found.length === 0) return await this.append(to, 1);
    const some = this.place.random.some(found, 5);
    for (const [uid, message] of found) this.inbox.set(uid, message);
    await this.copy(
      this.place.random.oneIn(3) ? 'COPY' : 'MOVE',
      `${this.user}/`,
      some.map(([uid]) => uid),
      to,
    );
  }

  private async look(): Promise<[number, Promised][]> {
    if (this.client === undefined) return [];
    const answer = await this.client.ok('UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])');
    const found: [number, Promised][] = [];
    for (const { text, literals } of answer.untagged) {
      const uid = Number(/[( ]UID (\d+)/.exec(text)?.[1] ?? 0);
      const id = /<([^>]*)>/.exec(literals[0]?.toString('latin1') ?? text)?.[1];
      if (uid === 0 || id === undefined) continue;
      const known = this.selected === `${this.user}/` ? this.inbox.get(uid) : undefined;
      found.push([uid, known ?? { id, flags: [] }]);
    }
    return found;
  }

  private async delete(name: string): Promise<void> {
    await this.leave();
    await this.run(`DELETE ${this.nameOf(name)}`);
    this.folders.delete(name);
    this.promise();
  }

  private async rename(name: string): Promise<void> {
    await this.leave();
    const path = `${this.prefix}${++this.made}`;
    await this.run(`RENAME ${this.nameOf(name)} ${path}`);
    const folder = this.folder(name);
    this.folders.delete(name);
    this.folders.set(`${this.user}/${path}`, folder);
    this.promise();
  }

  private async grant(name: string): Promise<void> {
    const rights = this.place.random.pick(['lr', 'lrs', 'lrsw']);
    await this.run(`SETACL ${this.nameOf(name)} eve ${rights}`);
    this.folder(name).acl.set('eve', rights);
    this.promise();
  }

  /** The administrator sets this user's quota, far above what is used. */
  private async limit(): Promise<void> {
    const admin = await ImapClient.connect({ port: this.place.imap, localAddress: newCaller().localAddress });
    try {
      await admin.login('admin', PASSWORD);
      const quota = 1_000_000 + this.place.random.below(1_000_000);
      await admin.ok(`SETQUOTA user/${this.user} (STORAGE ${quota})`);
      this.quota = quota;
      // The administrator's own connection heard of it; whoever is promised anything by this client hears it later.
      await this.run('NOOP');
      this.promise();
    } finally {
      admin.destroy();
    }
  }
}

/**
 * A mail transfer agent: so many deliveries to some of the users. Stops early when its connection ends.
 * @param more bytes behind each message, to fill segments of the log; and what ends it early
 */
export async function deliver(
  place: Place,
  users: readonly string[],
  count: number,
  more: { readonly padding?: number; readonly until?: AbortSignal } = {},
): Promise<void> {
  const { padding = 0, until } = more;
  let client: LmtpClient | undefined;
  try {
    const { caller, localAddress } = newCaller();
    client = await LmtpClient.connect(place.lmtp, localAddress);
    for (let n = 0; n < count && until?.aborted !== true; n++) {
      const to = place.random.some(users, users.length);
      const id = newId(place.seed);
      const sent = Buffer.concat([messageOf(id), Buffer.from(`${'.'.repeat(76)}-\r\n`.repeat(padding / 79))]);
      const replies = await client.deliver('sender@example.org', to, sent);
      for (const [index, user] of to.entries()) {
        if (!replies[index]?.startsWith('250')) continue;
        place.acknowledged.push({
          kind: 'delivered',
          user,
          id,
          sent,
          caller,
          bytes: client.received,
          word: '',
        });
      }
    }
  } catch {
    // The writer or the worker was killed.
  } finally {
    client?.destroy();
  }
}

function mark(messages: Map<number, Promised>, uids: readonly number[], flag: string, add: boolean): void {
  for (const uid of uids) {
    const message = messages.get(uid);
    if (message === undefined) continue;
    const flags = new Set(message.flags);
    if (add) flags.add(flag);
    else flags.delete(flag);
    messages.set(uid, { ...message, flags: [...flags].sort() });
  }
}

/** `1:3,7` as numbers. */
function numbers(set: string | undefined): number[] {
  return (set ?? '').split(',').filter((part) => part !== '').flatMap((part) => {
    const [first = 0, last = first] = part.split(':').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
