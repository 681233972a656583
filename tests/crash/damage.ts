/**
 * Random damage: a store with several owners is built, one of its files gets flipped bits, zeroed blocks, random bytes, is cut
 * short or removed; then it is checked, started, read, and reconstructed as the messages say, and compared with what was in it.
 *
 * What must hold, for every round:
 * 1. Nobody reads anything else than what was stored without `mailstore check --deep` saying so.
 * 2. Owners whose files were not touched have everything, at once.
 * 3. Damage to an index, its journal, directory.db, a snapshot or a checkpoint file is repaired as a whole. A damaged log
 *    costs nothing, or the start is refused by an error that names file and remedy; with the file back everything is there.
 * 4. A damaged message file gets its bytes back where they still are, else it is named with its message.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MailError } from '../../src/errors.ts';
import { checkStore } from '../../src/store/check/store.ts';
import type { Finding } from '../../src/store/check/finding.ts';
import { layoutOf } from '../../src/store/layout.ts';
import {
  directorySnapshot,
  makeDirectorySnapshot,
  makeSnapshot,
  snapshotPath,
} from '../../src/store/snapshot.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { truncateJournal } from '../../src/store/writer/journals.ts';
import { box, inbox, message, TestFolders, TestStore } from '../store/teststore.ts';

const USERS = ['anna', 'bert', 'cora', 'dora'];
const ALL = UidSet.range(1, 0xffffffff);

export interface DamageOutcome {
  rounds: number;
  /** Rounds by kind of file and kind of damage. */
  readonly kinds: Map<string, number>;
  /** Rounds by what became of the damage. */
  readonly ends: Map<string, number>;
  /** What must not be; empty in a good run. */
  readonly wrong: string[];
}

type Random = (below: number) => number;

function numbers(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}

/** A store as a killed server leaves it, and what is in it. */
interface Template {
  readonly folders: TestFolders;
  readonly model: Map<string, string[]>;
}

/** Builds a store: mail with several recipients, flags, copies, shares, and a log that begins behind snapshots. */
async function build(random: Random): Promise<Template> {
  const folders = new TestFolders({ log_segment_size: 20_000 });
  const t = new TestStore(folders);
  let n = 0;
  const mail = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const to = USERS.filter(() => random(2) === 0);
      await t.deliver(
        message(n++, random(10) === 0 ? 70_000 : 200 + random(3000)),
        ...(to.length > 0 ? to : ['anna']),
      );
    }
  };
  const work = async (): Promise<void> => {
    for (const userid of USERS) {
      const session = t.as(userid);
      const handle = await session.select(inbox(userid), false, () => {});
      const uids = UidSet.range(1 + random(4), 4 + random(8));
      await handle.store(uids, 'add', ['\\Flagged', `word${random(60)}`]);
      if (random(2) === 0) await handle.copy(uids, box(userid, 'Work'));
      if (random(3) === 0) await handle.move(UidSet.of(1 + random(12)), box(userid, 'Work'));
      if (random(2) === 0) {
        await handle.store(UidSet.of(1 + random(12)), 'add', ['\\Deleted']);
        await handle.expunge(null);
      }
      handle.close();
    }
    const shared = await t.as('bert').select(box('anna', 'Work'), false, () => {});
    await shared.store(ALL, 'add', ['\\Seen']);
    await shared.copy(UidSet.range(1, 3), inbox('bert'));
    shared.close();
  };
  await t.deliver(message('first'), ...USERS);
  for (const userid of USERS) {
    await t.as(userid).create(box(userid, 'Work'));
    await t.as(userid).subscribe(box(userid, 'Work'), true);
    await t.store.secrets.set(userid, `secret of ${userid}`);
  }
  await t.as('anna').setAcl(box('anna', 'Work'), 'bert', 'lrswipte');
  await mail(12);
  await work();
  // What the janitor does when segments go: later logs begin here.
  if (random(4) > 0) {
    await t.checkpoint();
    const { settings } = folders;
    for (const owner of t.writer.state.directory.owners()) {
      const path = layoutOf(settings).index(owner.folder);
      makeSnapshot(path, snapshotPath(folders.spool, owner.folder), owner.id);
    }
    makeDirectorySnapshot(layoutOf(settings).directory, directorySnapshot(settings));
    if (random(3) > 0) t.writer.redo.removeThrough(t.writer.durableLsn);
  }
  await mail(10);
  await work();
  if (random(2) === 0) {
    await t.checkpoint();
    // Behind it the log may have nothing of an owner any more.
    if (random(2) === 0) await t.deliver(message(n++), 'dora');
    else await mail(4);
  }
  // Journals folded back now and then, so that the databases themselves hold the rows.
  if (random(2) === 0) {
    for (const index of t.writer.state.owners.opened()) truncateJournal(index.db, 50);
    truncateJournal(t.writer.state.directory.db, 50);
  }
  const model = await observe(t);
  for (const [userid, lines] of model) {
    if (lines.some((line) => line.startsWith('ERROR'))) throw new Error(`${userid}: ${lines.join('; ')}`);
  }
  const killed = folders.copy();
  await t.close();
  folders.remove();
  return { folders: killed, model };
}

/** Everything a user can see, one line per thing; lines that begin with ERROR where he hears of a failure. */
async function observe(t: TestStore): Promise<Map<string, string[]>> {
  const all = new Map<string, string[]>();
  for (const userid of USERS) {
    const lines: string[] = [];
    all.set(userid, lines);
    try {
      await observeUser(t, userid, lines);
    } catch (error) {
      if (!(error instanceof MailError) || error.kind !== 'server') {
        lines.push(`ERROR unclear ${error instanceof Error ? error.stack : error}`);
      } else lines.push(`ERROR ${error.message}`);
    }
  }
  return all;
}

async function observeUser(t: TestStore, userid: string, lines: string[]): Promise<void> {
  lines.push(`secret ${t.store.secrets.get(userid)?.secret}`);
  const session = t.as(userid);
  for (const { owner, path } of session.subscriptions()) lines.push(`subscribed ${owner} ${path}`);
  for (const { name, rights, specialUse } of session.list()) {
    lines.push(`listed ${name.owner}/${name.path} ${rights} ${specialUse.join()}`);
    if (name.owner !== userid) continue;
    const handle = await session.select(name, true, () => {});
    try {
      const { uidvalidity, uidnext, highestmodseq, exists, unseen } = handle.snapshot;
      lines.push(`mailbox ${name.path} ${uidvalidity} ${uidnext} ${highestmodseq} ${exists} ${unseen}`);
      lines.push(`quota ${JSON.stringify(handle.quotaRoots())} keywords ${handle.keywords.join()}`);
      for (const row of handle.wide(handle.uids(), 0, 10_000, ['envelope', 'bodystructure', 'headersize'])) {
        let body: string;
        try {
          const content = handle.content(row);
          const bytes = content.read(0, row[4]);
          content.close();
          body = bytes.length === row[4]
            ? new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
            : 'ERROR file cut short';
        } catch (error) {
          body = `ERROR ${error instanceof Error ? error.message : error}`;
        }
        lines.push(`message ${name.path} ${row.join(' ')} ${body}`);
      }
    } finally {
      handle.close();
    }
  }
}

/** A file of the store that can be damaged. */
interface Victim {
  path: string;
  kind: 'index' | 'journal' | 'directory' | 'log' | 'snapshot' | 'checkpoint' | 'message';
  /** Userid of the owner it belongs to, or ''. */
  userid: string;
}

const WEIGHTS: Record<Victim['kind'], number> = {
  index: 6,
  journal: 4,
  directory: 4,
  log: 4,
  snapshot: 2,
  checkpoint: 1,
  message: 4,
};

function victims(root: string): Victim[] {
  const out: Victim[] = [];
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const path = join(root, name);
    if (!statSync(path).isFile()) continue;
    const userid = /\/user\/([a-z]{2,})\//.exec(name)?.[1] ?? '';
    const kind = /\/user\/.*index\.db$/.test(name)
      ? 'index'
      : /index\.db-wal$/.test(name)
      ? 'journal'
      : /directory\.db(-wal)?$/.test(name)
      ? 'directory'
      : /\.log$/.test(name)
      ? 'log'
      : /snapshot$/.test(name)
      ? 'snapshot'
      : /checkpoint(\.copy)?$/.test(name)
      ? 'checkpoint'
      : /\/[0-9a-f]{4}\/[0-9a-f]{40}\./.test(name)
      ? 'message'
      : null;
    if (kind !== null) out.push({ path, kind, userid });
  }
  return out;
}

const HARMS = [
  'flip a bit',
  'flip eight bits',
  'zero 512',
  'zero 4096',
  'garble 512',
  'cut short',
  'remove',
] as const;

/** Damages a file. False when its bytes are what they were. */
function harm(path: string, how: (typeof HARMS)[number], random: Random): boolean {
  if (how === 'remove') {
    rmSync(path);
    return true;
  }
  const before = readFileSync(path);
  if (before.length === 0) return false;
  let after = Buffer.from(before);
  const at = random(after.length);
  const block = (size: number): Buffer => {
    const from = Math.floor(at / size) * size;
    return after.subarray(from, Math.min(after.length, from + size));
  };
  const flip = (): void => {
    const place = random(after.length);
    after[place] = (after[place] as number) ^ (1 << random(8));
  };
  if (how === 'flip a bit') flip();
  else if (how === 'flip eight bits') { for (let n = 0; n < 8; n++) flip(); }
  else if (how === 'zero 512') block(512).fill(0);
  else if (how === 'zero 4096') block(4096).fill(0);
  else if (how === 'garble 512') { for (const [n] of block(512).entries()) block(512)[n] = random(256); }
  else after = after.subarray(0, at);
  if (after.equals(before)) return false;
  // The file may be hard-linked: the damage is in the blocks, so all its names have it.
  writeFileSync(path, after);
  return true;
}

/** The store of a round, opened again and again. */
class Round {
  t: TestStore | null = null;
  readonly wrong: string[] = [];

  constructor(readonly folders: TestFolders, readonly verifyFiles: boolean) {}

  check(): Finding[] {
    try {
      return checkStore(this.folders.settings, { users: [], deep: true }).findings
        .filter(({ severity }) => severity === 'damage');
    } catch (error) {
      this.wrong.push(`check failed: ${error instanceof Error ? error.stack : error}`);
      return [];
    }
  }

  start(): TestStore {
    this.t = new TestStore(this.folders, this.verifyFiles);
    return this.t;
  }

  /** What users see once everything that was found damaged on the way has had its turn to heal. */
  async settled(): Promise<Map<string, string[]>> {
    let seen = new Map<string, string[]>();
    for (let turn = 0; turn < 3; turn++) {
      const t = this.t ?? this.start();
      seen = await observe(t);
      await t.writer.idle();
      // directory.db is damaged: the process ends, its successor makes it anew.
      if (t.fatal !== null) this.stop();
      else if (![...seen.values()].flat().some((line) => line.includes('ERROR'))) break;
    }
    return seen;
  }

  stop(): void {
    this.t?.abandon();
    this.t = null;
  }
}

function differing(seen: Map<string, string[]>, model: Map<string, string[]>): string[] {
  return USERS.filter((userid) => seen.get(userid)?.join('\n') !== model.get(userid)?.join('\n'));
}

/** The first lines in which two observations differ, for the report. */
function difference(seen: readonly string[], model: readonly string[]): string {
  const gone = model.filter((line) => !seen.includes(line)).slice(0, 3);
  const come = seen.filter((line) => !model.includes(line)).slice(0, 3);
  return `missing [${gone.join(' | ')}] instead [${come.join(' | ')}]`.slice(0, 1500);
}

/** One file damaged. Returns what became of it. */
async function damageOne(
  template: Template,
  victim: Victim,
  how: (typeof HARMS)[number],
  random: Random,
): Promise<{ end: string; wrong: string[] }> {
  const folders = template.folders.copy();
  const round = new Round(folders, random(2) === 0);
  const path = folders.root + victim.path.slice(template.folders.root.length);
  try {
    // After a loss of power nothing of the shared memory is there.
    for (const name of readdirSync(folders.root, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('-shm')) rmSync(join(folders.root, name));
    }
    if (!harm(path, how, random)) return { end: 'nothing changed', wrong: [] };
    const before = round.check();
    try {
      round.start();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (victim.kind !== 'log' || !(error instanceof MailError) || !text.includes(folders.log)) {
        round.wrong.push(`refused to start: ${error instanceof Error ? error.stack : error}`);
      }
      if (!/backup/.test(text)) round.wrong.push(`no remedy named: ${text}`);
      cpSync(victim.path, path);
      const seen = await round.settled();
      for (const userid of differing(seen, template.model)) {
        round.wrong.push(
          `${userid} after the file was put back: ${
            difference(seen.get(userid) ?? [], template.model.get(userid) ?? [])
          }`,
        );
      }
      return { end: 'start refused, all there with the file put back', wrong: round.wrong };
    }
    return await afterStart(template, victim, round, before);
  } finally {
    round.stop();
    folders.remove();
  }
}

async function afterStart(
  { model }: Template,
  victim: Victim,
  round: Round,
  before: readonly Finding[],
): Promise<{ end: string; wrong: string[] }> {
  const { wrong } = round;
  const healed = await round.settled();
  const after = round.check();
  // Rule 1: what differs is an error to the user, or check names it.
  for (const userid of differing(healed, model)) {
    const lines = healed.get(userid) ?? [];
    if (lines.some((line) => line.startsWith('ERROR unclear'))) wrong.push(`${userid}: ${lines.at(-1)}`);
    const clear = lines.some((line) => line.includes('ERROR'));
    const named = after.some((finding) => finding.userid === userid || finding.userid === '');
    if (!clear && !named) wrong.push(`undetected: ${userid}: ${difference(lines, model.get(userid) ?? [])}`);
    // Rule 2. Files of one message share their blocks.
    if (victim.kind !== 'message' && victim.userid !== '' && victim.userid !== userid) {
      wrong.push(`spread to ${userid}: ${difference(lines, model.get(userid) ?? [])}`);
    }
  }
  const clean = differing(healed, model).length === 0 && after.length === 0;
  if (clean) return { end: before.length === 0 ? 'harmless' : 'named by check, healed by itself', wrong };
  let t = round.t as TestStore;
  const reports: string[] = [];
  const users = new Set(
    [...after.map(({ userid }) => userid), ...differing(healed, model)].filter((name) => name !== ''),
  );
  if (after.some(({ place }) => place === 'directory.db')) {
    await t.store.admin.reconstruct('anna', false).catch(() => {});
    await t.writer.idle();
    round.stop();
    t = round.start();
  }
  for (const userid of users) {
    try {
      reports.push(...(await t.store.admin.reconstruct(userid, false)).damaged);
    } catch (error) {
      wrong.push(`reconstruct ${userid}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const repaired = await round.settled();
  const left = round.check();
  for (const userid of differing(repaired, model)) {
    const lines = repaired.get(userid) ?? [];
    const lost = victim.kind === 'message' && reports.some((text) => text.includes(`${userid}: UID`));
    if (!lost) wrong.push(`${userid} not repaired: ${difference(lines, model.get(userid) ?? [])}`);
  }
  if (differing(repaired, model).length > 0 || reports.length > 0) {
    return { end: 'named with its message: the bytes are nowhere else', wrong };
  }
  for (const finding of left) {
    // A closed segment stays damaged until it goes, the scrub makes snapshots anew; nothing needs them.
    if (victim.kind !== 'log' && victim.kind !== 'snapshot') {
      wrong.push(`found after the repair: ${finding.userid} ${finding.place}: ${finding.text}`);
    }
  }
  return {
    end: left.length > 0 ? 'named by check, needed by nothing' : 'named by check, repaired by reconstruct',
    wrong,
  };
}

/** Runs rounds of random damage until there are enough, or time is over. */
export async function runDamage(options: {
  seed: number;
  rounds: number;
  milliseconds: number;
  report: (text: string) => void;
}): Promise<DamageOutcome> {
  const outcome: DamageOutcome = { rounds: 0, kinds: new Map(), ends: new Map(), wrong: [] };
  const until = performance.now() + options.milliseconds;
  const random = numbers(options.seed);
  let template: Template | null = null;
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  try {
    for (let n = 0; n < options.rounds && performance.now() < until; n++) {
      if (template === null || n % 40 === 0) {
        template?.folders.remove();
        template = await build(random);
      }
      const all = victims(template.folders.root);
      const kinds = [...new Set(all.map(({ kind }) => kind))].flatMap((kind) =>
        Array<Victim['kind']>(WEIGHTS[kind]).fill(kind)
      );
      const kind = kinds[random(kinds.length)] as Victim['kind'];
      const candidates = all.filter((victim) => victim.kind === kind);
      const victim = candidates[random(candidates.length)] as Victim;
      const how = HARMS[random(HARMS.length)] as (typeof HARMS)[number];
      const own = numbers(options.seed * 1_000_003 + n);
      const { end, wrong } = await damageOne(template, victim, how, own);
      outcome.rounds++;
      count(outcome.kinds, `${kind}, ${how}`);
      count(outcome.ends, `${kind}: ${end}`);
      for (const text of wrong) {
        const line = `round ${n}, ${how}: ${victim.path.slice(template.folders.root.length)}: ${text}`;
        outcome.wrong.push(line);
        options.report(line);
      }
      if ((n + 1) % 100 === 0) options.report(`${n + 1} rounds`);
    }
  } finally {
    if (template !== null && existsSync(template.folders.root)) template.folders.remove();
  }
  return outcome;
}
