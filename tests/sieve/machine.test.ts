/** Running: budgets, errors, traces. Every limit of a run has its test here. */

import { expect, test } from 'bun:test';
import { Result } from '../../src/sieve/result.ts';
import { RUN_LIMITS, type TraceLine } from '../../src/sieve/run.ts';
import { actions, message, MESSAGE_A, outcome } from './harness.ts';

test('limit: actions of one run', () => {
  const script = (count: number): string =>
    `require "fileinto"; ${Array.from({ length: count }, (_, i) => `fileinto "${i}";`).join('\n')}`;
  expect(actions(script(RUN_LIMITS.actions), MESSAGE_A)).toHaveLength(RUN_LIMITS.actions);
  const { error, result } = outcome(script(RUN_LIMITS.actions + 1), MESSAGE_A);
  expect(error).toMatchObject({ line: RUN_LIMITS.actions + 1, column: 1 });
  expect(error?.text).toBe('total number of actions exceeds policy limit (32)');
  expect(result.actions).toHaveLength(RUN_LIMITS.actions);
});

test('limit: redirects of one run', () => {
  const script = (count: number): string =>
    Array.from({ length: count }, (_, i) => `redirect "u${i}@example.com";`).join('\n');
  expect(outcome(script(RUN_LIMITS.redirects), MESSAGE_A).error).toBeNull();
  expect(outcome(script(RUN_LIMITS.redirects + 1), MESSAGE_A).error?.text)
    .toBe('number of redirect actions exceeds policy limit (4)');
});

test('limit: steps of one run, where comparisons count by keys and values', () => {
  const limits = { ...RUN_LIMITS, instructions: 1000 };
  expect(outcome('if true { keep; }', MESSAGE_A, { limits }).error).toBeNull();
  const long = outcome('if header "x" "y" { }\n'.repeat(1000), MESSAGE_A, { limits });
  expect(long.error?.text).toBe('the script takes more than 1000 steps');
  const header = message(...Array.from({ length: 100 }, () => 'X: a'), '', '');
  const keys = Array.from({ length: 20 }, (_, i) => `"k${i}"`).join(', ');
  expect(outcome(`if header :contains "x" [${keys}] { }`, header, { limits }).error?.text).toContain(
    '1000 steps',
  );
});

test('limit: what a long value or an expression made at run time costs counts', () => {
  const limits = { ...RUN_LIMITS, instructions: 20_000 };
  const long = message(`Subject: ${'a'.repeat(100_000)}`, '', '');
  const text = (script: string): string | undefined =>
    outcome(script, long, { limits, compile: { maxSize: 1 << 20 } }).error?.text;
  expect(text('if header :contains "subject" "b" { }')).toBeUndefined();
  expect(text('require "regex"; if header :regex "subject" "(a|b)*c" { }')).toContain('20000 steps');
  expect(text(`if header :matches "subject" "*${'?a'.repeat(1500)}b" { }`)).toContain('20000 steps');
  const names = Array.from({ length: 500 }, (_, i) => `"x${i}"`).join(',');
  expect(text(`if exists "none" { } ${`if header [${names}] "x" { }\n`.repeat(50)}`)).toContain(
    '20000 steps',
  );
  expect(text(`require "mailbox"; ${'if mailboxexists "a" { }'.repeat(500)}`)).toContain('20000 steps');
  const made = `require ["variables", "regex"]; set "e" "${'(ab|c)?'.repeat(500)}"; ${
    'if header :regex "x" "${e}" { }'.repeat(6)
  }`;
  expect(text(made)).toContain('20000 steps');
});

test('a trace tells what each test said and each action did, with their places', () => {
  const lines: TraceLine[] = [];
  const script = 'if not header "from" "x" {\n  keep;\n}\nif size :over 1M { discard; }\nstop;';
  expect(actions(script, MESSAGE_A, { trace: (line) => lines.push(line) })).toEqual(['keep']);
  expect(lines.map(({ line, column, text }) => `${line}:${column} ${text}`)).toEqual([
    '1:8 header: false',
    '2:3 keep',
    '4:4 size: false',
    '5:1 stop',
  ]);
});

test('scripts one after the other: what an earlier one decided is no conflict, and not decided twice', () => {
  const result = new Result();
  const run = (script: string): void => {
    expect(outcome(script, MESSAGE_A, { result, defaultMailbox: 'INBOX' }).error).toBeNull();
  };
  run('require "fileinto"; fileinto "INBOX";');
  run('require "reject"; reject "a";');
  run('require "reject"; reject "b";');
  run('keep;');
  expect(result.decided().map(({ kind }) => kind)).toEqual(['keep', 'reject']);
});
