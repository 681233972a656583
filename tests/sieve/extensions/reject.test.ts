/** RFC 5429 */

import { expect, test } from 'bun:test';
import { actions, decide, findings, MESSAGE_A } from '../harness.ts';

test('§2.1, §2.2: reject and ereject refuse the message with a reason, and nothing is kept', () => {
  const script = `require "reject"; if header :contains "from" "coyote@desert.example.org" { reject text:
I am not taking mail from you, and I don't
want your birdseed, either!
.
; }`;
  expect(decide(script, MESSAGE_A)).toEqual([{
    kind: 'reject',
    early: false,
    reason: "I am not taking mail from you, and I don't\r\nwant your birdseed, either!\r\n",
  }]);
  expect(decide('require "ereject"; ereject "nö";', MESSAGE_A)).toEqual([{
    kind: 'reject',
    early: true,
    reason: 'nö',
  }]);
});

test('§2.4: once, and not with what delivers or answers the message; with discard it may stand', () => {
  const required = 'require ["reject", "ereject", "fileinto", "vacation", "copy"];';
  for (
    const other of [
      'reject "b";',
      'ereject "b";',
      'keep;',
      'fileinto "x";',
      'fileinto :copy "x";',
      'redirect "a@b";',
      'vacation "x";',
    ]
  ) {
    expect(() => actions(`${required} reject "a"; ${other}`, MESSAGE_A)).toThrow(/excludes|already/);
    expect(() => actions(`${required} ${other} reject "a";`, MESSAGE_A)).toThrow(/excludes|already/);
  }
  expect(actions(`${required} discard; reject "a";`, MESSAGE_A)).toEqual(['discard', 'reject']);
});

test('each needs its own require', () => {
  expect(findings('require "reject"; ereject "a";')[0]).toContain('needs require "ereject"');
});
