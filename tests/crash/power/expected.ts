/** What was promised: after each acknowledgement, what one client knows that the store must hold. */
import type { FoundOwner } from './found.ts';

/** A message by its identity, with its flags in order. */
export interface Promised {
  readonly id: string;
  readonly flags: readonly string[];
}

export interface PromisedFolder {
  readonly uidvalidity: number;
  readonly messages: ReadonlyMap<number, Promised>;
  /** Rights by identifier that were granted. */
  readonly acl: ReadonlyMap<string, string>;
}

/** Everything one client has been told. Its folders are its own: nobody else changes them. */
export interface Promises {
  /** Folders by owner and path, `anna/a1`. */
  readonly folders: ReadonlyMap<string, PromisedFolder>;
  /** Paths that are this client's: a folder there that it does not know must not be. */
  readonly prefix: string;
  readonly owner: string;
  /** INBOX: messages it knows by UID, and UIDs it has removed. Others may have come. */
  readonly inbox: ReadonlyMap<number, Promised>;
  readonly gone: ReadonlySet<number>;
  /** Storage limit in KiB, where it was set. */
  readonly quota: number | null;
}

/** Something that was acknowledged: to be there from a moment of the recording on. */
export type Acknowledged =
  & (
    | { readonly kind: 'client'; readonly client: string; readonly promise: Promises }
    | { readonly kind: 'delivered'; readonly user: string; readonly id: string; readonly sent: Buffer }
    | { readonly kind: 'added' | 'purged'; readonly user: string }
    | { readonly kind: 'filtered'; readonly user: string; readonly text: string }
  )
  & {
    /** Where it stands in what went out: the client's connection and the bytes it had by then; or 0 and the word. */
    readonly caller: number;
    readonly bytes: number;
    readonly word: string;
  };

/** What is not as promised; empty when everything is. */
export function unkept(promise: Promises, found: ReadonlyMap<string, FoundOwner>): string[] {
  const wrong: string[] = [];
  for (const [name, folder] of promise.folders) {
    const slash = name.indexOf('/');
    const there = found.get(name.slice(0, slash))?.folders.get(name.slice(slash + 1));
    if (there === undefined) {
      wrong.push(`${name} is lost`);
      continue;
    }
    if (there.uidvalidity !== folder.uidvalidity) wrong.push(`${name}: uidvalidity ${there.uidvalidity}`);
    for (const [uid, message] of folder.messages) compare(name, uid, message, there.messages.get(uid), wrong);
    for (const [uid, { id }] of there.messages) {
      if (!folder.messages.has(uid)) wrong.push(`${name}: uid ${uid}, ${id}, came from nowhere`);
    }
    for (const [identifier, rights] of folder.acl) {
      if (there.acl.get(identifier) !== rights) {
        wrong.push(`${name}: ${identifier} has ${there.acl.get(identifier)} instead of ${rights}`);
      }
    }
  }
  const own = found.get(promise.owner);
  for (const path of own?.folders.keys() ?? []) {
    if (path.startsWith(promise.prefix) && !promise.folders.has(`${promise.owner}/${path}`)) {
      wrong.push(`${promise.owner}/${path} came from nowhere`);
    }
  }
  const inbox = own?.folders.get('');
  for (const [uid, message] of promise.inbox) compare('INBOX', uid, message, inbox?.messages.get(uid), wrong);
  for (const uid of promise.gone) if (inbox?.messages.has(uid)) wrong.push(`INBOX: uid ${uid} is back`);
  if (promise.quota !== null && own?.quota !== promise.quota * 1024) wrong.push(`quota is ${own?.quota}`);
  return wrong;
}

function compare(
  name: string,
  uid: number,
  message: Promised,
  there: { id: string; flags: readonly string[] } | undefined,
  wrong: string[],
): void {
  if (there === undefined) wrong.push(`${name}: ${message.id} (uid ${uid}) is lost`);
  else if (there.id !== message.id) wrong.push(`${name}: uid ${uid} is ${there.id} instead of ${message.id}`);
  else if (there.flags.join() !== message.flags.join()) {
    wrong.push(`${name}: ${message.id} has ${there.flags.join()} instead of ${message.flags.join()}`);
  }
}
