/**
 * Sieve scripts, metadata and marks while the store is killed. No protocol sets all of them, so this is a process of the store
 * like a worker: its changes go over the writer's socket, and it reads the indexes itself.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { loadSettings } from '../../src/config/load.ts';
import { MailError } from '../../src/errors.ts';
import type { Store } from '../../src/store/border.ts';
import { openStore } from '../../src/store/open.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import type { TestStore } from '../harness/server.ts';
import { acknowledge, refuse, type Round, steered } from './actors.ts';

const NAMES = ['main', 'other', 'third'] as const;
const ENTRIES = ['/shared/comment', '/private/comment', '/shared/imapsieve/script'] as const;
const KEYS = ['first', 'second', 'third'] as const;
/** An end of marks that no run sees. */
const FAR = 4_000_000_000;
/** What takes this long hangs, however slow the machine. */
const HANGS_MS = 120_000;

/** What a user's settings are: each has a name and a text, or is not there. */
export class FilterModel {
  readonly there = new Map<string, string>();
  /** What may have become of settings whose change was not answered. */
  readonly pending = new Map<string, Set<string | null>>();

  constructor(readonly user: string) {}

  /** Names of settings, as `script main`, of which it is certain what they are. */
  certain(kind: string, names: readonly string[]): { there: string[]; free: string[] } {
    const sure = names.filter((name) => !this.pending.has(`${kind} ${name}`));
    return {
      there: sure.filter((name) => this.there.has(`${kind} ${name}`)),
      free: sure.filter((name) => !this.there.has(`${kind} ${name}`)),
    };
  }

  try(changes: ReadonlyMap<string, string | null>): void {
    for (const [name, text] of changes) this.pending.set(name, new Set([text]));
  }

  done(changes: ReadonlyMap<string, string | null>): void {
    for (const [name, text] of changes) {
      this.pending.delete(name);
      if (text === null) this.there.delete(name);
      else this.there.set(name, text);
    }
  }

  /** Compares with what was found, which is what counts from now on. Returns what must not be. */
  settle(found: ReadonlyMap<string, string>): string[] {
    const wrong: string[] = [];
    for (const name of new Set([...this.there.keys(), ...this.pending.keys(), ...found.keys()])) {
      const is = found.get(name) ?? null;
      const was = this.there.get(name) ?? null;
      if (is === was || this.pending.get(name)?.has(is)) continue;
      wrong.push(`${this.user}: ${name} is ${is?.slice(0, 60)} instead of ${was?.slice(0, 60)}`);
    }
    this.there.clear();
    this.pending.clear();
    for (const [name, text] of found) this.there.set(name, text);
    return wrong;
  }
}

/** The running store as another process of it has it. */
export async function openBeside(store: TestStore): Promise<Store> {
  return await openStore(loadSettings({ toml: store.configFile }).settings, silentLog, 'server');
}

interface Job {
  readonly command: string;
  /** What it makes true, null where there is nothing to do; and how it is done. */
  plan(
    model: FilterModel,
    store: Store,
  ): { changes: Map<string, string | null>; run: () => Promise<void> } | null;
}

function jobs(round: Round): readonly Job[] {
  const { random } = round;
  const scripts = (store: Store, { user }: FilterModel) =>
    store.session({ userid: user, admin: false, groups: [] }).scripts;
  const text = () =>
    `# ${random.below(2 ** 30)}\n${'keep; '.repeat(random.below(random.oneIn(4) ? 9000 : 50))}`;
  return [
    {
      command: 'put a script',
      plan(model, store) {
        const { there, free } = model.certain('script', NAMES);
        if (there.length + free.length === 0) return null;
        const name = random.pick([...there, ...free]);
        const content = text();
        return {
          changes: new Map([[`script ${name}`, content]]),
          run: () => scripts(store, model).put(name, Buffer.from(content), { maxScripts: 10 }),
        };
      },
    },
    {
      command: 'activate a script',
      plan(model, store) {
        const { there } = model.certain('script', NAMES);
        const name = random.oneIn(4) ? null : there[0] ?? null;
        return {
          changes: new Map([['active', name]]),
          run: () => scripts(store, model).setActive(name),
        };
      },
    },
    {
      command: 'delete a script',
      plan(model, store) {
        const { there } = model.certain('script', NAMES);
        const idle = there.filter((name) => model.there.get('active') !== name);
        if (idle.length === 0 || model.pending.has('active')) return null;
        const name = random.pick(idle);
        return {
          changes: new Map([[`script ${name}`, null]]),
          run: () => scripts(store, model).delete(name),
        };
      },
    },
    {
      command: 'rename a script',
      plan(model, store) {
        const { there, free } = model.certain('script', NAMES);
        if (there.length === 0 || free.length === 0 || model.pending.has('active')) return null;
        const [from, to] = [random.pick(there), random.pick(free)];
        const changes = new Map<string, string | null>([
          [`script ${to}`, model.there.get(`script ${from}`) as string],
          [`script ${from}`, null],
        ]);
        if (model.there.get('active') === from) changes.set('active', to);
        return { changes, run: () => scripts(store, model).rename(from, to) };
      },
    },
    {
      command: 'set metadata',
      plan(model, store) {
        const values = new Map<string, string | null>();
        for (const entry of ENTRIES) if (random.oneIn(2)) values.set(entry, random.oneIn(4) ? null : text());
        const session = store.session({ userid: model.user, admin: false, groups: [] });
        const bytes = [...values].map(([entry, value]): [string, Uint8Array | null] => [
          entry,
          value === null ? null : Buffer.from(value),
        ]);
        return {
          changes: new Map([...values].map(([entry, value]) => [`metadata ${entry}`, value])),
          run: () => session.metadata.set({ owner: model.user, path: '' }, new Map(bytes)),
        };
      },
    },
    {
      command: 'set marks',
      plan(model, store) {
        const marks = KEYS.filter(() => random.oneIn(2)).map((key) => ({
          kind: 'vacation',
          key,
          until: FAR + random.below(1000),
        }));
        return {
          changes: new Map(marks.map(({ key, until }) => [`mark ${key}`, String(until)])),
          run: () => store.mark(model.user, marks),
        };
      },
    },
  ];
}

/** Commands of this actor: one that is never acknowledged is not tested. */
export const FILTER_COMMANDS = [
  'activate a script',
  'delete a script',
  'put a script',
  'rename a script',
  'set marks',
  'set metadata',
];

/** Changes the settings of all users, one change after the other. */
export async function filterer(round: Round, models: readonly FilterModel[]): Promise<void> {
  const all = jobs(round);
  const store = await openBeside(round.store);
  try {
    while (!round.over) {
      const model = round.random.pick(models);
      const job = steered(round, all, ({ command }) => [command]);
      const planned = job.plan(model, store);
      if (planned === null) {
        await sleep(1);
        continue;
      }
      model.try(planned.changes);
      try {
        await planned.run();
      } catch (error) {
        const known = error instanceof MailError &&
          (error.code === 'unavailable' || round.unreadable && error.code === 'corruption');
        if (!known) throw error;
        refuse(round, `${job.command}: ${error.message}`);
        continue;
      }
      model.done(planned.changes);
      acknowledge(round, job.command);
      await sleep(round.random.below(20));
    }
  } catch (error) {
    round.wrong.push(`scripts, metadata and marks: ${error instanceof Error ? error.stack : error}`);
  } finally {
    await store.close();
  }
}

/** Compares all with what is there; what is away for a while has to come back. */
export async function lookAtFilters(beside: TestStore, models: readonly FilterModel[]): Promise<string[]> {
  for (const begun = performance.now();;) {
    const store = await openBeside(beside);
    try {
      const found = await Promise.all(models.map(({ user }) => settingsOf(store, user)));
      return models.flatMap((model, at) => model.settle(found[at] as Map<string, string>));
    } catch (error) {
      const away = error instanceof MailError && error.code === 'unavailable';
      if (!away || performance.now() - begun > HANGS_MS) throw error;
      await sleep(100);
    } finally {
      await store.close();
    }
  }
}

async function settingsOf(store: Store, user: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { scripts, metadata } = store.session({ userid: user, admin: false, groups: [] });
  let runs: string | null = null;
  for (const { name, active } of scripts.list()) {
    const content = scripts.get(name) as Uint8Array;
    found.set(`script ${name}`, Buffer.from(content).toString());
    if (!active) continue;
    found.set('active', name);
    runs = new Bun.CryptoHasher('sha256').update(content).digest('hex');
  }
  for (const { name, value } of metadata.list({ owner: user, path: '' })) {
    found.set(`metadata ${name}`, Buffer.from(value).toString());
  }
  for (const { key, until } of store.admin.remembered(user).marks) found.set(`mark ${key}`, String(until));
  // What a delivery is told, by directory.db and by the index.
  for (const detail of [null, 'no such folder']) {
    const { script } = await store.recipient({ userid: user, detail, poster: null, size: null });
    if (script !== runs) found.set(`runs (${detail})`, `${script} instead of ${runs}`);
  }
  return found;
}
