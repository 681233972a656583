/**
 * Random damage. In every other round life goes on after it (damage/compound.ts). In the rest:
 * a store with several owners is built, one of its files gets flipped bits, zeroed blocks, random bytes, is cut
 * short or removed; then it is checked, started, read, and reconstructed as the messages say, and compared with what was in it.
 *
 * What must hold, for every round:
 * 1. Nobody reads anything else than what was stored without `mailstore check --deep` saying so.
 * 2. Owners whose files were not touched have everything, at once.
 * 3. Damage to an index, its journal, directory.db, a snapshot or a checkpoint file is repaired as a whole. A damaged log
 *    costs nothing, or the start is refused by an error that names file and remedy; with the file back everything is there.
 * 4. A damaged message file gets its bytes back where they still are, else it is named with its message.
 */
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MailError } from '../../src/errors.ts';
import type { Finding } from '../../src/store/check/finding.ts';
import { damageAndGoOn } from './damage/compound.ts';
import { harm, HARMS, type Victim, victims, WEIGHTS } from './damage/harm.ts';
import { difference, differing } from './damage/observe.ts';
import { numbers, type Random } from './damage/random.ts';
import { Round } from './damage/round.ts';
import { build, type Template } from './damage/template.ts';
import type { TestStore } from '../store/teststore.ts';

export interface DamageOutcome {
  rounds: number;
  /** Rounds by kind of file and kind of damage. */
  readonly kinds: Map<string, number>;
  /** Rounds by what became of the damage. */
  readonly ends: Map<string, number>;
  /** What must not be; empty in a good run. */
  readonly wrong: string[];
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
    await t.store.admin.reconstruct('anna', 'log').catch(() => {});
    await t.writer.idle();
    round.stop();
    t = round.start();
  }
  for (const userid of users) {
    try {
      reports.push(...(await t.store.admin.reconstruct(userid, 'log')).damaged);
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
      if (n % 2 === 1) {
        const { end, what, wrong } = await damageAndGoOn(template, numbers(options.seed * 1_000_003 + n));
        outcome.rounds++;
        count(outcome.ends, `changes go on: ${end}`);
        for (const text of wrong) {
          const line = `round ${n}, ${what}: ${text}`;
          outcome.wrong.push(line);
          options.report(line);
        }
        continue;
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
