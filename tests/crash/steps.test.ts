import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STEPS } from '../../src/store/step.ts';
import { runRounds } from './rounds.ts';

const SOURCE = join(import.meta.dir, '../../src/store');
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 2 ** 31);

// A release has no steps: where it is tested, the executable of "scripts/build --steps" must be there, too.
const release = process.env['MAILSTORE_BIN'];
const steps = process.env['MAILSTORE_STEPS_BIN'];
beforeAll(() => {
  if (release === undefined) return;
  if (steps === undefined) {
    throw new Error('MAILSTORE_STEPS_BIN must name the executable of scripts/build --steps');
  }
  process.env['MAILSTORE_BIN'] = steps;
});
afterAll(() => {
  if (release !== undefined) process.env['MAILSTORE_BIN'] = release;
});

/** Whether a program looks at the variable, in its text or in its compiled form. */
const knowsSteps = (program: Buffer) =>
  program.includes('MAILSTORE_STEPS') || program.includes(Buffer.from('MAILSTORE_STEPS', 'utf16le'));

test('a release cannot be killed at a step', async () => {
  for (const wanted of [true, false]) {
    const built = await Bun.build({
      entrypoints: [join(import.meta.dir, '../../src/store/step.ts')],
      define: { MAILSTORE_STEPS: String(wanted) },
      minify: true,
      target: 'bun',
    });
    expect(knowsSteps(Buffer.from(await built.outputs[0]?.text() ?? ''))).toBe(wanted);
    const executable = wanted ? steps : release;
    if (executable !== undefined) expect(knowsSteps(readFileSync(executable))).toBe(wanted);
  }
});

test('each named step has its place', () => {
  const source = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts')).map((name) => readFileSync(join(SOURCE, name), 'utf8')).join(
      '\n',
    );
  expect(STEPS.filter((step) => !source.includes(`step('${step}')`))).toEqual([]);
});

test('killed at each named step of the write path, too', async () => {
  const outcome = await runRounds({
    seed,
    steps: STEPS,
    rounds: 0,
    report: (text) => console.log(`seed ${seed}: ${text}`),
  });
  expect(outcome.wrong).toEqual([]);
  expect(STEPS.filter((step) => !outcome.kills.has(step))).toEqual([]);
}, 900_000);
