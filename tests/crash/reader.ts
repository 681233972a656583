/** A mail client: every command of IMAP that changes something, each with its place in the model. */

import { setTimeout as sleep } from 'node:timers/promises';
import { fetched, type ImapAnswer, ImapClient, ImapFailure } from '../harness/imap.ts';
import { acknowledge, isOverQuota, refuse, type Round, steered } from './actors.ts';
import { idOf, messageOf, newId } from './message.ts';
import { deleteByPop3 } from './pop3.ts';
import {
  type FlagChange,
  flagged,
  type Folder,
  type Message,
  type Pending,
  UNKNOWN,
  type UserModel,
} from './model.ts';

const FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Draft', 'first-keyword', 'second'] as const;
/** Data items of STORE (RFC 9051 §6.4.6), adding twice as often as each of the others. */
const ITEMS: readonly (readonly [FlagChange, string])[] = [
  ['add', '+FLAGS'],
  ['add', '+FLAGS'],
  ['add', '+FLAGS.SILENT'],
  ['add', '+FLAGS.SILENT'],
  ['remove', '-FLAGS'],
  ['remove', '-FLAGS.SILENT'],
  ['replace', 'FLAGS'],
  ['replace', 'FLAGS.SILENT'],
];
const USES = ['\\Archive', '\\Drafts', '\\Junk', '\\Sent', '\\Trash'] as const;
const IDENTIFIERS = ['yan', 'zoe'] as const;
const RIGHTS = ['lrs', 'lrsw', 'lrswi'] as const;
/** With more messages than this an actor rather removes some. */
const MANY = 60;
/** The folder that somebody else may write into. */
export const SHARED = 'drop';

/** What a client does, as often as it stands here, beside making folders and messages where there are few. */
const DEEDS = [
  ...Array.from({ length: 30 }, () => 'flag' as const),
  ...(['append', 'copy', 'copy', 'copy', 'copy', 'copy', 'copy'] as const),
  ...(['move', 'move', 'move', 'move', 'move', 'move'] as const),
  ...(['expunge', 'expunge', 'expunge', 'expunge', 'expunge', 'expunge'] as const),
  ...(['delete', 'delete', 'delete', 'rename', 'rename', 'rename', 'create', 'renameinbox'] as const),
  ...(['subscribe', 'subscribe', 'subscribe', 'acl', 'acl', 'acl'] as const),
];

const BY_POP3 = 'QUIT of POP3';

/** The commands that may come of it. */
const COMMANDS: Readonly<Record<(typeof DEEDS)[number], readonly string[]>> = {
  append: ['APPEND', 'MULTIAPPEND', 'over quota by IMAP'],
  copy: ['COPY', 'COPY to another owner'],
  move: ['MOVE', 'MOVE to another owner'],
  expunge: ['EXPUNGE', 'UID EXPUNGE', 'CLOSE', BY_POP3],
  create: ['CREATE', 'CREATE with a special use'],
  delete: ['DELETE'],
  rename: ['RENAME'],
  renameinbox: ['RENAME INBOX'],
  subscribe: ['SUBSCRIBE', 'UNSUBSCRIBE'],
  acl: ['SETACL', 'DELETEACL'],
  flag: [
    ...['+', '-', ''].flatMap((sign) => [`STORE ${sign}FLAGS`, `STORE ${sign}FLAGS.SILENT`]),
    'STORE UNCHANGEDSINCE (fresh)',
    'STORE UNCHANGEDSINCE (stale)',
  ],
};

/** A folder as this session names it. */
interface Place {
  readonly owner: UserModel;
  readonly name: string;
  readonly path: string;
}

export interface Work {
  /** Folders of this actor begin with it. */
  readonly prefix: string;
  /** It works in INBOX, too. */
  readonly inbox: boolean;
  /** The user in whose shared folder it works, nobody else does. */
  readonly guestOf?: UserModel;
}

/** A reader: works in its own folders, and in INBOX and somebody's shared folder when `work` says so. */
export async function reader(round: Round, user: UserModel, work: Work): Promise<void> {
  let client: ImapClient | undefined;
  try {
    client = await round.store.login(user.name, user.password);
    const session = new Session(round, user, client, work);
    while (!round.over && await session.change());
  } catch (error) {
    if (!(error instanceof ImapFailure) && !(error instanceof Error && 'code' in error)) throw error;
    if (error instanceof ImapFailure && error.answer !== undefined) refuse(round, error.message);
  } finally {
    client?.destroy();
  }
}

class Session {
  readonly #round: Round;
  readonly #user: UserModel;
  readonly #client: ImapClient;
  readonly #work: Work;
  #selected: string | undefined;

  constructor(round: Round, user: UserModel, client: ImapClient, work: Work) {
    this.#round = round;
    this.#user = user;
    this.#client = client;
    this.#work = work;
  }

  #own(name: string): Place {
    return { owner: this.#user, name, path: name };
  }

  /** One change, from the command to its place in the model. False when the store cannot do it now. */
  async change(): Promise<boolean> {
    const random = this.#round.random;
    const { prefix, inbox, guestOf } = this.#work;
    const own = [...this.#user.folders.keys()].filter((name) => name.startsWith(prefix));
    if (own.length < 2 || own.length < 6 && random.oneIn(12)) return await this.#create(own);
    const guest: Place[] = guestOf?.folders.has(SHARED)
      ? [{ owner: guestOf, name: SHARED, path: `"Other Users/${guestOf.name}/${SHARED}"` }]
      : [];
    const places = [...(inbox ? ['INBOX'] : []), ...own].map((name) => this.#own(name));
    const place = random.pick([...places, ...guest]);
    const folder = place.owner.folder(place.name);
    const uids = [...folder.messages.keys()];
    if (uids.length === 0 || uids.length < MANY && random.oneIn(4)) return await this.#append(place, folder);
    const some = random.some(uids, uids.length > MANY ? 40 : 5);
    if (uids.length > MANY) return await this.#expunge(place, folder, some);
    const deed = steered(this.#round, DEEDS, (name) => COMMANDS[name]);
    const others = own.filter((other) => other !== place.name).map((name) => this.#own(name));
    switch (deed) {
      case 'append':
        return await this.#append(place, folder);
      case 'copy':
      case 'move': {
        if (place.owner !== this.#user) return true;
        const verb = deed === 'copy' ? 'COPY' : 'MOVE';
        const to = steered(
          this.#round,
          [...others, ...guest],
          ({ owner }) => [owner === this.#user ? verb : `${verb} to another owner`],
        );
        return await this.#transfer(verb, place, folder, some, to);
      }
      case 'expunge':
        return await this.#expunge(place, folder, some);
      case 'create':
        return own.length < 6 ? await this.#create(own) : await this.#delete(random.pick(own));
      case 'delete':
        return await this.#delete(random.pick(own));
      case 'rename':
        return await this.#rename(random.pick(own), own);
      case 'renameinbox':
        return inbox ? await this.#renameInbox(own) : true;
      case 'subscribe':
        return await this.#subscribe(random.pick(own));
      case 'acl':
        return await this.#acl(random.pick(own));
      case 'flag':
        return await this.#flag(place, folder, some);
    }
  }

  /** Sends a command; its change is pending at `user` until the answer is OK. */
  async #run(
    command: string,
    user: UserModel,
    change: Pending,
    text: string,
    ...literals: readonly Buffer[]
  ): Promise<ImapAnswer | undefined> {
    user.pending.add(change);
    const answer = await this.#client.command(text, ...literals);
    if (answer.status === 'OK') {
      user.pending.delete(change);
      acknowledge(this.#round, command);
      return answer;
    }
    if (isOverQuota(answer.text) && this.#user.messageLimit !== null) {
      user.pending.delete(change);
      const { commands } = this.#round;
      commands.set('over quota by IMAP', (commands.get('over quota by IMAP') ?? 0) + 1);
      return undefined;
    }
    refuse(this.#round, `${text.split(' ', 2).join(' ')}: ${answer.text}`);
    if (answer.status === 'BAD') this.#round.wrong.push(`${text}: ${answer.text}`);
    throw new ImapFailure(`${text}: ${answer.text}`);
  }

  /** Selects a folder unless it is. */
  async #select(path: string): Promise<void> {
    if (this.#selected === path) return;
    this.#selected = undefined;
    await this.#client.ok(`SELECT ${path}`);
    this.#selected = path;
  }

  #freeName(own: readonly string[]): string | undefined {
    const name = this.#work.prefix + this.#round.random.below(30).toString(36);
    return own.some((other) => other === name || other.startsWith(`${name}/`)) ? undefined : name;
  }

  async #create(own: readonly string[]): Promise<boolean> {
    const random = this.#round.random;
    const parent = own.find((name) => !name.includes('/'));
    const base = parent !== undefined && random.oneIn(3) ? `${parent}/` : '';
    const name = base + this.#work.prefix + random.below(30).toString(36);
    if (this.#user.folders.has(name)) return true;
    // Each actor has uses of its own, so that none is taken meanwhile.
    const mine = USES.filter((_, index) => (index % 2 === 0) === this.#work.inbox);
    const free = mine.filter((use) => ![...this.#user.folders.values()].some((folder) => folder.use === use));
    const use = free[0] !== undefined
      ? steered(
        this.#round,
        ['', '', free[0]],
        (one) => [one === '' ? 'CREATE' : 'CREATE with a special use'],
      )
      : '';
    const text = use === '' ? `CREATE ${name}` : `CREATE ${name} (USE (${use}))`;
    const command = use === '' ? 'CREATE' : 'CREATE with a special use';
    const answer = await this.#run(command, this.#user, { kind: 'create', folder: name, use }, text);
    if (answer === undefined) return true;
    // It is there from now on; nothing else touches it, so its uidvalidity may be asked for afterwards.
    this.#user.create(name, UNKNOWN, use);
    await this.#learnUidvalidity(name);
    return true;
  }

  async #learnUidvalidity(name: string): Promise<void> {
    const status = await this.#client.ok(`STATUS ${name} (UIDVALIDITY)`);
    const uidvalidity = /UIDVALIDITY (\d+)/.exec(status.untagged.map(({ text }) => text).join('\n'))?.[1];
    this.#round.wrong.push(...this.#user.create(name, Number(uidvalidity)));
  }

  async #append(place: Place, folder: Folder): Promise<boolean> {
    const { random, seed } = this.#round;
    const command = steered(
      this.#round,
      ['APPEND', 'APPEND', 'APPEND', 'MULTIAPPEND'] as const,
      (name) => [name],
    );
    const ids = Array.from({ length: command === 'APPEND' ? 1 : 2 + random.below(5) }, () => newId(seed));
    const answer = await this.#run(
      command,
      place.owner,
      { kind: 'adds', folder: place.name, ids },
      `APPEND ${place.path}`,
      ...ids.map(messageOf),
    );
    if (answer === undefined) return await this.#makeRoom();
    const uids = numbers(/\[APPENDUID \d+ ([\d:,]+)\]/.exec(answer.text)?.[1]);
    ids.forEach((id, index) => this.#learn(place, folder, uids[index], { id, flags: new Set() }));
    return true;
  }

  /** Over quota: something has to go. */
  async #makeRoom(): Promise<boolean> {
    const { prefix, inbox } = this.#work;
    const own = [...this.#user.folders].filter(([name]) =>
      name.startsWith(prefix) || inbox && name === 'INBOX'
    );
    const [largest] = own.sort(([, a], [, b]) => b.messages.size - a.messages.size);
    if (largest === undefined || largest[1].messages.size === 0) {
      await sleep(20); // others have to
      return true;
    }
    const [name, folder] = largest;
    return await this.#expunge(this.#own(name), folder, [...folder.messages.keys()].slice(0, 10));
  }

  async #flag(place: Place, folder: Folder, uids: readonly number[]): Promise<boolean> {
    const { random } = this.#round;
    await this.#select(place.path);
    const flags = random.some(FLAGS, 2);
    const [change, item] = steered(this.#round, ITEMS, ([, name]) => [`STORE ${name}`]);
    const set = uids.join(',');
    // RFC 7162 §3.1.3: a stale one changes nothing, a fresh one all.
    const condition = steered(
      this.#round,
      ['none', 'none', 'fresh', 'stale'],
      (name) => name === 'none' ? [`STORE ${item}`] : [`STORE UNCHANGEDSINCE (${name})`],
    );
    let since = '';
    if (condition === 'stale') since = '(UNCHANGEDSINCE 1) ';
    if (condition === 'fresh') {
      const answer = await this.#client.ok(`UID FETCH ${set} (MODSEQ)`);
      const modseqs = answer.untagged.map(({ text }) => Number(/MODSEQ \((\d+)\)/.exec(text)?.[1] ?? 0));
      since = `(UNCHANGEDSINCE ${Math.max(...modseqs)}) `;
    }
    const touched = condition === 'stale' ? [] : uids;
    const pending: Pending = { kind: 'flag', folder: place.name, uids: touched, change, flags };
    const text = `UID STORE ${set} ${since}${item} (${flags.join(' ')})`;
    const command = condition === 'none' ? `STORE ${item}` : `STORE UNCHANGEDSINCE (${condition})`;
    const answer = await this.#run(command, place.owner, pending, text);
    if (answer === undefined) return true;
    if ((condition === 'stale') !== answer.text.includes('[MODIFIED ')) {
      this.#round.wrong.push(`${text} was answered ${answer.text}`);
    }
    this.#flagged(folder, touched, change, flags);
    return true;
  }

  #flagged(folder: Folder, uids: readonly number[], change: FlagChange, flags: readonly string[]): void {
    for (const uid of uids) {
      const message = folder.messages.get(uid);
      if (message === undefined) continue;
      folder.messages.set(uid, { ...message, flags: flagged(message.flags, change, flags) });
    }
  }

  async #expunge(place: Place, folder: Folder, uids: readonly number[]): Promise<boolean> {
    const pop3 = place.owner === this.#user && place.name === 'INBOX';
    const how = steered(
      this.#round,
      ['IMAP', 'IMAP', BY_POP3],
      (name) => name === BY_POP3 && pop3 ? [name] : [],
    );
    if (pop3 && how === BY_POP3) return await this.#deleteByPop3(folder, uids);
    await this.#select(place.path);
    const flags = ['\\Deleted'];
    const flagging: Pending = { kind: 'flag', folder: place.name, uids, change: 'add', flags };
    const text = `UID STORE ${uids.join(',')} +FLAGS.SILENT (\\Deleted)`;
    await this.#run('STORE +FLAGS.SILENT', place.owner, flagging, text);
    this.#flagged(folder, uids, 'add', flags);
    const way = steered(this.#round, ['EXPUNGE', 'UID EXPUNGE', 'CLOSE'] as const, (name) => [name]);
    const gone = way === 'UID EXPUNGE'
      ? uids
      : [...folder.messages].filter(([, message]) => message.flags.has('\\Deleted')).map(([uid]) => uid);
    const pending: Pending = { kind: 'expunge', folder: place.name, uids: gone };
    await this.#run(way, place.owner, pending, way === 'UID EXPUNGE' ? `${way} ${uids.join(',')}` : way);
    for (const uid of gone) folder.messages.delete(uid);
    if (way === 'CLOSE') this.#selected = undefined;
    return true;
  }

  async #deleteByPop3(folder: Folder, uids: readonly number[]): Promise<boolean> {
    const pending: Pending = { kind: 'expunge', folder: 'INBOX', uids };
    const answer = await deleteByPop3(
      this.#round.store,
      this.#user,
      uids,
      () => this.#user.pending.add(pending),
    );
    if (!answer.startsWith('+OK')) {
      refuse(this.#round, `POP3: ${answer}`);
      return false;
    }
    this.#user.pending.delete(pending);
    acknowledge(this.#round, BY_POP3);
    for (const uid of uids) folder.messages.delete(uid);
    return true;
  }

  async #transfer(
    verb: 'COPY' | 'MOVE',
    place: Place,
    folder: Folder,
    uids: readonly number[],
    to: Place,
  ): Promise<boolean> {
    await this.#select(place.path);
    const kind = verb === 'COPY' ? 'copy' : 'move';
    const answer = await this.#run(
      to.owner === this.#user ? verb : `${verb} to another owner`,
      this.#user,
      { kind, folder: place.name, uids, to: to.name, owner: to.owner },
      `UID ${verb} ${uids.join(',')} ${to.path}`,
    );
    if (answer === undefined) return await this.#makeRoom();
    const told = [answer.text, ...answer.untagged.map(({ text }) => text)].join('\n');
    const match = /\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]/.exec(told);
    const from = numbers(match?.[1]);
    const target = to.owner.folder(to.name);
    for (const [index, uid] of numbers(match?.[2]).entries()) {
      const message = folder.messages.get(from[index] ?? 0);
      if (message !== undefined) this.#learn(to, target, uid, message);
    }
    if (from.length !== uids.length) {
      this.#round.wrong.push(`${verb} ${uids.join(',')} was answered ${answer.text}`);
    }
    if (verb === 'MOVE') { for (const uid of uids) folder.messages.delete(uid); }
    return true;
  }

  async #delete(name: string): Promise<boolean> {
    if ([...this.#user.folders.keys()].some((other) => other.startsWith(`${name}/`))) return true;
    await this.#leave();
    await this.#run('DELETE', this.#user, { kind: 'delete', folder: name }, `DELETE ${name}`);
    this.#user.remove(name);
    return true;
  }

  async #rename(name: string, own: readonly string[]): Promise<boolean> {
    const to = this.#freeName(own);
    if (to === undefined) return true;
    await this.#leave();
    await this.#run('RENAME', this.#user, { kind: 'rename', folder: name, to }, `RENAME ${name} ${to}`);
    this.#user.rename(name, to);
    return true;
  }

  /** Mail goes on arriving: each message is in one of the two afterwards. */
  async #renameInbox(own: readonly string[]): Promise<boolean> {
    const to = this.#freeName(own);
    if (to === undefined) return true;
    await this.#leave();
    const user = this.#user;
    user.mayLeaveInbox(to);
    await this.#run('RENAME INBOX', user, { kind: 'renameinbox', to }, `RENAME INBOX ${to}`);
    user.inboxRenamed(to, UNKNOWN);
    await this.#learnUidvalidity(to);
    await this.#select(to);
    const answer = await this.#client.ok('UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])');
    const folder = user.folder(to);
    const onTheWay = [...user.pending].filter((change) => change.kind === 'add');
    for (const { uid, flags, body } of fetched(answer)) {
      const id = idOf(body);
      const at = user.arrived.findIndex((one) => one.id === id && one.folders.includes(to));
      if (at >= 0) user.arrived.splice(at, 1);
      else for (const change of onTheWay) if (change.id === id) user.pending.delete(change);
      const known = new Set(flags.filter((flag) => flag !== '\\Recent'));
      this.#learn(this.#own(to), folder, uid, { id, flags: known });
    }
    for (const { folders } of [...user.arrived, ...onTheWay]) remove(folders, to);
    return true;
  }

  async #subscribe(name: string): Promise<boolean> {
    const on = !this.#user.subscribed.has(name);
    const verb = on ? 'SUBSCRIBE' : 'UNSUBSCRIBE';
    await this.#run(verb, this.#user, { kind: 'subscribe', folder: name, on }, `${verb} ${name}`);
    if (on) this.#user.subscribed.add(name);
    else this.#user.subscribed.delete(name);
    return true;
  }

  async #acl(name: string): Promise<boolean> {
    const { random } = this.#round;
    const identifier = random.pick(IDENTIFIERS);
    const verb = steered(this.#round, ['SETACL', 'SETACL', 'DELETEACL'] as const, (name) => [name]);
    const rights = verb === 'DELETEACL' ? undefined : random.pick(RIGHTS);
    const text = rights === undefined
      ? `DELETEACL ${name} ${identifier}`
      : `SETACL ${name} ${identifier} ${rights}`;
    const pending: Pending = { kind: 'acl', folder: name, identifier, rights };
    await this.#run(verb, this.#user, pending, text);
    const { acl } = this.#user.folder(name);
    if (rights === undefined) acl.delete(identifier);
    else acl.set(identifier, rights);
    return true;
  }

  /** Leaves the selected folder, so that it can be deleted or renamed. */
  async #leave(): Promise<void> {
    if (this.#selected !== undefined) await this.#client.ok('UNSELECT');
    this.#selected = undefined;
  }

  #learn({ owner, name }: Place, folder: Folder, uid: number | undefined, message: Message): void {
    if (uid === undefined) {
      this.#round.wrong.push(`${name}: no UID was told for ${message.id}`);
      return;
    }
    this.#round.wrong.push(...owner.saw(name, folder.uidvalidity, uid, message.id));
    folder.messages.set(uid, message);
  }
}

function remove(list: string[], item: string): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}

/** `1:3,7` as numbers. */
function numbers(set: string | undefined): number[] {
  return (set ?? '').split(',').filter((part) => part !== '').flatMap((part) => {
    const [first = 0, last = first] = part.split(':').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
