/** Whatever bytes a script is made of: an answer, no exception, no hang; and what compiles runs to its end. */

import { expect, test } from 'bun:test';
import { CAPABILITIES, compile } from '../../src/sieve/extensions.ts';
import { Mail } from '../../src/sieve/mail/mail.ts';
import { run } from '../../src/sieve/machine.ts';
import { parse } from '../../src/sieve/parser.ts';
import { render } from '../../src/sieve/render.ts';
import { ENVELOPE, HOST, MESSAGE_A } from './harness.ts';
import { type Dice, random } from './random.ts';

const PIECES = [
  'if',
  'elsif',
  'else',
  'require',
  'stop',
  'keep',
  'discard',
  'redirect',
  'fileinto',
  'address',
  'allof',
  'anyof',
  'envelope',
  'exists',
  'false',
  'true',
  'header',
  'not',
  'size',
  ':is',
  ':contains',
  ':comparator',
  ':over',
  ':under',
  ':localpart',
  ':copy',
  '"from"',
  '"a@b.c"',
  '"i;octet"',
  '""',
  '["a", "b"]',
  '[',
  ']',
  '(',
  ')',
  '{',
  '}',
  ';',
  ',',
  '"',
  '\\',
  'text:',
  'text:\r\na\r\n.\r\n',
  '#',
  '/*',
  '*/',
  '\n',
  '100',
  '4K',
  '9999999999999999999999',
  ':',
  '.',
  '\0',
  '\xff',
  '\xc3\xbc',
  '$',
  '${a}',
  '${hex:40}',
];

const TESTS = [
  'true',
  'false',
  'header "from" "x"',
  'size :over 1',
  'exists ["a", "b"]',
  'not true',
  'allof (true, false)',
  'anyof (false, true)',
];

/** A script of the grammar, mostly. */
function likely(dice: Dice, depth: number): string {
  let script = '';
  for (let i = dice.below(4); i >= 0; i--) {
    const kind = dice.below(depth < 5 ? 6 : 4);
    if (kind === 0) script += 'keep;';
    else if (kind === 1) script += 'redirect "a@b.example";';
    else if (kind === 2) script += `${dice.pick(['discard', 'stop', 'fileinto "x"', 'frop'])};`;
    else if (kind === 3) script += dice.pick(PIECES);
    else script += `if ${dice.pick(TESTS)} {${likely(dice, depth + 1)}} else {${likely(dice, depth + 1)}}`;
  }
  return script;
}

function check(script: string): boolean {
  const parsed = parse(script);
  for (const { line, column } of parsed.diagnostics) expect(line > 0 && column > 0).toBe(true);
  if (parsed.diagnostics.length === 0) expect(parse(render(parsed.script)).diagnostics).toEqual([]);
  const { program, diagnostics } = compile(script);
  expect(program === null).toBe(diagnostics.some(({ severity }) => severity === 'error'));
  if (program === null) return false;
  const ended = run(program, { message: new Mail(MESSAGE_A), envelope: ENVELOPE, host: HOST });
  expect(ended instanceof Promise).toBe(false);
  return true;
}

test('pieces of the language in any order', () => {
  const dice = random(1);
  for (let round = 0; round < 3000; round++) {
    check(Array.from({ length: dice.below(40) }, () => dice.pick(PIECES)).join(dice.pick([' ', '', '\r\n'])));
  }
});

test('scripts that nearly are right', () => {
  const dice = random(2);
  const required = CAPABILITIES.filter((capability) => ['fileinto', 'envelope'].includes(capability));
  let ran = 0;
  for (let round = 0; round < 2000; round++) {
    if (check(`require [${required.map((name) => `"${name}"`).join(',')}];${likely(dice, 0)}`)) ran++;
  }
  expect(ran).toBeGreaterThan(100);
});

test('random octets', () => {
  const dice = random(3);
  for (let round = 0; round < 2000; round++) {
    check(Array.from({ length: dice.below(60) }, () => String.fromCharCode(dice.below(256))).join(''));
  }
});
