/** Those who change mailboxes while the store is killed: each does one change after the other and keeps the model. */

import { type ImapAnswer, ImapClient, ImapFailure } from '../harness/imap.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import type { Random } from '../harness/random.ts';
import type { TestStore } from '../harness/server.ts';
import { messageOf, newId } from './message.ts';
import { type Folder, type Message, type Pending, UNKNOWN, type UserModel } from './model.ts';

/** What the actors of a round share. */
export interface Round {
  readonly store: TestStore;
  readonly random: Random;
  readonly seed: number;
  /** Set at the kill; before it nothing may be refused. */
  killed: boolean;
  /** Set after the kill: finish what runs and stop. */
  over: boolean;
  /** What must not be, found while running. */
  readonly wrong: string[];
  /** Changes that were acknowledged. */
  acknowledged: number;
  /** Refusals, which are no acknowledgement, by their text. */
  readonly refused: Map<string, number>;
}

const FLAGS = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', 'first-keyword', 'second'] as const;
/** With more messages than this an actor rather removes some. */
const MANY = 60;

/** Mail transfer agents: deliver to some of the users, each message under a new identity. */
export async function deliverer(round: Round, users: readonly UserModel[]): Promise<void> {
  let client: LmtpClient | undefined;
  try {
    client = await LmtpClient.connect(
      round.random.oneIn(2) ? round.store.lmtpSocket : round.store.ports.lmtp,
    );
    while (!round.over) {
      const to = round.random.some(users, 2);
      const id = newId(round.seed);
      const pending = to.map((user): Pending => {
        const change: Pending = { kind: 'add', folder: 'INBOX', id };
        user.pending.add(change);
        return change;
      });
      const replies = await client.deliver('sender@example.org', to.map((user) => user.name), messageOf(id));
      for (const [index, user] of to.entries()) {
        const change = pending[index];
        const reply = replies[index] ?? '';
        if (reply.startsWith('250')) {
          if (change !== undefined) user.pending.delete(change);
          user.arrived.push(id);
          round.acknowledged++;
        } else refuse(round, reply);
      }
    }
  } catch {
    // The connection died with the store; what was under way stays pending.
  } finally {
    client?.destroy();
  }
}

/** A reader: works in its own folders, and in INBOX when `inbox` says so. */
export async function reader(round: Round, user: UserModel, prefix: string, inbox: boolean): Promise<void> {
  let client: ImapClient | undefined;
  try {
    client = await round.store.login(user.name);
    const session = new Session(round, user, client, prefix, inbox);
    while (!round.over && await session.change());
  } catch (error) {
    if (!(error instanceof ImapFailure) && !(error instanceof Error && 'code' in error)) throw error;
    if (error instanceof ImapFailure && error.answer !== undefined) refuse(round, error.message);
  } finally {
    client?.destroy();
  }
}

function refuse(round: Round, text: string): void {
  const kind = text.replace(/\d+/g, 'N').slice(0, 160);
  round.refused.set(kind, (round.refused.get(kind) ?? 0) + 1);
  if (!round.killed) round.wrong.push(`refused before anything was killed: ${text}`);
}

class Session {
  readonly #round: Round;
  readonly #user: UserModel;
  readonly #client: ImapClient;
  readonly #prefix: string;
  readonly #inbox: boolean;
  #selected: string | undefined;

  constructor(round: Round, user: UserModel, client: ImapClient, prefix: string, inbox: boolean) {
    this.#round = round;
    this.#user = user;
    this.#client = client;
    this.#prefix = prefix;
    this.#inbox = inbox;
  }

  /** One change, from the command to its place in the model. False when the server refused it. */
  async change(): Promise<boolean> {
    const random = this.#round.random;
    const own = [...this.#user.folders.keys()].filter((name) => name.startsWith(this.#prefix));
    const folders = this.#inbox ? ['INBOX', ...own] : own;
    if (own.length < 2 || own.length < 5 && random.oneIn(12)) return await this.#create(own);
    const name = random.pick(folders);
    const folder = this.#user.folder(name);
    const uids = [...folder.messages.keys()];
    if (uids.length === 0 || uids.length < MANY && random.oneIn(4)) return await this.#append(name, folder);
    const some = random.some(uids, uids.length > MANY ? 40 : 5);
    if (uids.length > MANY) return await this.#expunge(name, folder, some);
    const to = random.pick(own.filter((other) => other !== name));
    switch (random.below(12)) {
      case 0:
      case 1:
        return await this.#copyOrMove('COPY', name, folder, some, to);
      case 2:
      case 3:
        return await this.#copyOrMove('MOVE', name, folder, some, to);
      case 4:
        return await this.#expunge(name, folder, some);
      case 5:
        return await this.#delete(random.pick(own));
      case 6:
        return await this.#rename(random.pick(own), own);
      default:
        return await this.#flag(name, folder, some);
    }
  }

  /** Sends a command; its change is pending until the answer is OK. */
  async #run(change: Pending, text: string, ...literals: readonly Buffer[]): Promise<ImapAnswer | undefined> {
    this.#user.pending.add(change);
    const answer = await this.#client.command(text, ...literals);
    if (answer.status !== 'OK') {
      refuse(this.#round, `${text.split(' ', 2).join(' ')}: ${answer.text}`);
      if (answer.status === 'BAD') this.#round.wrong.push(`${text}: ${answer.text}`);
      return undefined;
    }
    this.#user.pending.delete(change);
    this.#round.acknowledged++;
    return answer;
  }

  /** Selects a folder unless it is; refused only when the store is going down. */
  async #select(name: string): Promise<void> {
    if (this.#selected === name) return;
    this.#selected = undefined;
    await this.#client.ok(`SELECT ${name}`);
    this.#selected = name;
  }

  async #create(own: readonly string[]): Promise<boolean> {
    const random = this.#round.random;
    const parent = own.find((name) => !name.includes('/'));
    const base = parent !== undefined && random.oneIn(3) ? `${parent}/` : '';
    const name = base + this.#prefix + random.below(30).toString(36);
    if (this.#user.folders.has(name)) return true;
    const answer = await this.#run({ kind: 'create', folder: name }, `CREATE ${name}`);
    if (answer === undefined) return false;
    // It is there from now on; nothing else touches it, so its uidvalidity may be asked for afterwards.
    this.#user.folders.set(name, { uidvalidity: UNKNOWN, messages: new Map() });
    const status = await this.#client.ok(`STATUS ${name} (UIDVALIDITY)`);
    const uidvalidity = /UIDVALIDITY (\d+)/.exec(status.untagged.map(({ text }) => text).join('\n'))?.[1];
    this.#round.wrong.push(...this.#user.create(name, Number(uidvalidity)));
    return true;
  }

  async #append(name: string, folder: Folder): Promise<boolean> {
    const id = newId(this.#round.seed);
    const answer = await this.#run(
      { kind: 'add', folder: name, id },
      `APPEND ${name} (\\Seen)`,
      messageOf(id),
    );
    if (answer === undefined) return false;
    const [uid] = numbers(/\[APPENDUID \d+ ([\d:,]+)\]/.exec(answer.text)?.[1]);
    this.#learn(name, folder, uid, { id, flags: new Set(['\\Seen']) });
    return true;
  }

  async #flag(name: string, folder: Folder, uids: readonly number[]): Promise<boolean> {
    await this.#select(name);
    const flag = this.#round.random.pick(FLAGS);
    const add = !this.#round.random.oneIn(3);
    const text = `UID STORE ${uids.join(',')} ${add ? '+' : '-'}FLAGS.SILENT (${flag})`;
    if (await this.#run({ kind: 'flag', folder: name, uids, flag }, text) === undefined) return false;
    for (const uid of uids) {
      const message = folder.messages.get(uid);
      if (message === undefined) continue;
      const flags = new Set(message.flags);
      if (add) flags.add(flag);
      else flags.delete(flag);
      folder.messages.set(uid, { ...message, flags });
    }
    return true;
  }

  async #expunge(name: string, folder: Folder, uids: readonly number[]): Promise<boolean> {
    await this.#select(name);
    const flagging: Pending = { kind: 'flag', folder: name, uids, flag: '\\Deleted' };
    if (await this.#run(flagging, `UID STORE ${uids.join(',')} +FLAGS.SILENT (\\Deleted)`) === undefined) {
      return false;
    }
    for (const uid of uids) {
      const message = folder.messages.get(uid);
      if (message !== undefined) {
        folder.messages.set(uid, { ...message, flags: new Set([...message.flags, '\\Deleted']) });
      }
    }
    const everything = this.#round.random.oneIn(2);
    const gone = everything
      ? [...folder.messages].filter(([, { flags }]) => flags.has('\\Deleted')).map(([uid]) => uid)
      : uids;
    const text = everything ? 'EXPUNGE' : `UID EXPUNGE ${uids.join(',')}`;
    if (await this.#run({ kind: 'expunge', folder: name, uids: gone }, text) === undefined) return false;
    for (const uid of gone) folder.messages.delete(uid);
    return true;
  }

  async #copyOrMove(
    verb: 'COPY' | 'MOVE',
    name: string,
    folder: Folder,
    uids: readonly number[],
    to: string,
  ): Promise<boolean> {
    await this.#select(name);
    const kind = verb === 'COPY' ? 'copy' : 'move';
    const answer = await this.#run({ kind, folder: name, uids, to }, `UID ${verb} ${uids.join(',')} ${to}`);
    if (answer === undefined) return false;
    const told = [answer.text, ...answer.untagged.map(({ text }) => text)].join('\n');
    const match = /\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]/.exec(told);
    const from = numbers(match?.[1]);
    const target = this.#user.folder(to);
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
    if (await this.#run({ kind: 'delete', folder: name }, `DELETE ${name}`) === undefined) return false;
    this.#user.folders.delete(name);
    return true;
  }

  async #rename(name: string, own: readonly string[]): Promise<boolean> {
    const to = this.#prefix + this.#round.random.below(30).toString(36);
    if (own.some((other) => other === to || other.startsWith(`${to}/`))) return true;
    await this.#leave();
    if (await this.#run({ kind: 'rename', folder: name, to }, `RENAME ${name} ${to}`) === undefined) {
      return false;
    }
    this.#user.rename(name, to);
    return true;
  }

  /** Leaves the selected folder, so that it can be deleted or renamed. */
  async #leave(): Promise<void> {
    if (this.#selected !== undefined) await this.#client.ok('UNSELECT');
    this.#selected = undefined;
  }

  #learn(name: string, folder: Folder, uid: number | undefined, message: Message): void {
    if (uid === undefined) {
      this.#round.wrong.push(`${name}: no UID was told for ${message.id}`);
      return;
    }
    this.#round.wrong.push(...this.#user.saw(name, folder.uidvalidity, uid, message.id));
    folder.messages.set(uid, message);
  }
}

/** `1:3,7` as numbers. */
function numbers(set: string | undefined): number[] {
  return (set ?? '').split(',').filter((part) => part !== '').flatMap((part) => {
    const [first = 0, last = first] = part.split(':').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
