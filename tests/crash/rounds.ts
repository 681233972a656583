/**
 * Rounds of kill -9: users change their mailboxes while mail arrives, something is killed at a random moment or at a named step
 * of the write path, and afterwards everything acknowledged must be there once.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { ImapFailure } from '../harness/imap.ts';
import { Random } from '../harness/random.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';
import type { Step } from '../../src/store/step.ts';
import { deliverer, type Round } from './actors.ts';
import { ADMIN, administrator } from './administrator.ts';
import { look } from './look.ts';
import { type FoundUser, settleAll, UserModel } from './model.ts';
import { reader, SHARED } from './reader.ts';
import { type Fault, letFail, nameOf } from './faults.ts';
import { Steps } from './steps.ts';

/** What is killed, as often as it stands here. */
const VICTIMS = ['writer', 'writer', 'worker', 'janitor', 'supervisor', 'all', 'all'] as const;
type Victim = (typeof VICTIMS)[number];

/** Each may write into the shared folder of the next one. */
const USERS = ['anna', 'bert', 'cora'];
/** A user who is always close to the quota. */
const LIMITED = 'dora';
const LIMIT = 30;
/** The administrator's own: made, removed, given passwords. */
const SUBJECT = 'tess';
const DELIVERERS = 3;
/** Longest time until the kill, and from the kill to the end of a round in which the store goes on. */
const KILL_WITHIN_MS = 150;
const GO_ON_MS = 100;
/** A change that has no answer by then hangs. */
const ROUND_LIMIT_MS = 20_000;
/** The longest pause of the supervisor and of an owner that is opened again, twice. */
const BACK_WITHIN_MS = 40_000;
/** So often the store is stopped between two rounds and checked by its own tool. */
const CHECK_EVERY = 40;

export interface Bounds {
  readonly seed: number;
  readonly rounds: number;
  /** No round begins after this time, or after four times as long while one of `commands` was not acknowledged. */
  readonly milliseconds: number;
  readonly commands?: readonly string[];
  /** Kill at these, each in its turn; empty: at random moments. */
  readonly steps?: readonly Step[];
  /** Let these calls fail, each in its turn, instead of killing. */
  readonly faults?: readonly Fault[];
  /** Leave the folder of a store in which something was wrong. */
  readonly keep?: boolean;
  report(text: string): void;
}

export interface Outcome {
  readonly rounds: number;
  readonly acknowledged: number;
  /** How often what was killed: roles, or steps. */
  readonly kills: ReadonlyMap<string, number>;
  readonly commands: ReadonlyMap<string, number>;
  readonly refused: ReadonlyMap<string, number>;
  /** Steps that some process of the store passed. */
  readonly reached: ReadonlySet<string>;
  /** Everything that must not be; empty is the only good outcome. */
  readonly wrong: readonly string[];
}

/** Runs until the bounds are reached or something is wrong. */
export async function runRounds(bounds: Bounds): Promise<Outcome> {
  const random = new Random(bounds.seed);
  const steps = new Steps();
  const names = [...USERS, LIMITED, SUBJECT];
  const store = await TestStore.start({
    users: [...names, ADMIN],
    env: steps.environment,
    config: {
      server: { admins: `["${ADMIN}"]` },
      store: { log_segment_size: '"1M"', expunge_retention: '"0s"' },
      'events.checkpoint': { job: '"checkpoint"', every: '"1s"' },
      'events.expire': { job: '"expire"', every: '"2s"' },
    },
  });
  const users = names.map((name) => new UserModel(name, PASSWORD));
  const kills = new Map<string, number>();
  const refused = new Map<string, number>();
  const commands = new Map<string, number>();
  const wrong: string[] = [];
  const begun = performance.now();
  let acknowledged = 0;
  let rounds = 0;
  try {
    await prepare(store, users);
    while (rounds < bounds.rounds && wrong.length === 0) {
      const missing = bounds.commands?.some((command) => !commands.has(command)) ?? false;
      if (performance.now() - begun > bounds.milliseconds * (missing ? 4 : 1)) break;
      const round: Round = {
        store,
        random,
        seed: bounds.seed,
        killed: false,
        over: false,
        wrong,
        acknowledged: 0,
        refused,
        commands,
      };
      const at = bounds.steps?.[rounds % bounds.steps.length];
      const fault = bounds.faults?.[rounds % bounds.faults.length];
      const victim = at ?? (fault === undefined ? random.pick(VICTIMS) : nameOf(fault));
      rounds++;
      kills.set(victim, (kills.get(victim) ?? 0) + 1);
      try {
        await runRound(round, users, async () => {
          if (fault !== undefined) await letFail(round, fault);
          else if (at === undefined) await killSoon(round, victim as Victim);
          else await steps.killAt(round, at);
        });
        if (at !== undefined) {
          // A new supervisor starts what dies at once; this one may have begun to pause.
          await store.killSupervisor();
          await store.run();
        }
        await store.greets();
        const found = new Map<UserModel, FoundUser>();
        for (const user of users) found.set(user, await lookAgain(store, user, wrong));
        wrong.push(...settleAll(users, found));
      } catch (error) {
        wrong.push(error instanceof Error ? error.stack ?? error.message : String(error));
      }
      acknowledged += round.acknowledged;
      if (wrong.length > 0) {
        wrong.push(`in round ${rounds}, after ${fault === undefined ? 'kill -9 of ' : ''}${victim}`);
      } else if (rounds % CHECK_EVERY === 0) {
        await checkStore(store, wrong);
        bounds.report(`${rounds} rounds, ${acknowledged} acknowledged changes`);
      }
    }
    if (wrong.length === 0) await checkStore(store, wrong);
    if (wrong.length > 0) {
      wrong.push(`seed ${bounds.seed}`, `last log lines:\n${store.log.split('\n').slice(-40).join('\n')}`);
    }
  } finally {
    if (wrong.length > 0 && bounds.keep) {
      await store.killAll();
      wrong.push(`the store as it was found: ${store.dir}`);
    } else await store.dispose();
  }
  const reached = steps.reached();
  steps.dispose();
  return { rounds, acknowledged, kills, commands, refused, reached, wrong };
}

/** First logins make the INBOXes; the shared folders and the quota are there from the beginning. */
async function prepare(store: TestStore, users: readonly UserModel[]): Promise<void> {
  for (const user of users) {
    const client = await store.login(user.name);
    await client.ok('SELECT INBOX');
    const at = USERS.indexOf(user.name);
    if (at >= 0) {
      await client.ok(`CREATE ${SHARED}`);
      await client.ok(`SETACL ${SHARED} ${USERS[(at + USERS.length - 1) % USERS.length]} lrswite`);
    }
    client.destroy();
  }
  const admin = await store.login(ADMIN);
  await admin.ok(`SETQUOTA user/${LIMITED} (MESSAGE ${LIMIT})`);
  admin.destroy();
  for (const user of users) {
    const found = await look(store, user, []);
    for (const [name, { uidvalidity, acl }] of found.folders) {
      user.create(name, uidvalidity);
      for (const [identifier, rights] of acl) user.folder(name).acl.set(identifier, rights);
    }
    user.messageLimit = found.messageLimit;
  }
}

/** Everybody works until `kill` has done its work. */
async function runRound(
  round: Round,
  users: readonly UserModel[],
  kill: () => Promise<void>,
): Promise<void> {
  const readers = users.filter(({ name }) => name !== SUBJECT);
  const subject = users.find(({ name }) => name === SUBJECT);
  if (subject === undefined) throw new Error(`there is no ${SUBJECT}`);
  const actors = [
    ...Array.from({ length: DELIVERERS }, () => deliverer(round, readers)),
    ...readers.flatMap((user) => [
      reader(round, user, { prefix: 'a', inbox: true, ...guest(user, users) }),
      reader(round, user, { prefix: 'b', inbox: false }),
    ]),
    administrator(round, readers, subject),
  ];
  const everybody = Promise.all(actors);
  await kill();
  round.over = true;
  // At once: a tool that was at work waits for the next writer.
  if (!round.store.running) await round.store.run();
  const late = sleep(ROUND_LIMIT_MS, 'late' as const, { ref: false });
  if (await Promise.race([everybody, late]) === 'late') {
    round.wrong.push(`no answer within ${ROUND_LIMIT_MS} ms after the kill`);
  }
}

/** What is away for a while has to come back by itself. */
async function lookAgain(store: TestStore, user: UserModel, wrong: string[]): Promise<FoundUser> {
  for (const begun = performance.now();;) {
    try {
      return await look(store, user, wrong);
    } catch (error) {
      const away = error instanceof ImapFailure &&
        (error.answer === undefined || error.answer.text.includes('[UNAVAILABLE]'));
      if (!away || performance.now() - begun > BACK_WITHIN_MS) throw error;
      await sleep(100);
    }
  }
}

/** In whose shared folder a user works. */
function guest(user: UserModel, users: readonly UserModel[]): { guestOf?: UserModel } {
  const at = USERS.indexOf(user.name);
  const guestOf = at < 0 ? undefined : users.find(({ name }) => name === USERS[(at + 1) % USERS.length]);
  return guestOf === undefined ? {} : { guestOf };
}

/** kill -9 at a random moment. */
async function killSoon(round: Round, victim: Victim): Promise<void> {
  const { random, store } = round;
  await sleep(random.below(KILL_WITHIN_MS));
  round.killed = true;
  if (victim === 'all') await store.killAll();
  else if (victim === 'supervisor') await store.killSupervisor();
  else {
    // A role that was killed in the round before may not be back yet; then there is nothing to kill.
    const pids = store.roles().get(victim) ?? [];
    if (pids.length > 0) store.killRole(victim, random.below(pids.length));
    await sleep(random.below(GO_ON_MS));
  }
}

/** The store's own consistency check, on a store at rest. */
async function checkStore(store: TestStore, wrong: string[]): Promise<void> {
  await store.stop();
  const checked = store.tool(['check', '--deep']);
  if (checked.code !== 0) wrong.push(`mailstore check: ${checked.code}\n${checked.stdout}${checked.stderr}`);
  await store.run();
}
