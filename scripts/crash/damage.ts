/** Random damage by hand: as many rounds as one likes, a seed to repeat a run. */

import { parseArgs } from 'node:util';
import { runDamage } from '../../tests/crash/damage.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '500' },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log('usage: scripts/crash/damage [--rounds N] [--seed N]');
  process.exit(0);
}

const seed = Number(options.seed ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);
const outcome = await runDamage({
  seed,
  rounds: Number(options.rounds),
  milliseconds: Infinity,
  report: console.log,
});
const sorted = (map: ReadonlyMap<string, number>) => [...map].sort(([a], [b]) => a < b ? -1 : 1);
for (const [text, count] of sorted(outcome.kinds)) console.log(`${String(count).padStart(5)} ${text}`);
for (const [text, count] of sorted(outcome.ends)) console.log(`${String(count).padStart(5)} ${text}`);
console.log(`${outcome.rounds} rounds, ${outcome.wrong.length} wrong`);
process.exit(outcome.wrong.length === 0 ? 0 : 1);
