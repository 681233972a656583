/**
 * Rounds of kill -9: users change their mailboxes while mail arrives, something is killed at a random moment, and
 * afterwards everything acknowledged must be there once.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { fetched, type ImapClient } from '../harness/imap.ts';
import { Random } from '../harness/random.ts';
import { TestStore } from '../harness/server.ts';
import { deliverer, reader, type Round } from './actors.ts';
import { idOf, messageOf } from './message.ts';
import { type FoundFolder, UserModel } from './model.ts';

/** What is killed, as often as it stands here. */
const VICTIMS = ['writer', 'writer', 'worker', 'janitor', 'all', 'all'] as const;
type Victim = (typeof VICTIMS)[number];

const USERS = ['anna', 'bert', 'cora'];
const DELIVERERS = 3;
/** Longest time until the kill, and from the kill to the end of a round in which the store goes on. */
const KILL_WITHIN_MS = 150;
const GO_ON_MS = 100;
/** A change that has no answer by then hangs. */
const ROUND_LIMIT_MS = 20_000;
/** So often the store is stopped between two rounds and checked by its own tool. */
const CHECK_EVERY = 40;

export interface Bounds {
  readonly seed: number;
  readonly rounds: number;
  /** No round begins after this time. */
  readonly milliseconds: number;
  report(text: string): void;
}

export interface Outcome {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly kills: ReadonlyMap<Victim, number>;
  readonly refused: ReadonlyMap<string, number>;
  /** Everything that must not be; empty is the only good outcome. */
  readonly wrong: readonly string[];
}

/** Runs until the bounds are reached or something is wrong. */
export async function runRounds(bounds: Bounds): Promise<Outcome> {
  const random = new Random(bounds.seed);
  const store = await TestStore.start({ users: USERS });
  const users = USERS.map((name) => new UserModel(name));
  const kills = new Map<Victim, number>();
  const refused = new Map<string, number>();
  const wrong: string[] = [];
  const begun = performance.now();
  let acknowledged = 0;
  let rounds = 0;
  try {
    for (const user of users) await firstLook(store, user);
    while (rounds < bounds.rounds && performance.now() - begun < bounds.milliseconds && wrong.length === 0) {
      rounds++;
      const round: Round = {
        store,
        random,
        seed: bounds.seed,
        killed: false,
        over: false,
        wrong,
        acknowledged: 0,
        refused,
      };
      const victim = random.pick(VICTIMS);
      kills.set(victim, (kills.get(victim) ?? 0) + 1);
      try {
        await runRound(round, users, victim);
        await store.greets();
        for (const user of users) wrong.push(...user.settle(await look(store, user, wrong)));
      } catch (error) {
        wrong.push(String(error));
      }
      acknowledged += round.acknowledged;
      if (wrong.length > 0) wrong.push(`in round ${rounds}, after kill -9 of ${victim}`);
      else if (rounds % CHECK_EVERY === 0) {
        await checkStore(store, wrong);
        bounds.report(`${rounds} rounds, ${acknowledged} acknowledged changes`);
      }
    }
    if (wrong.length === 0) await checkStore(store, wrong);
    if (wrong.length > 0) {
      wrong.push(`seed ${bounds.seed}`, `last log lines:\n${store.log.split('\n').slice(-40).join('\n')}`);
    }
  } finally {
    await store.dispose();
  }
  return { rounds, acknowledged, kills, refused, wrong };
}

async function runRound(round: Round, users: readonly UserModel[], victim: Victim): Promise<void> {
  const actors = [
    ...Array.from({ length: DELIVERERS }, () => deliverer(round, users)),
    ...users.flatMap((user) => [reader(round, user, 'a', true), reader(round, user, 'b', false)]),
  ];
  await sleep(round.random.below(KILL_WITHIN_MS));
  round.killed = true;
  if (victim === 'all') await round.store.killAll();
  else kill(round.store, victim, round.random);
  if (victim !== 'all') await sleep(round.random.below(GO_ON_MS));
  round.over = true;
  const late = sleep(ROUND_LIMIT_MS, 'late' as const, { ref: false });
  if (await Promise.race([Promise.all(actors), late]) === 'late') {
    round.wrong.push(`no answer within ${ROUND_LIMIT_MS} ms after kill -9 of ${victim}`);
  }
  if (victim === 'all') await round.store.run();
}

/** A role that was killed in the round before may not be back yet; then there is nothing to kill. */
function kill(store: TestStore, role: string, random: Random): void {
  const pids = store.roles().get(role) ?? [];
  if (pids.length > 0) store.killRole(role, random.below(pids.length));
}

/** The first login makes the INBOX. */
async function firstLook(store: TestStore, user: UserModel): Promise<void> {
  const client = await store.login(user.name);
  await client.ok('SELECT INBOX');
  client.destroy();
  const found = await look(store, user, []);
  for (const [name, folder] of found) user.create(name, folder.uidvalidity);
}

/** Everything a client finds; new messages are read whole and compared byte by byte. */
async function look(store: TestStore, user: UserModel, wrong: string[]): Promise<Map<string, FoundFolder>> {
  const found = new Map<string, FoundFolder>();
  const client = await store.login(user.name);
  const listed = await client.ok('LIST "" *');
  for (const { text } of listed.untagged) {
    const name = /^\* LIST \([^)]*\) "." "?([^"]+)"?$/.exec(text)?.[1];
    if (name !== undefined) found.set(name, await lookInto(client, name, user, wrong));
  }
  client.destroy();
  return found;
}

async function lookInto(
  client: ImapClient,
  name: string,
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
  for (const uid of fresh) {
    const [message] = fetched(await client.ok(`UID FETCH ${uid} (UID BODY.PEEK[])`));
    const id = folder.messages.get(uid)?.id ?? '';
    if (message === undefined || !endsWith(message.body, messageOf(id))) {
      wrong.push(`${user.name}: ${name}: uid ${uid}, ${id}, is not what was sent`);
    }
  }
  return folder;
}

/** Delivery puts lines in front and leaves the rest alone; APPEND changes nothing. */
function endsWith(bytes: Buffer, end: Buffer): boolean {
  return bytes.length >= end.length && bytes.subarray(bytes.length - end.length).equals(end);
}

/** The store's own consistency check, on a store at rest. */
async function checkStore(store: TestStore, wrong: string[]): Promise<void> {
  await store.stop();
  const checked = store.tool(['check', '--deep']);
  if (checked.code !== 0) wrong.push(`mailstore check: ${checked.code}\n${checked.stdout}${checked.stderr}`);
  await store.run();
}
