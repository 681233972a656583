/** The crash test by hand: as many rounds as one likes, a seed to repeat a run. */

import { parseArgs } from 'node:util';
import { runRounds } from '../../tests/crash/rounds.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log('usage: scripts/crash/run [--rounds N] [--seed N]');
  process.exit(0);
}

const seed = Number(options.seed ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);
const outcome = await runRounds({
  seed,
  rounds: Number(options.rounds),
  milliseconds: Infinity,
  report: console.log,
});
const kills = [...outcome.kills].map(([victim, count]) => `${victim} ${count}`).join(', ');
console.log(`${outcome.rounds} rounds, ${outcome.acknowledged} acknowledged changes; killed: ${kills}`);
for (const [text, count] of outcome.refused) console.log(`refused ${count} times: ${text}`);
for (const text of outcome.wrong) console.error(`wrong: ${text}`);
process.exit(outcome.wrong.length === 0 ? 0 : 1);
