/**
 * A user whose mail a Sieve script files: each message by its sender into the folders that the script names, some of them made for it,
 * some messages asleep for a moment. The script itself is changed by ManageSieve all the while; every version files alike.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { LmtpClient } from '../harness/lmtp.ts';
import { ManageSieveClient, Refusal } from '../harness/managesieve.ts';
import type { TestStore } from '../harness/server.ts';
import { acknowledge, refuse, type Round, steered } from './actors.ts';
import { type FilterModel, openBeside } from './filters.ts';
import { look } from './look.ts';
import { messageOf, newId } from './message.ts';
import { type FoundUser, UserModel } from './model.ts';

export const FILED = 'fred';

const SCRIPTS = ['by-sender', 'by-sender-too'] as const;
/** Beyond so many messages all of them are removed between two rounds. */
const MANY = 150;
/** Folders that scripts make are called so, each with a number behind. */
const MADE = 'Made';
const ASLEEP = 'Snoozed';
const AWAKE = 'Later';
/** What takes this long hangs, however slow the machine. */
const HANGS_MS = 120_000;
/** A script knows so many seconds at which messages may wake: more than a round takes. */
const SECONDS = 400;

/** A way of filing: what the script says for its sender, and where its message must be then. */
interface Way {
  readonly command: string;
  readonly script: string;
  /** What stands behind the user's name in the address. */
  readonly detail?: string;
  /** Folder and a flag that the message must have there, or ''. */
  places(sender: string): readonly (readonly [folder: string, flag: string])[];
}

/** By the first word of the sender's local part. */
const WAYS: Readonly<Record<string, Way>> = {
  keep: { command: 'keep', script: 'keep;', places: () => [['INBOX', '']] },
  detail: {
    command: 'keep where the address says',
    script: 'keep;',
    detail: '+Filed',
    places: () => [['Filed', '']],
  },
  into: {
    command: 'fileinto with flags',
    script: 'fileinto :flags ["\\\\Flagged", "sorted"] "Filed";',
    places: () => [['Filed', '\\Flagged']],
  },
  both: {
    command: 'fileinto :copy',
    script: 'fileinto :copy "Filed"; fileinto :copy "Other";',
    places: () => [['INBOX', ''], ['Filed', ''], ['Other', '']],
  },
  made: {
    command: 'fileinto :create',
    script: `fileinto :create "${MADE}.\${1}";`,
    places: (sender) => [[`${MADE}.${sender.slice('made'.length)}`, '']],
  },
  use: {
    command: 'fileinto :specialuse',
    script: 'fileinto :specialuse "\\\\Archive" :create "Kept";',
    places: () => [['Kept', '']],
  },
  byid: {
    command: 'fileinto :mailboxid',
    script: 'fileinto :mailboxid "MAILBOXID" "Nowhere";',
    places: () => [['Other', '']],
  },
  nowhere: {
    command: 'fileinto what is not there',
    script: 'fileinto "Nowhere";',
    places: () => [['INBOX', '']],
  },
  snooze: {
    command: 'snooze',
    script: `snooze :create :mailbox "${AWAKE}" :addflags "\\\\Flagged" :tzid "UTC" [TIMES];`,
    places: () => [[AWAKE, '\\Flagged']],
  },
};

const PUT = 'PUTSCRIPT';
const WOKEN = 'waking';

/** Commands of these actors: one that is never acknowledged is not tested. */
export const FILING_COMMANDS = [
  ...Object.values(WAYS).map(({ command }) => command),
  'DELETESCRIPT',
  PUT,
  'RENAMESCRIPT',
  'SETACTIVE',
  WOKEN,
];

/** Where the user's mail has to be. */
export class FilingModel {
  readonly user: UserModel;
  /** Senders of messages, by identity: those that were acknowledged, and those that got no answer. */
  readonly arrived = new Map<string, string>();
  readonly pending = new Map<string, string>();
  /** Those that slept and were seen awake. */
  readonly awake = new Set<string>();
  /** Object id of the folder `Other`. */
  mailboxid = '';
  made = 0;

  constructor(password: string) {
    this.user = new UserModel(FILED, password);
  }

  /** A version of the script. */
  script(round: Round): string {
    const now = Math.floor(Date.now() / 1000);
    const times = Array.from(
      { length: SECONDS },
      (_, at) => `"${new Date((now + at) * 1000).toISOString().slice(11, 19)}"`,
    );
    const rules = Object.entries(WAYS).map(([word, { script }]) =>
      `if envelope :matches "from" "${word}*@example.org" { ${script} stop; }`
        .replace('MAILBOXID', this.mailboxid).replace('TIMES', times.join(', '))
    );
    return [
      'require ["fileinto", "envelope", "copy", "mailbox", "mailboxid", "special-use", "imap4flags", "variables",',
      '  "vnd.cyrus.snooze"];',
      `# ${round.random.below(2 ** 30)}`,
      ...rules,
      'fileinto :create "Unknown";',
    ].join('\r\n') + '\r\n';
  }

  /**
   * Compares two looks, one after the other, at a store whose messages may wake between any two folders: each acknowledged
   * message is in all its places once, one without an answer in all of them or in none, and nothing else is there.
   */
  settle(first: FoundUser, second: FoundUser, round: Round): string[] {
    const wrong: string[] = [];
    for (const [name, { uidvalidity, messages }] of [...first.folders, ...second.folders]) {
      for (const [uid, { id }] of messages) wrong.push(...this.user.saw(name, uidvalidity, uid, id));
    }
    // A folder is made with the message for it, or not at all.
    for (const [name, { messages }] of first.folders) {
      if (name.startsWith(`${MADE}.`) && messages.size === 0) wrong.push(`${name} was made for no message`);
    }
    const there = new Map<string, Map<string, ReadonlySet<string>>>();
    for (const found of [first, second]) {
      const once = new Set<string>();
      for (const [name, { messages }] of found.folders) {
        for (const { id, flags } of messages.values()) {
          // Who moves from sleep to a folder that was looked at before is in none of them; in both is twice.
          const place = name === ASLEEP ? AWAKE : name;
          if (once.has(`${id} ${place}`)) wrong.push(`${place}: ${id} is there twice`);
          once.add(`${id} ${place}`);
          const places = there.get(id) ?? new Map<string, ReadonlySet<string>>();
          there.set(id, places);
          // Flags are given when it wakes.
          if (name === ASLEEP) places.set(AWAKE, places.get(AWAKE) ?? new Set(['\\Flagged']));
          else places.set(name, flags);
          if (name === AWAKE && !this.awake.has(id)) {
            this.awake.add(id);
            acknowledge(round, WOKEN);
          }
        }
      }
    }
    for (const [id, sender] of this.arrived) wrong.push(...compare(id, sender, there.get(id)));
    for (const [id, sender] of this.pending) {
      const places = there.get(id);
      if (places === undefined) continue;
      wrong.push(...compare(id, sender, places));
      this.arrived.set(id, sender);
    }
    this.pending.clear();
    for (const [id, places] of there) {
      if (!this.arrived.has(id)) wrong.push(`${[...places.keys()].join(', ')}: ${id} came from nowhere`);
    }
    this.user.folders = new Map([...second.folders].map(([name, { uidvalidity, messages, acl, use }]) => [
      name,
      { uidvalidity, messages: new Map(messages), acl, use },
    ]));
    return wrong.map((text) => `${FILED}: ${text}`);
  }
}

/** What is wrong with the places of a message. */
function compare(
  id: string,
  sender: string,
  there: ReadonlyMap<string, ReadonlySet<string>> | undefined,
): string[] {
  const wrong: string[] = [];
  const places = wayOf(sender).places(sender);
  for (const [folder, flag] of places) {
    const flags = there?.get(folder);
    if (flags === undefined) wrong.push(`${folder}: ${id} from ${sender} is lost`);
    else if (flag !== '' && !flags.has(flag)) {
      wrong.push(`${folder}: ${id} from ${sender} is without ${flag}`);
    }
  }
  for (const folder of there?.keys() ?? []) {
    if (!places.some(([name]) => name === folder)) {
      wrong.push(`${folder}: ${id} from ${sender} is there, too`);
    }
  }
  return wrong;
}

function wayOf(sender: string): Way {
  return WAYS[/^[a-z]+/.exec(sender)?.[0] ?? ''] as Way;
}

/** Makes the user's folders and the first script. */
export async function prepareFiling(
  round: Pick<Round, 'store' | 'random'>,
  model: FilingModel,
  filters: FilterModel,
): Promise<void> {
  const client = await round.store.login(FILED, model.user.password);
  for (const name of ['Filed', 'Other']) await client.ok(`CREATE ${name}`);
  await client.ok('SETACL Filed anyone p');
  model.mailboxid = await objectId(round.store, 'Other');
  client.destroy();
  const text = model.script(round as Round);
  const sieve = await ManageSieveClient.login(round.store, FILED, model.user.password);
  await sieve.activate(SCRIPTS[0], text);
  await sieve.logout();
  filters.done(new Map([[`script ${SCRIPTS[0]}`, text], ['active', SCRIPTS[0]]]));
}

/** The object id of a folder, which no protocol tells yet (RFC 8474). */
async function objectId(of: TestStore, path: string): Promise<string> {
  const store = await openBeside(of);
  try {
    const listed = store.session({ userid: FILED, admin: false, groups: [] }).list();
    return listed.find(({ name }) => name.owner === FILED && name.path === path)?.mailboxid ?? '';
  } finally {
    await store.close();
  }
}

/** A mail transfer agent whose mail is filed. */
export async function filingDeliverer(round: Round, model: FilingModel): Promise<void> {
  while (!round.over) {
    let client: LmtpClient | undefined;
    try {
      client = await LmtpClient.connect(round.store.lmtpSocket);
      while (!round.over && await deliver(round, model, client)) await sleep(round.random.below(5));
    } catch {
      // The connection died with the store; what was under way stays pending.
    } finally {
      client?.destroy();
    }
    if (!round.over) await sleep(10);
  }
}

/** One message; false when it was refused. */
async function deliver(round: Round, model: FilingModel, client: LmtpClient): Promise<boolean> {
  const [word, way] = steered(round, Object.entries(WAYS), ([, { command }]) => [command]);
  // Two of them may be filed into a new folder at once.
  const sender = word === 'made' ? `made${model.made += round.random.below(2)}` : word;
  const id = newId(round.seed);
  model.pending.set(id, sender);
  const [reply = ''] = await client.deliver(
    `${sender}@example.org`,
    [`${FILED}${way.detail ?? ''}`],
    messageOf(id),
  );
  if (!reply.startsWith('250')) {
    refuse(round, reply);
    return false;
  }
  model.pending.delete(id);
  model.arrived.set(id, sender);
  acknowledge(round, way.command);
  return true;
}

interface ScriptJob {
  readonly command: string;
  readonly line: string;
  readonly changes: ReadonlyMap<string, string | null>;
}

/** Changes the scripts by ManageSieve (RFC 5804); one of them is active all the time. */
export async function scripter(round: Round, model: FilingModel, filters: FilterModel): Promise<void> {
  let client: ManageSieveClient | undefined;
  try {
    client = await ManageSieveClient.login(round.store, FILED, model.user.password);
    while (!round.over) {
      const jobs = scriptJobs(round, model, filters);
      if (jobs.length === 0) break;
      const job = steered(round, jobs, ({ command }) => [command]);
      filters.try(job.changes);
      await client.ok(job.line);
      filters.done(job.changes);
      acknowledge(round, job.command);
      await sleep(round.random.below(20));
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // RFC 5804 §1.3: TRYLATER is what IMAP calls UNAVAILABLE.
    if (error instanceof Refusal && !/^NO \(TRYLATER\)/.test(error.answer)) {
      round.wrong.push(`ManageSieve refused: ${error.message}`);
    }
    if (!round.killed) round.wrong.push(`ManageSieve before anything was killed: ${error.message}`);
  } finally {
    client?.destroy();
  }
}

/** What can be done now whose outcome is certain. */
function scriptJobs(round: Round, model: FilingModel, filters: FilterModel): ScriptJob[] {
  if (filters.pending.size > 0) return [];
  const active = filters.there.get('active') ?? '';
  const other = SCRIPTS.find((name) => name !== active) ?? '';
  const text = model.script(round);
  const put = (name: string): ScriptJob => ({
    command: PUT,
    line: `PUTSCRIPT "${name}" {${Buffer.byteLength(text)}+}\r\n${text}`,
    changes: new Map([[`script ${name}`, text]]),
  });
  // The active one twice: messages must find times at which they may wake.
  const jobs = [put(active), put(active), put(other)];
  if (!filters.there.has(`script ${other}`)) {
    jobs.push({
      command: 'RENAMESCRIPT',
      line: `RENAMESCRIPT "${active}" "${other}"`,
      changes: new Map([
        [`script ${other}`, filters.there.get(`script ${active}`) as string],
        [`script ${active}`, null],
        ['active', other],
      ]),
    });
    return jobs;
  }
  return [
    ...jobs,
    { command: 'SETACTIVE', line: `SETACTIVE "${other}"`, changes: new Map([['active', other]]) },
    {
      command: 'DELETESCRIPT',
      line: `DELETESCRIPT "${other}"`,
      changes: new Map([[`script ${other}`, null]]),
    },
  ];
}

/** Compares with what is there; with too many messages there waits until all are awake, and removes them. */
export async function lookAtFiling(
  store: TestStore,
  model: FilingModel,
  round: Round,
): Promise<string[]> {
  const wrong: string[] = [];
  const first = await look(store, model.user, wrong);
  const second = await look(store, model.user, wrong);
  wrong.push(...model.settle(first, second, round));
  if (wrong.length === 0 && model.arrived.size > MANY) await clear(store, model, wrong);
  return wrong;
}

async function clear(store: TestStore, model: FilingModel, wrong: string[]): Promise<void> {
  for (const begun = performance.now();;) {
    const found = await look(store, model.user, wrong);
    if ((found.folders.get(ASLEEP)?.messages.size ?? 0) === 0) break;
    if (performance.now() - begun > HANGS_MS) {
      wrong.push(`${FILED}: messages sleep still after ${HANGS_MS} ms`);
      break;
    }
    await sleep(100);
  }
  const client = await store.login(FILED, model.user.password);
  for (const name of model.user.folders.keys()) {
    await client.ok(`SELECT ${name}`);
    await client.command('STORE 1:* +FLAGS.SILENT (\\Deleted)');
    await client.ok('CLOSE');
    if (name.startsWith(`${MADE}.`)) await client.ok(`DELETE ${name}`);
  }
  client.destroy();
  model.made++;
  model.arrived.clear();
}
