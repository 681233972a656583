/**
 * Rounds in which life goes on: one to three files are damaged, also under a store that is open; then mail comes in, flags
 * are set, messages are copied to others, checkpoints are made, snapshots replaced, segments removed; then everything is read.
 *
 * What was acknowledged meanwhile is repeated on a store that is whole. What users see must be the same, or be an error to them and
 * named by check; that is allowed only where the damage hit two of the things of which one repairs the other, or of messages whose
 * bytes are nowhere else, which reconstruct names with their UIDs. Users who have no file among the damaged ones, nor share one, must see everything in any case.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from 'bun:sqlite';
import { MailError } from '../../../src/errors.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { acceptLogLoss } from '../../../src/store/reconstruct/acceptloss.ts';
import { Lines, type TestFolders } from '../../store/teststore.ts';
import { type Change, make, newChange, newUpkeep, type Upkeep } from './changes.ts';
import { harm, HARMS, type Victim, victims, WEIGHTS } from './harm.ts';
import { difference, differing, observe, USERS } from './observe.ts';
import type { Random } from './random.ts';
import { Round } from './round.ts';
import type { Template } from './template.ts';

/** A clock that stands: what is compared contains times. */
async function withClock<Result>(now: number, work: () => Promise<Result>): Promise<Result> {
  const real = Date.now;
  Date.now = () => now;
  try {
    return await work();
  } finally {
    Date.now = real;
  }
}

interface Damaged extends Pick<Victim, 'kind' | 'userid'> {
  what: string;
}

/** Damages one to three files. The log and the checkpoint of an open store are its own to write: nothing survives that. */
function damageSome(root: string, live: boolean, random: Random): Damaged[] {
  const done: Damaged[] = [];
  const count = 1 + random(3);
  for (let n = 0; n < count; n++) {
    const all = victims(root).filter(({ kind }) => !live || kind !== 'log' && kind !== 'checkpoint');
    const kinds = [...new Set(all.map(({ kind }) => kind))].flatMap((kind) =>
      Array<Victim['kind']>(WEIGHTS[kind]).fill(kind)
    );
    const kind = kinds[random(kinds.length)] as Victim['kind'];
    const candidates = all.filter((victim) => victim.kind === kind);
    const { path, userid } = candidates[random(candidates.length)] as Victim;
    const how = HARMS[random(HARMS.length)] as (typeof HARMS)[number];
    if (harm(path, how, random)) done.push({ kind, userid, what: `${how} ${path.slice(root.length)}` });
  }
  return done;
}

/** Whether the damage hit one of this user's things, and what that is repaired with. */
function beyondRepair(damaged: readonly Damaged[], userid: string): boolean {
  const has = (kind: Victim['kind'], of: string) =>
    damaged.some((one) => one.kind === kind && (one.userid === of || one.userid === ''));
  const source = has('log', '') || has('snapshot', userid) ||
    damaged.some((one) => one.kind === 'checkpoint');
  return source && (has('index', userid) || has('journal', userid) || has('directory', ''));
}

/** Whether nothing differs but the bytes of messages, and each of those is named with its UID. */
function onlyLostBytes(
  seen: readonly string[],
  expected: readonly string[],
  named: readonly string[],
): boolean {
  const withoutBytes = (line: string): string =>
    line.startsWith('message ') ? line.replace(/ (ERROR .*|[0-9a-f]{64})$/, '') : line;
  if (seen.length !== expected.length) return false;
  return expected.every((line, at) => {
    const other = seen[at] as string;
    if (other === line) return true;
    const uid = line.split(' ')[2];
    return withoutBytes(other) === withoutBytes(line) &&
      named.some((text) => text.includes(`UID ${uid} `));
  });
}

/** One round. Returns what became of it. */
export async function damageAndGoOn(
  template: Template,
  random: Random,
): Promise<{ end: string; what: string; wrong: string[] }> {
  const now = Date.now() + 10_000;
  const folders = template.folders.copy();
  const whole = template.folders.copy();
  const live = random(2) === 0;
  const round = new Round(folders, random(2) === 0);
  let what = '';
  try {
    removeShared(folders);
    if (live) {
      const t = round.start();
      // Whatever a process holds open and in its caches.
      if (random(2) === 0) await observe(t);
    }
    const damaged = damageSome(folders.root, live, random);
    what = `${live ? 'open' : 'closed'}: ${damaged.map((one) => one.what).join(', ')}`;
    if (damaged.length === 0) return { end: 'nothing changed', what, wrong: [] };
    const script: (Change | Upkeep)[] = [];
    for (let n = 4 + random(10); n > 0; n--) {
      script.push(random(3) === 0 ? newUpkeep(random) : newChange(random, `later ${n} ${now}`));
    }
    what += `; ${script.map((one) => typeof one === 'string' ? one : one.op).join(' ')}`;
    const made: Change[] = [];
    try {
      await withClock(now, async () => {
        for (const one of script) {
          if (typeof one === 'string') await round.upkeep(one);
          else made.push(...await round.change(one));
        }
        round.stop();
        round.start();
      });
    } catch (error) {
      const refused = error instanceof MailError && error.code === 'corruption' &&
        /redo log|log /.test(error.message);
      if (!refused || !damaged.some(({ kind }) => kind === 'log' || kind === 'checkpoint')) {
        round.wrong.push(`refused to start: ${error instanceof Error ? error.stack : error}`);
      }
      return {
        ...await acceptLoss(
          round,
          error instanceof Error ? error.message : '',
          () => repeat(whole, made, now),
        ),
        what,
      };
    }
    const { seen: expected } = await repeat(whole, made, now);
    return { ...await judge(round, damaged, expected), what };
  } catch (error) {
    return {
      end: 'failed',
      what,
      wrong: [error instanceof Error ? error.stack ?? error.message : String(error)],
    };
  } finally {
    round.stop();
    folders.remove();
    whole.remove();
  }
}

/**
 * The start is refused: the administrator gives up what cannot be read of the log. Every UID that is there after that means what it
 * meant, messages of other UIDs are behind all that were given, whoever lost something is named, and check is content or says
 * what to do.
 */
async function acceptLoss(
  round: Round,
  refusal: string,
  reference: () => Promise<Reference>,
): Promise<{ end: string; wrong: string[] }> {
  const { wrong, folders } = round;
  round.stop();
  let named: ReadonlySet<string>;
  try {
    const { users } = await acceptLogLoss(folders.settings, new Lines());
    named = new Set(users.map(({ userid }) => userid));
    round.start();
  } catch (error) {
    wrong.push(`loss not accepted: ${error instanceof Error ? error.stack : error}; start: ${refusal}`);
    return { end: 'start refused', wrong };
  }
  const seen = await round.settled();
  const { seen: expected, expunged } = await reference();
  const found = round.check();
  for (const userid of USERS) {
    const [mine, before] = [messagesOf(seen.get(userid) ?? []), messagesOf(expected.get(userid) ?? [])];
    const told = named.has(userid) || found.some((finding) => finding.userid === userid) ||
      (seen.get(userid) ?? []).some((line) => line.includes('ERROR'));
    for (const [uid, hash] of mine.messages) {
      const was = before.messages.get(uid);
      // A file whose own bytes were damaged is named after those it should have.
      const named = found.some(({ userid: of, place }) =>
        of === userid && place.includes(`/${was?.slice(0, 40)}.`)
      );
      if (was !== undefined && was !== hash && !hash.startsWith('ERROR') && !named) {
        wrong.push(`${userid}: ${uid} means another message after a loss was accepted`);
      }
      const [mailbox = '', number] = uid.split(' uid ');
      // Its expunge was lost.
      const back = expunged.get(`${userid} ${uid}`) === hash;
      if (was === undefined && !back && Number(number) < (before.uidnext.get(mailbox) ?? 0)) {
        wrong.push(`${userid}: ${uid} was given before, to another message`);
      }
    }
    const missing = [...before.messages.keys()].filter((uid) => !mine.messages.has(uid));
    if (missing.length > 0 && !told) wrong.push(`${userid}: ${missing.join()} lost without a word`);
  }
  return { end: 'start refused, loss of log accepted', wrong };
}

/** Hash by mailbox, its UIDVALIDITY and UID; UIDNEXT by mailbox and UIDVALIDITY. */
function messagesOf(
  lines: readonly string[],
): { messages: Map<string, string>; uidnext: Map<string, number> } {
  const [messages, uidnext, validity] = [
    new Map<string, string>(),
    new Map<string, number>(),
    new Map<string, string>(),
  ];
  for (const line of lines) {
    const words = line.split(' ');
    const path = words[1] ?? '';
    if (words[0] === 'mailbox') {
      validity.set(path, `${path} ${words[2]}`);
      uidnext.set(`${path} ${words[2]}`, Number(words[3]));
    } else if (words[0] === 'message') {
      messages.set(`${validity.get(path)} uid ${words[2]}`, words.at(-1) ?? '');
    }
  }
  return { messages, uidnext };
}

/** After a loss of power nothing of the shared memory is there. */
function removeShared(folders: TestFolders): void {
  for (const name of readdirSync(folders.root, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('-shm')) rmSync(join(folders.root, name));
  }
}

interface Reference {
  readonly seen: Map<string, string[]>;
  /** Hashes of messages that are expunged, by user, mailbox, UIDVALIDITY and UID. */
  readonly expunged: Map<string, string>;
}

/** What users see where the same changes were made to a store that is whole. */
function repeat(folders: TestFolders, made: readonly Change[], now: number): Promise<Reference> {
  const round = new Round(folders, false);
  return withClock(now, async () => {
    const t = round.start();
    try {
      for (const change of made) await make(t, change);
      const expunged = new Map<string, string>();
      for (const { userid, folder } of t.writer.state.directory.owners()) {
        const db = new Database(layoutOf(folders.settings).index(folder), { readwrite: true, create: false });
        const rows = db.query(
          'SELECT path, uidvalidity, uid, hash FROM expunged JOIN mailbox ON mailbox.id = mailbox JOIN part ON part.id = part',
        ).values() as [string, number, number, string][];
        for (const [path, uidvalidity, uid, hash] of rows) {
          expunged.set(`${userid} ${path} ${uidvalidity} uid ${uid}`, hash);
        }
        db.close();
      }
      return { seen: await observe(t), expunged };
    } finally {
      round.stop();
    }
  });
}

function withoutSecrets(seen: ReadonlyMap<string, string[]>): Map<string, string[]> {
  return new Map(
    [...seen].map(([userid, lines]) => [userid, lines.filter((line) => !line.startsWith('secret '))]),
  );
}

async function judge(
  round: Round,
  damaged: readonly Damaged[],
  expected: Map<string, string[]>,
): Promise<{ end: string; wrong: string[] }> {
  const { wrong } = round;
  let before = await round.settled();
  // What snapshot and log do not have of directory.db is taken from the owners, who know no passwords; the log says so.
  const logged = [...round.logged, ...round.t?.lines.lines ?? []];
  const derived = logged.some((line) => line.includes('directory.db derived'));
  if (derived) {
    const repairs = ({ kind }: Damaged) => kind === 'log' || kind === 'checkpoint' || kind === 'snapshot';
    if (!damaged.some(repairs)) wrong.push('directory.db derived although snapshot and log are whole');
    [before, expected] = [withoutSecrets(before), withoutSecrets(expected)];
  }
  const found = round.check();
  if (derived && !found.some(({ place }) => place.endsWith('/directory.derived'))) {
    wrong.push('directory.db derived, and check does not say so');
  }
  for (const userid of differing(before, expected)) {
    const lines = before.get(userid) ?? [];
    const hidden = found.some(({ place }) => place === 'directory.db');
    if (!hidden && lines.some((line) => line.startsWith('ERROR unclear'))) {
      wrong.push(`${userid}: ${lines.at(-1)}`);
    }
    // What is wrong with the log or a snapshot says nothing of a user, unless it names him.
    const told = hidden || lines.some((line) => line.includes('ERROR')) ||
      found.some((finding) =>
        finding.userid === userid || finding.userid === '' && finding.text.includes(userid)
      );
    const text = difference(lines, expected.get(userid) ?? []);
    // Without the mark nobody knows that a log which was cut short went on.
    const blind = damaged.some(({ kind }) => kind === 'mark') && damaged.some(({ kind }) => kind === 'log');
    if (!told && !blind) wrong.push(`undetected: ${userid}: ${text}`);
    const touched = damaged.some((one) =>
      one.userid === userid || one.userid === '' || one.kind === 'message'
    );
    if (!touched) wrong.push(`spread to ${userid}: ${text}`);
  }
  const users = new Set([...found.map(({ userid }) => userid), ...differing(before, expected)]);
  if (users.size === 0) return { end: 'whole', wrong };
  if (found.some(({ place }) => place === 'directory.db')) {
    await round.t?.store.admin.reconstruct('anna', 'log').catch(() => {});
    await round.t?.writer.idle();
    round.stop();
  }
  const named = new Map<string, readonly string[]>();
  for (const userid of users) {
    if (!USERS.includes(userid)) continue;
    const t = round.t ?? round.start();
    try {
      const { damaged: texts } = await t.store.admin.reconstruct(userid, 'log');
      if (texts.length > 0) named.set(userid, texts);
    } catch (error) {
      named.set(userid, [String(error)]);
      const clear = error instanceof MailError && error.kind === 'server';
      if (!clear) wrong.push(`reconstruct ${userid}: ${error instanceof Error ? error.stack : error}`);
    }
  }
  const seen = await round.settled();
  const after = derived ? withoutSecrets(seen) : seen;
  const different = differing(after, expected);
  for (const userid of different) {
    const [mine, whole] = [after.get(userid) ?? [], expected.get(userid) ?? []];
    const text = difference(mine, whole);
    const lost = damaged.some(({ kind }) => kind === 'message') &&
      onlyLostBytes(mine, whole, named.get(userid) ?? []);
    if (!lost && !beyondRepair(damaged, userid)) wrong.push(`${userid} not repaired: ${text}`);
    else if (!named.has(userid)) wrong.push(`${userid} neither repaired nor named: ${text}`);
  }
  if (different.length > 0) {
    return { end: 'named: what repairs it is damaged too, or the bytes are nowhere else', wrong };
  }
  return { end: 'whole after reconstruct', wrong };
}
