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

/** What extensions bring, with variables of all sizes in it. */
const EXTENDED = [
  'set "a" "${a}${1}x";',
  'set :length :upper "b" "${a}";',
  'set :quotewildcard "a" "${0}*?";',
  'setflag "a" "${b} x";',
  'addflag ["\\\\Seen", "${a}"];',
  'keep :flags "${a}";',
  'fileinto :create :copy "x${b}";',
  'fileinto "${a}";',
  'redirect :copy "${a}@b.example";',
  'reject "${a}";',
  'vacation :subject "${1}" :days 0 "${a}";',
  'notify :message "${a}" "mailto:x@y.example?subject=${b}";',
  'include :optional "${a}";',
  'include "none";',
  'global "g"; set "g" "${g}1";',
  'addheader "X-A" "${a}"; deleteheader :index 1 "x-a";',
  'replace "${a}";',
  'foreverypart { if header :mime :anychild :contains "content-type" "${a}" { break; } }',
];

const EXTENDED_TESTS = [
  'string :matches "${a}" "*x?*"',
  'header :regex "subject" "(a|b${a})*$"',
  'header :matches :index 1 "from" "*@*"',
  'address :detail :matches "to" "${b}*"',
  'envelope :count "eq" "from" "${a}"',
  'date :zone "+0${a}" "date" "hour" "1"',
  'currentdate :value "ge" "year" "${b}"',
  'body :content "${a}" :contains "x"',
  'duplicate :uniqueid "${a}"',
  'hasflag :contains ["a", "b"] "x"',
  'mailboxexists "${a}"',
  'metadata "${a}" "/private/${b}" ""',
  'environment "${a}" "x"',
  'valid_notify_method "${a}"',
  'ihave "frop"',
];

test('scripts that nearly are right', () => {
  const dice = random(2);
  const required = CAPABILITIES.filter((capability) =>
    capability !== 'notify' && !capability.startsWith('vnd.')
  );
  const begin = `require [${required.map((name) => `"${name}"`).join(',')}];`;
  let ran = 0;
  for (let round = 0; round < 1000; round++) {
    let script = '';
    for (let i = dice.below(6); i >= 0; i--) {
      script += dice.below(3) === 0 ? likely(dice, 0) : dice.pick(EXTENDED);
      if (dice.below(2) === 0) script += `if ${dice.pick(EXTENDED_TESTS)} { ${dice.pick(EXTENDED)} }`;
    }
    if (check(begin + script)) ran++;
  }
  expect(ran).toBeGreaterThan(100);
});

test('random octets', () => {
  const dice = random(3);
  for (let round = 0; round < 2000; round++) {
    check(Array.from({ length: dice.below(60) }, () => String.fromCharCode(dice.below(256))).join(''));
  }
});
