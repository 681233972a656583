/** RFC 5229, with its examples, and encoded-character (RFC 5228 §2.4.2.4), which comes before it. */

import { expect, test } from 'bun:test';
import { limits } from '../../../src/limits.ts';
import { compile } from '../../../src/sieve/extensions.ts';
import { actions, findings, holds, message, MESSAGE_A, program } from '../harness.ts';

/** What a script makes of a string: the name of the mailbox it files into. */
function value(script: string, text: string, mail = MESSAGE_A): string {
  const [action = ''] = actions(
    `require ["variables", "fileinto", "encoded-character"]; ${script} fileinto "|${text}";`,
    mail,
  );
  return action.slice('fileinto |'.length);
}

test('§3: references, and what only looks like one', () => {
  const set = 'set "company" "ACME"; set "s" "$";';
  for (
    const [text, expected] of [
      ['${full}', ''],
      ['${company}', 'ACME'],
      ['${COMPANY}', 'ACME'],
      ['${BAD${Company}', '${BADACME'],
      ['${President, ${Company} Inc.}', '${President, ACME Inc.}'],
      ['${', '${'],
      ['${}', '${}'],
      ['${0.s}', '${0.s}'],
      ['${s}{company}', '${company}'],
      ['$${company}$', '$ACME$'],
      ['${a b}', '${a b}'],
    ] as const
  ) expect([text, value(set, text)]).toEqual([text, expected]);
});

test('§3.1: quoting first, then encoded characters, then variables', () => {
  const set = 'set "foo" "bar"; set "name" "Ethelbert";';
  expect(value(set, '${fo\\o}')).toBe('bar');
  expect(value(set, '${fo\\\\o}')).toBe('${fo\\o}');
  expect(value(set, '\\\\${foo}')).toBe('\\bar');
  expect(value(set, 'dear${hex:20 24 7b 4e}ame}')).toBe('dear Ethelbert');
});

test('RFC 5228 §2.4.2.4: encoded characters', () => {
  for (
    const [text, expected] of [
      ['$${hex:40}', '$@'],
      ['${hex: 40 }', '@'],
      ['${HEX: 40}', '@'],
      ['${hex:40', '${hex:40'],
      ['${hex:400}', '${hex:400}'],
      ['${hex:4${hex:30}}', '${hex:40}'],
      ['${unicode:40}', '@'],
      ['${ unicode:40}', '${ unicode:40}'],
      ['${UNICODE:40}', '@'],
      ['${UnICoDE:0000040}', '@'],
      ['${Unicode:40}', '@'],
      ['${Unicode:Cool}', '${Unicode:Cool}'],
      ['${unicode:fc 20ac 1F600}', 'ü€😀'],
      ['${hex:c3 bc}', 'ü'],
    ] as const
  ) {
    const [action] = actions(`require ["fileinto", "encoded-character"]; fileinto "${text}";`, MESSAGE_A);
    expect([text, action]).toEqual([text, `fileinto ${expected}`]);
  }
  for (const text of ['${unicode:200000}', '${Unicode:DF01}', '${unicode:33333333333333333}']) {
    expect(findings(`require "encoded-character"; redirect "${text}@b";`)).toHaveLength(1);
  }
});

test('§3.2: match variables', () => {
  const mail = message(
    'Subject: [acme-users] [fwd] version 1.0 is out',
    'To: coyote@ACME.Example.COM',
    '',
    '',
  );
  const subject = 'if header :matches "Subject" "[*] *" { }';
  expect(value(subject, '${1}/${2}/${0}/${3}/${01}', mail))
    .toBe('acme-users/[fwd] version 1.0 is out/[acme-users] [fwd] version 1.0 is out//acme-users');
  const to = 'if address :matches ["To", "Cc"] ["coyote@**.com", "wile@**.com"] { }';
  expect(value(to, '${0}/${1}/${2}', mail)).toBe('coyote@ACME.Example.COM//ACME.Example');
  // No match, and one that is never asked, leave them as they were.
  expect(value(`${subject} if header :matches "subject" "x*" { }`, '${1}', mail)).toBe('acme-users');
  expect(value('if anyof (true, address :domain :matches "To" "*.com") { }', '${0}', mail)).toBe('');
  expect(value('', '${1}', mail)).toBe('');
});

test('§4: set, and its modifiers by precedence', () => {
  const set = 'set "a" "juMBlEd lETteRS";';
  for (
    const [modifiers, text, expected] of [
      [':length', '${a}', '15'],
      [':lower', '${a}', 'jumbled letters'],
      [':upperfirst', '${a}', 'JuMBlEd lETteRS'],
      [':upperfirst :lower', '${a}', 'Jumbled letters'],
      [':lowerfirst :UPPER', '${a}', 'jUMBLED LETTERS'],
      [':quotewildcard', 'Rock*?\\\\', 'Rock\\*\\?\\\\'],
      [':length :quotewildcard', '***', '6'],
      [':length', 'äöü€', '4'],
      [':upper', 'äb', 'äB'],
      ['', '', ''],
    ] as const
  ) {
    const made = value(`${set} set ${modifiers} "b" "${text}";`, '${b}');
    expect([modifiers, made]).toEqual([modifiers, expected]);
  }
  const letter = 'set "honorific" "Mr"; set "last_name" "Coyote"; set "v" "Dear ${HONORIFIC} ${last_name},";';
  expect(value(letter, '${V}')).toBe('Dear Mr Coyote,');
});

test('§4: names and modifiers that cannot be', () => {
  const found = (script: string): string[] => findings(`require "variables"; ${script}`);
  expect(found('set "0" "x";')[0]).toContain('no name of a variable');
  expect(found('set "${a}" "x";')).toEqual([
    '1:26 this string must be constant: expected no variables in it',
  ]);
  expect(found('set "a b" "x";')[0]).toContain('no name of a variable');
  expect(found('set "name.space" "x";')[0]).toContain('unknown namespace "name"');
  expect(found('redirect "${name.space}";')[0]).toContain('unknown namespace "name"');
  expect(found('set :lower :upper "a" "x";')[0]).toContain("excludes ':lower'");
  expect(found('set :frop "a" "x";')[0]).toContain("unknown tagged argument ':frop'");
  expect(found('if header :comparator "${a}" "b" "c" { }')).toHaveLength(1);
});

test('§5: string compares what the script says, and :count counts strings that are not empty', () => {
  const held = (test: string): boolean =>
    holds(test, MESSAGE_A, ['variables', 'relational', 'comparator-i;ascii-numeric']);
  expect(held('string :matches " ${state} pending " "* pending *"')).toBe(true);
  expect(held('string " a" "a"')).toBe(false);
  expect(held('string :count "eq" :comparator "i;ascii-numeric" ["a", "", "${none}", "b"] "2"')).toBe(true);
  expect(held('string ["a", "b"] ["c", "B"]')).toBe(true);
});

test('without variables nothing is a reference', () => {
  expect(actions('require "fileinto"; fileinto "${a}";', MESSAGE_A)).toEqual(['fileinto ${a}']);
});

test('values computed at run time are checked then', () => {
  expect(() => value('set "a" "x";', '${none}')).not.toThrow();
  const script = 'require ["variables", "fileinto"]; fileinto "${none}";';
  expect(() => actions(script, MESSAGE_A)).toThrow('invalid folder name');
  expect(() => actions('require "variables"; redirect "${none}";', MESSAGE_A)).toThrow('no address');
});

test('limit: variables of one script', () => {
  const most = limits.sieve_variables.value;
  const script = (count: number): string =>
    `require "variables"; ${Array.from({ length: count }, (_, i) => `set "v${i}" "x";`).join('')}`;
  expect(findings(script(most))).toEqual([]);
  expect(findings(script(most + 10))).toHaveLength(1);
  expect(program(script(3)).variables).toEqual(['v0', 'v1', 'v2']);
});

test('limit: a value is cut, not within a character; a string with variables too', () => {
  const most = limits.sieve_variable.value;
  const long = 'x'.repeat(most - 1);
  expect(value(`set "a" "${long}ü"; set :length "n" "\${a}";`, '${n}')).toBe(String(most - 1));
  expect(value(`set "a" "${long}yz"; set :length "n" "\${a}";`, '${n}')).toBe(String(most));
  const quoted = `set "a" "${'*'.repeat(most)}"; set :quotewildcard "b" "x\${a}"; set :length "n" "\${b}";`;
  expect(value(quoted, '${n}')).toBe(String(most - 1));
  // 64 KB: sixteen of the largest variable, and more is cut.
  const references = '${a}'.repeat(17);
  expect(value(`set "a" "${'x'.repeat(most)}";`, references).length).toBe(limits.sieve_value.value - 1);
});

test('limit: names of variables and numbers of match variables', () => {
  const name = 'x'.repeat(limits.sieve_variable_name.value);
  expect(findings(`require "variables"; set "${name}" "a";`)).toEqual([]);
  expect(findings(`require "variables"; set "${name}x" "a";`)).toHaveLength(1);
  const groups = limits.sieve_match_captures.value;
  expect(findings(`require "variables"; if string "\${${groups}}" "" { }`)).toEqual([]);
  expect(findings(`require "variables"; if string "\${${groups + 1}}" "" { }`)).toHaveLength(1);
});

test('limit: doubling a variable ends at the memory of a run, not of the machine', () => {
  const script = `require ["variables"]; set "a" "xxxxxxxxxxxxxxxx"; ${'set "a" "${a}${a}";'.repeat(2000)}`;
  expect(compile(script).diagnostics).toEqual([]);
  expect(() => actions(script, MESSAGE_A)).toThrow('octets of text');
});
