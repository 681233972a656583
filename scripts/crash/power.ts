/** The loss of power by hand: as many disk states as one likes, a seed to repeat a run, the table of syncs. */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { losePower } from '../../tests/crash/power/run.ts';
import { OMISSIONS } from '../../tests/crash/power/sites.ts';

const { values: options } = parseArgs({
  options: {
    states: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '3600' },
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string' },
    syncs: { type: 'string', default: '0' },
    again: { type: 'string', default: '0' },
    hashes: { type: 'string' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(
    `usage: scripts/crash/power [--states N] [--seconds S] [--rounds N] [--seed N] [--again N] [--syncs N]
                           [--hashes FILE] [--keep FILE]

Records the store at work, then opens N distinct disks as a loss of power may leave them, for at most S seconds.
--rounds   how long the recorded work is
--again    records so many recoveries, and opens disks as a loss of power in them may leave them, twenty each
--syncs    leaves out each kind of sync in turn and looks through so many disks for what is lost then
--keep     leaves the recording there when a disk was wrong (power/subject.ts reads it)
--hashes   a file that keeps the disks' names over several runs, and counts how many different ones there were`,
  );
  process.exit(0);
}

const seed = Number(options.seed ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);
const begun = performance.now();
const outcome = await losePower({
  seed,
  rounds: Number(options.rounds),
  states: Number(options.states),
  milliseconds: Number(options.seconds) * 1000,
  again: { recoveries: Number(options.again), states: 20, milliseconds: Number(options.seconds) * 1000 },
  omissionStates: Number(options.syncs),
  sites: OMISSIONS,
  keep: options.keep,
  report: console.log,
});
console.log(
  `${outcome.operations} operations with ${outcome.syncs} syncs, ${outcome.acknowledged} acknowledged changes\n` +
    `${outcome.moments} moments, ${outcome.states} distinct disks (${outcome.second} of a second loss), ${outcome.owed} acknowledged changes looked for, ` +
    `${outcome.failures.length} failures, ${Math.round((performance.now() - begun) / 1000)} s`,
);
if (options.hashes !== undefined) {
  console.log(`${countIn(options.hashes)} distinct disks in ${options.hashes}`);
}
for (const [way, count] of outcome.ways) console.log(`${String(count).padStart(8)}  ${way}`);
for (const text of outcome.wrong) console.error(`wrong without a loss of power: ${text}`);

/** Adds this run's disks to the file; how many different ones it has. */
function countIn(path: string): number {
  const known = new Set(existsSync(path) ? readFileSync(path, 'latin1').split('\n').filter(Boolean) : []);
  const fresh = [...outcome.hashes].filter((hash) => !known.has(hash));
  appendFileSync(path, fresh.map((hash) => `${hash}\n`).join(''));
  return known.size + fresh.length;
}

process.exit(outcome.wrong.length + outcome.failures.length === 0 ? 0 : 1);
