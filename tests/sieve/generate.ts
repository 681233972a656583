/** Trees of scripts, of any form the grammar has, and a tree without its places. */

import type {
  ArgumentNode,
  CallNode,
  CommandNode,
  Script,
  StringNode,
  TestNode,
} from '../../src/sieve/syntax.ts';
import type { Dice } from './random.ts';

const NOWHERE = { line: 0, column: 0 };
const NAMES = ['keep', 'if', 'x', '_a1', 'text', 'header', 'fileinto'];
const STRINGS = [
  '',
  'a',
  '"',
  '\\',
  'a\\"b',
  'line\r\nend',
  '.\r\n..',
  '\xc3\xbc',
  '${x}',
  '\t \x01',
  '# no comment',
  '/* x */',
];

export function generateScript(dice: Dice): Script {
  return { commands: commands(dice, 0) };
}

function many<T>(dice: Dice, most: number, make: () => T): T[] {
  return Array.from({ length: dice.below(most + 1) }, make);
}

function commands(dice: Dice, depth: number): CommandNode[] {
  return many(dice, 3, () => ({
    kind: 'command',
    ...call(dice, depth),
    block: depth < 4 && dice.below(2) === 0 ? commands(dice, depth + 1) : null,
  }));
}

function call(dice: Dice, depth: number): CallNode {
  const testList = dice.below(3) === 0 && depth < 4;
  const tests: TestNode[] = depth >= 4 || dice.below(2) === 0 ? [] : [test(dice, depth + 1)];
  if (testList) tests.push(test(dice, depth + 1));
  return {
    name: dice.pick(NAMES),
    arguments: many(dice, 4, () => argument(dice)),
    tests,
    testList: testList || tests.length > 1,
    position: NOWHERE,
  };
}

function test(dice: Dice, depth: number): TestNode {
  return { kind: 'test', ...call(dice, depth) };
}

function string(dice: Dice): StringNode {
  return { kind: 'string', value: many(dice, 3, () => dice.pick(STRINGS)).join(''), position: NOWHERE };
}

function argument(dice: Dice): ArgumentNode {
  switch (dice.below(4)) {
    case 0:
      return string(dice);
    case 1:
      return { kind: 'list', items: [string(dice), ...many(dice, 3, () => string(dice))], position: NOWHERE };
    case 2:
      return { kind: 'number', value: dice.pick([0, 7, 2048, 2 ** 31]), position: NOWHERE };
    default:
      return { kind: 'tag', name: dice.pick(NAMES), position: NOWHERE };
  }
}

/** A tree without places. */
export function plain(script: Script): unknown {
  return JSON.parse(JSON.stringify(script, (key, value: unknown) => key === 'position' ? undefined : value));
}
