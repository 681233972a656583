/** RFC 5463 */

import { expect, test } from 'bun:test';
import { actions, findings, MESSAGE_A, outcome } from '../harness.ts';

test('what is there is required from the test on, to the end of the script', () => {
  const script = 'require "ihave"; if ihave "fileinto" { fileinto "a"; } else { frop; } fileinto "b";';
  expect(actions(script, MESSAGE_A)).toEqual(['fileinto a', 'fileinto b']);
  expect(findings('require "ihave"; fileinto "b"; if ihave "fileinto" { }')).toHaveLength(1);
});

test('what is not there makes no error of what depends on it', () => {
  const script = `require ["ihave", "fileinto"];
    if ihave "frop" { frop :frop "x"; if frup { keep 1; } }
    elsif not ihave ["fileinto", "frop"] { fileinto "a"; }
    else { frop; }
    if allof (ihave "frop", frup :x) { frup; }
    if anyof (not ihave "frop", frup :x) { fileinto "b"; } else { frup; }
    if anyof (ihave "frop", true) { fileinto "c"; }
    if not anyof (ihave "frop", ihave "frap") { fileinto "d"; } else { frup; }`;
  expect(actions(script, MESSAGE_A)).toEqual(['fileinto a', 'fileinto b', 'fileinto c', 'fileinto d']);
});

test('what can be reached is looked at', () => {
  expect(findings('require "ihave"; if anyof (ihave "frop", true) { frup; }')).toHaveLength(1);
  expect(findings('require "ihave"; if ihave "frop" { } frup;')).toHaveLength(1);
});

test('§4: variables and encoded-character are never there for it, nor what the site does not allow', () => {
  for (const name of ['variables', 'encoded-character', '']) {
    expect(actions(`require "ihave"; if not ihave "${name}" { discard; }`, MESSAGE_A)).toEqual(['discard']);
  }
  const allowed = { compile: { allowed: new Set(['ihave']) } };
  expect(actions('require "ihave"; if ihave "fileinto" { discard; }', MESSAGE_A, allowed)).toEqual([
    'implicit keep',
  ]);
});

test('§5: error ends the script with its message', () => {
  const { error, result } = outcome(
    'require "ihave"; keep; error "Something ü failed."; discard;',
    MESSAGE_A,
  );
  expect(error).toMatchObject({ line: 1, column: 24, text: 'Something ü failed.' });
  expect(result.actions).toHaveLength(1);
});

test('§4: what was not asked for before it is used is a run-time error, wherever it is used', () => {
  const asked = (given: string, then: string) =>
    outcome(`require "ihave"; if header :contains "subject" "${given}" { if ihave ${then}`, MESSAGE_A);
  const uses = [
    ['"fileinto" {} }', 'fileinto "a";'],
    ['["fileinto", "copy"] {} }', 'fileinto :copy "a";'],
    ['["relational", "comparator-i;ascii-numeric"] {} }', 'if header :value "ge" "subject" "a" { discard; }'],
    ['"subaddress" {} }', 'if not address :detail "to" "x" { discard; }'],
    ['"envelope" {} }', 'if allof (true, anyof (false, envelope "from" "x")) {}'],
    ['"mailbox" {} }', 'if true { if mailboxexists "x" {} }'],
  ];
  for (const [then, use] of uses) {
    const { error } = asked('no such subject', `${then} ${use}`);
    expect([use, error?.text]).toEqual([
      use,
      expect.stringMatching(/" is used here, but ihave did not find it/),
    ]);
    expect([use, asked('', `${then} ${use}`).error]).toEqual([use, null]);
  }
});

test('§4: what is not carried out is not used; what was required needs no test', () => {
  const script = `if header :is "subject" "none" { if ihave "fileinto" { fileinto "a"; } }
    if false { fileinto "b"; } elsif ihave "fileinto" { fileinto "c"; }
    if true { fileinto "d"; }`;
  expect(actions(`require "ihave"; ${script}`, MESSAGE_A)).toEqual(['fileinto c', 'fileinto d']);
  const required = `require ["ihave", "fileinto"]; if false { if ihave "fileinto" {} } fileinto "a";`;
  expect(actions(required, MESSAGE_A)).toEqual(['fileinto a']);
});
