/**
 * Rounds of kill -9: users change their mailboxes while mail arrives, something is killed at a random moment or at a named step
 * of the write path, and afterwards everything acknowledged must be there once.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { ImapFailure } from '../harness/imap.ts';
import { Random } from '../harness/random.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';
import type { Step } from '../../src/store/step.ts';
import { deliverer, type Round, type Work } from './actors.ts';
import { ADMIN, administrator } from './administrator.ts';
import { FILED, filingDeliverer, FilingModel, lookAtFiling, prepareFiling, scripter } from './filing.ts';
import { filterer, FilterModel, lookAtFilters } from './filters.ts';
import { look } from './look.ts';
import { type FoundUser, settleAll, UserModel } from './model.ts';
import { reader, SHARED } from './reader.ts';
import { type Fault, letFail, nameOf } from './faults.ts';
import { BYSTANDER, changesFor, OBSTRUCTED, StepPlan, Steps } from './steps.ts';

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
/** Something is killed after at most so many acknowledged changes, and then so many milliseconds may pass until the round ends. */
const KILL_WITHIN = 120;
const GO_ON_MS = 100;
/** From this round on one waits for a command that nobody used yet before something is killed. */
const WAIT_FROM = 8;
/** What takes this long hangs, however slow the machine. */
const HANGS_MS = 120_000;
/** Rounds beyond those that were asked for, until every command was acknowledged. */
const MORE_ROUNDS = 200;
/** So often the store is stopped between two rounds and checked by its own tool. */
const CHECK_EVERY = 40;

export interface Bounds {
  readonly seed: number;
  /** Rounds with steps go on until each step has killed. */
  readonly rounds: number;
  /** There are more rounds until each of these was acknowledged. */
  readonly commands?: readonly string[];
  /** Kill at these instead of random moments, several in a round, each as often as `times` says. */
  readonly steps?: readonly Step[];
  readonly times?: number;
  /** Let these calls fail, each in its turn, instead of killing. */
  readonly faults?: readonly Fault[];
  /** Leave the folder of a store in which something was wrong. */
  readonly keep?: boolean;
  report(text: string): void;
}

export interface Outcome {
  readonly rounds: number;
  readonly acknowledged: number;
  /** System calls that were made to fail. */
  readonly failed: number;
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
    users: [...names, FILED, ADMIN, OBSTRUCTED, BYSTANDER],
    env: steps.environment,
    config: {
      server: { admins: `["${ADMIN}"]` },
      store: { log_segment_size: '"1M"', expunge_retention: '"0s"' },
      'events.checkpoint': { job: '"checkpoint"', every: '"1s"' },
      'events.expire': { job: '"expire"', every: '"2s"' },
    },
  });
  const users = names.map((name) => new UserModel(name, PASSWORD));
  const filters = [...USERS, LIMITED].map((name) => new FilterModel(name));
  const filing = new FilingModel(PASSWORD);
  const scripts = new FilterModel(FILED);
  const kills = new Map<string, number>();
  const refused = new Map<string, number>();
  const commands = new Map<string, number>();
  const wrong: string[] = [];
  const plan = bounds.steps === undefined ? undefined : new StepPlan(bounds.steps, bounds.times ?? 1);
  let acknowledged = 0;
  let failed = 0;
  let rounds = 0;
  try {
    await prepare(store, users);
    await prepareFiling({ store, random }, filing, scripts);
    for (; wrong.length === 0; rounds++) {
      const missing = (bounds.commands ?? []).filter((command) => !commands.has(command));
      if (plan !== undefined ? plan.left.length === 0 : rounds >= bounds.rounds && missing.length === 0) {
        break;
      }
      if (missing.length > 0 && rounds >= bounds.rounds + MORE_ROUNDS) break;
      const choice = plan?.choose(random);
      const wanted = new Set(choice === undefined ? missing : changesFor(choice.first));
      const round: Round = {
        store,
        random,
        seed: bounds.seed,
        killed: false,
        unreadable: false,
        over: false,
        wrong,
        acknowledged: 0,
        refused,
        commands,
        wanted,
      };
      const fault = bounds.faults?.[rounds % bounds.faults.length];
      let what = fault === undefined ? '' : nameOf(fault);
      const killed = (victim: string) => kills.set(victim, (kills.get(victim) ?? 0) + 1);
      try {
        const filed = [
          filingDeliverer(round, filing),
          filingDeliverer(round, filing),
          scripter(round, filing, scripts),
        ];
        await runRound(round, users, filters, filed, async (work) => {
          if (fault !== undefined) {
            killed(what);
            const calls = await letFail(round, fault);
            failed += calls;
            bounds.report(`${what}: ${calls} calls failed`);
          } else if (choice !== undefined && plan !== undefined) {
            what = `${choice.first}, ${choice.then.join(', ')}`;
            const at = await steps.killAt(round, choice, work);
            at.forEach(killed);
            wrong.push(...plan.note(choice, at));
            const not = [choice.first, ...choice.then].filter((step) => !at.includes(step));
            bounds.report(
              `killed at ${at.join(', ') || 'nothing'}${not.length > 0 ? `, not at ${not.join(', ')}` : ''}`,
            );
          } else {
            const victim = random.pick(VICTIMS);
            killed(what = victim);
            await killSoon(round, victim, rounds >= WAIT_FROM, work);
          }
        });
        if (choice !== undefined && store.running) {
          // A new supervisor starts what dies at once; this one may have begun to pause.
          await store.killSupervisor();
          await store.run();
        }
        await store.greets();
        const found = new Map<UserModel, FoundUser>();
        for (const user of users) found.set(user, await whenThere(() => look(store, user, wrong)));
        wrong.push(...settleAll(users, found), ...await lookAtFilters(store, [...filters, scripts]));
        wrong.push(...await whenThere(() => lookAtFiling(store, filing, round)));
      } catch (error) {
        wrong.push(error instanceof Error ? error.stack ?? error.message : String(error));
      }
      acknowledged += round.acknowledged;
      if (wrong.length > 0) {
        wrong.push(`in round ${rounds + 1}, after ${fault === undefined ? 'kill -9 of ' : ''}${what}`);
      } else if (rounds % CHECK_EVERY === CHECK_EVERY - 1) {
        await checkStore(store, wrong);
        bounds.report(`${rounds + 1} rounds, ${acknowledged} acknowledged changes`);
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
  return { rounds, acknowledged, failed, kills, commands, refused, reached, wrong };
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
  filters: readonly FilterModel[],
  others: readonly Promise<void>[],
  kill: (work: Work) => Promise<void>,
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
    filterer(round, filters),
    ...others,
  ];
  const everybody = Promise.all(actors);
  const state = { ended: false };
  everybody.then(() => state.ended = true, () => state.ended = true);
  await kill(state);
  round.over = true;
  // At once: a tool that was at work waits for the next writer.
  if (!round.store.running) await round.store.run();
  const late = sleep(HANGS_MS, 'late' as const, { ref: false });
  if (await Promise.race([everybody, late]) === 'late') {
    round.wrong.push(`no answer within ${HANGS_MS} ms after the kill`);
  }
}

/** Looks at what may be away for a while and has to come back by itself. */
async function whenThere<Seen>(look: () => Promise<Seen>): Promise<Seen> {
  for (const begun = performance.now();;) {
    try {
      return await look();
    } catch (error) {
      const away = error instanceof ImapFailure &&
        (error.answer === undefined || error.answer.text.includes('[UNAVAILABLE]'));
      if (!away || performance.now() - begun > HANGS_MS) throw error;
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

/** kill -9 at a random moment; `wait`: not before somebody used a command that was wanted. */
async function killSoon(round: Round, victim: Victim, wait: boolean, work: Work): Promise<void> {
  const { random, store } = round;
  const enough = random.below(KILL_WITHIN);
  const wanted = [...round.wanted];
  const used = (): boolean =>
    !wait || wanted.length === 0 || wanted.some((command) => round.commands.has(command));
  for (const begun = performance.now(); !work.ended && (round.acknowledged < enough || !used());) {
    if (performance.now() - begun > HANGS_MS) {
      round.wrong.push(`within ${HANGS_MS} ms: ${round.acknowledged} changes, none of ${wanted.join(', ')}`);
      break;
    }
    await sleep(random.below(8));
  }
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
