/** What a client finds of a user: everything, so that it can be compared with what was acknowledged. */

import { fetched, type ImapClient, ImapFailure } from '../harness/imap.ts';
import { PASSWORD, type TestStore } from '../harness/server.ts';
import { idOf, messageOf } from './message.ts';
import type { FoundFolder, FoundUser, UserModel } from './model.ts';

/** So many messages are fetched whole with one command. */
const AT_ONCE = 20;

/** Looks at a user's mailboxes; new messages are read whole and compared byte by byte. */
export async function look(store: TestStore, user: UserModel, wrong: string[]): Promise<FoundUser> {
  const { client, password } = await enter(store, user, wrong);
  const folders = new Map<string, FoundFolder>();
  const listed = await client.ok('LIST "" * RETURN (SPECIAL-USE)');
  const uses = new Map<string, string>();
  for (const { text } of listed.untagged) {
    const match = /^\* LIST \(([^)]*)\) "." "?([^"]+)"?$/.exec(text);
    const name = match?.[2];
    if (name === undefined || name.startsWith('Other Users/')) continue;
    const use = match?.[1]?.split(' ').find((word) => /^\\(Archive|Drafts|Junk|Sent|Trash)$/.test(word));
    uses.set(name, use ?? '');
  }
  for (const [name, use] of uses) folders.set(name, await lookInto(client, name, use, user, wrong));
  const subscribed = new Set<string>();
  for (const { text } of (await client.ok('LSUB "" *')).untagged) {
    const name = /^\* LSUB \([^)]*\) "." "?([^"]+)"?$/.exec(text)?.[1];
    if (name !== undefined) subscribed.add(name);
  }
  const messageLimit = await lookAtQuota(client, user, folders, wrong);
  client.destroy();
  return { folders, subscribed, messageLimit, password };
}

/** Logs in with the password that was acknowledged, or with one that was not; a user who was removed is made anew. */
async function enter(
  store: TestStore,
  user: UserModel,
  wrong: string[],
): Promise<{ client: ImapClient; password: string }> {
  const passwords = [user.password];
  for (const change of user.pending) {
    if (change.kind === 'password') passwords.push(change.password);
  }
  for (const password of passwords) {
    try {
      return { client: await store.login(user.name, password), password };
    } catch (error) {
      if (!(error instanceof ImapFailure) || !error.answer?.text.includes('AUTHENTICATIONFAILED')) {
        throw error;
      }
    }
  }
  const added = store.tool(['user', 'add', user.name], `${PASSWORD}\n`);
  if (added.code !== 0 || !user.mayBeMissing) {
    wrong.push(`${user.name}: no password that was acknowledged lets in; user add: ${added.code}`);
  }
  return { client: await store.login(user.name, PASSWORD), password: PASSWORD };
}

/** The usage must equal the messages that are there (promise 4). */
async function lookAtQuota(
  client: ImapClient,
  user: UserModel,
  folders: ReadonlyMap<string, FoundFolder>,
  wrong: string[],
): Promise<number | null> {
  const told = (await client.ok('GETQUOTAROOT INBOX')).untagged.map(({ text }) => text).join('\n');
  const match = /MESSAGE (\d+) (\d+)/.exec(told);
  if (match === null) return null;
  const messages = [...folders.values()].reduce((sum, folder) => sum + folder.messages.size, 0);
  if (Number(match[1]) !== messages) {
    wrong.push(`${user.name}: the quota counts ${match[1]} messages and there are ${messages}`);
  }
  return Number(match[2]);
}

async function lookInto(
  client: ImapClient,
  name: string,
  use: string,
  user: UserModel,
  wrong: string[],
): Promise<FoundFolder> {
  const selected = (await client.ok(`EXAMINE ${name}`)).untagged.map(({ text }) => text).join('\n');
  const number = (pattern: RegExp): number => Number(pattern.exec(selected)?.[1] ?? NaN);
  const exists = number(/^\* (\d+) EXISTS/m);
  const folder: FoundFolder = {
    uidvalidity: number(/UIDVALIDITY (\d+)/),
    uidnext: number(/UIDNEXT (\d+)/),
    highestmodseq: number(/HIGHESTMODSEQ (\d+)/),
    messages: new Map(),
    acl: aclOf((await client.ok(`GETACL ${name}`)).untagged.map(({ text }) => text).join(' '), user.name),
    use,
  };
  const known = user.folders.get(name)?.messages;
  const fresh: number[] = [];
  if (exists > 0) {
    const answer = await client.ok('FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])');
    for (const message of fetched(answer)) {
      const flags = new Set(message.flags.filter((flag) => flag !== '\\Recent'));
      folder.messages.set(message.uid, { id: idOf(message.body), flags });
      if (!known?.has(message.uid)) fresh.push(message.uid);
    }
    if (folder.messages.size !== exists) {
      wrong.push(`${user.name}: ${name} has ${exists} messages and fetches ${folder.messages.size}`);
    }
  }
  for (let at = 0; at < fresh.length; at += AT_ONCE) {
    const uids = fresh.slice(at, at + AT_ONCE);
    const whole = new Map(
      fetched(await client.ok(`UID FETCH ${uids.join(',')} (UID BODY.PEEK[])`)).map((
        { uid, body },
      ) => [uid, body]),
    );
    for (const uid of uids) {
      const id = folder.messages.get(uid)?.id ?? '';
      const body = whole.get(uid);
      if (body === undefined || !endsWith(body, messageOf(id))) {
        wrong.push(`${user.name}: ${name}: uid ${uid}, ${id}, is not what was sent`);
      }
    }
  }
  return folder;
}

/** `* ACL name identifier rights ...` without the owner's entry, and without the old letters c and d (RFC 4314 §2.1.1). */
function aclOf(line: string, owner: string): Map<string, string> {
  const words = line.split(' ').slice(3);
  const acl = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) {
    const identifier = words[at] ?? '';
    if (identifier !== owner) acl.set(identifier, (words[at + 1] ?? '').replace(/[cd]/g, ''));
  }
  return acl;
}

/** Delivery puts lines in front and leaves the rest alone; APPEND changes nothing. */
function endsWith(bytes: Buffer, end: Buffer): boolean {
  return bytes.length >= end.length && bytes.subarray(bytes.length - end.length).equals(end);
}
