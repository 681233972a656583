/** RFC 5230, RFC 6131 */

import { expect, test } from 'bun:test';
import type { VacationAction } from '../../../src/sieve/result.ts';
import { actions, decide, findings, message, MESSAGE_A } from '../harness.ts';

function vacation(script: string, mail = MESSAGE_A): VacationAction {
  const found = decide(`require ["vacation", "vacation-seconds", "variables"]; ${script}`, mail)
    .find((action) => action.kind === 'vacation');
  if (found === undefined) throw new Error('no vacation');
  return found;
}

test('everything a script says about the answer is in the action, and the message is kept', () => {
  const script = `require "vacation"; vacation :days 23 :subject "Außer Haus" :from "Me <me@example.com>"
    :addresses ["tjs@example.edu", "ts4z@landru.example.edu"] :handle "h" "Bis bald, ü";`;
  expect(decide(script, MESSAGE_A)).toMatchObject([{
    kind: 'vacation',
    seconds: 23 * 86_400,
    subject: 'Außer Haus',
    from: { address: 'me@example.com', name: 'Me' },
    addresses: ['tjs@example.edu', 'ts4z@landru.example.edu'],
    mime: false,
    handle: 'handle h',
    reason: 'Bis bald, ü',
    fcc: null,
  }, { kind: 'keep', implicit: true }]);
  expect(vacation('vacation "x";')).toMatchObject({
    seconds: null,
    subject: null,
    from: null,
    addresses: [],
  });
});

test('§4.1 and RFC 6131 §2: days are one at least, seconds may be none, not both', () => {
  expect(vacation('vacation :days 0 "x";').seconds).toBe(86_400);
  expect(vacation('vacation :seconds 0 "x";').seconds).toBe(0);
  expect(vacation('vacation :seconds 1800 "x";').seconds).toBe(1800);
  expect(findings('require "vacation-seconds"; vacation :days 1 :seconds 1 "x";')[0]).toContain(
    "excludes ':days'",
  );
  expect(findings('require "vacation"; vacation :seconds 1 "x";')[0]).toContain(
    'without require "vacation-seconds"',
  );
  expect(findings('require "vacation-seconds"; vacation "x";')).toEqual([]);
});

test('§4.2: which answer it is comes from what the script says, before variables', () => {
  const handles = [
    'vacation "a";',
    'vacation "b";',
    'vacation :subject "a" "a";',
    'vacation :from "a@b" "a";',
    'vacation :mime "a";',
  ]
    .map((script) => vacation(script).handle);
  expect(new Set(handles).size).toBe(handles.length);
  expect(vacation('vacation :days 3 :addresses "c@d" "a";').handle).toBe(handles[0] as string);
  const script = 'if header :matches "subject" "*" { } vacation :subject "Re: ${1}" "away";';
  const one = vacation(script);
  const two = vacation(script, message('Subject: another', '', ''));
  expect([one.subject, two.subject]).toEqual(['Re: I have a present for you', 'Re: another']);
  expect(one.handle).toBe(two.handle);
  expect(vacation('vacation :handle "a" "x";').handle).toBe(vacation('vacation :handle "a" "y";').handle);
});

test('§4.7: once', () => {
  expect(() => actions('require "vacation"; vacation "a"; vacation "b";', MESSAGE_A)).toThrow(
    'vacation was decided already',
  );
  expect(actions('require ["vacation", "fileinto"]; fileinto "x"; vacation "b"; redirect "a@b";', MESSAGE_A))
    .toEqual(['fileinto x', 'vacation', 'redirect a@b']);
});

test('§4.3, §5: addresses that are none, and a :mime header that is not ASCII', () => {
  expect(findings('require "vacation"; vacation :from "nobody" "x";')[0]).toContain('no address');
  expect(findings('require "vacation"; vacation :addresses ["a@b", "x"] "x";')[0]).toContain('1:49');
  expect(findings('require "vacation"; vacation :mime "Subject: ü\r\n\r\nx";')[0]).toContain('must be ASCII');
  expect(findings('require "vacation"; vacation :mime "X: y\r\n\r\nü";')).toEqual([]);
  expect(() => vacation('vacation :from "${none}" "x";')).toThrow('no address');
});
