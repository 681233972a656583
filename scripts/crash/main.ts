/** The crash test by hand: as many rounds as one likes, a seed to repeat a run. */

import { parseArgs } from 'node:util';
import { type Step, STEPS } from '../../src/store/step.ts';
import { FAULTS, nameOf } from '../../tests/crash/faults.ts';
import { runRounds } from '../../tests/crash/rounds.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string' },
    steps: { type: 'boolean', default: false },
    step: { type: 'string', multiple: true, default: [] },
    times: { type: 'string', default: '1' },
    faults: { type: 'boolean', default: false },
    fault: { type: 'string', multiple: true, default: [] },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(`usage: scripts/crash/run [--rounds N] [--seed N] [--faults | --fault WORDS...] [--keep]
       scripts/crash/run --steps | --step NAME... [--times N] [--seed N] [--keep]

Kills the store at random moments, or with --steps at each named step of the write path, N times at each; with --faults it lets
system calls fail instead of killing, with --fault those whose name ("worker openat EMFILE 1+") has these words. The store runs from source, or
from the executable that MAILSTORE_BIN names; steps need one of "scripts/build --steps". With --keep the folder of a store in which
something was wrong is left for a look.`);
  process.exit(0);
}

const seed = Number(options.seed ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);
const only = STEPS.filter((name) => options.step.includes(name));
if (only.length < options.step.length) {
  console.error(`crash: there is no step ${options.step.find((name) => !only.includes(name as Step))}`);
  process.exit(64);
}
const steps = options.steps ? STEPS : only;
const faults = FAULTS.filter((fault) =>
  options.faults || options.fault.some((words) => nameOf(fault).includes(words))
);
const outcome = await runRounds({
  seed,
  rounds: Number(options.rounds ?? (faults.length || 1000)),
  times: Number(options.times),
  ...(steps.length > 0 ? { steps } : {}),
  ...(faults.length > 0 ? { faults } : {}),
  keep: options.keep,
  report: (text) => console.log(`${(performance.now() / 1000).toFixed(1)} s: ${text}`),
});
const list = (counts: ReadonlyMap<string, number>) =>
  [...counts].sort(([a], [b]) => a < b ? -1 : 1).map(([name, count]) => `${name} ${count}`).join(', ');
console.log(`${outcome.rounds} rounds, ${outcome.acknowledged} acknowledged changes`);
console.log(`killed: ${list(outcome.kills)}`);
console.log(`acknowledged: ${list(outcome.commands)}`);
for (const [text, count] of outcome.refused) console.log(`refused ${count} times: ${text}`);
for (const text of outcome.wrong) console.error(`wrong: ${text}`);
process.exit(outcome.wrong.length === 0 ? 0 : 1);
