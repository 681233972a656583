/** What the compiler finds wrong: commands, tests and arguments against what they declare. */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { CAPABILITIES, compile, EXTENSIONS } from '../../src/sieve/extensions.ts';
import { findings } from './harness.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../src/sieve/settings.ts';

/** Settings that leave nothing out. */
const EVERYTHING: Settings = {
  ...DEFAULT_SETTINGS,
  programs: new Set(['pipe', 'filter', 'execute']),
  imapEvents: true,
};

test('unknown names, and names whose extension was not required', () => {
  expect(findings('frop;\nif frip { keep; } frip;\nfileinto "x";\nif envelope "from" "x" { frup; }')).toEqual(
    [
      '1:1 unknown command "frop"',
      // What nobody knows is only told where it stands first.
      '2:4 unknown test "frip"',
      '3:1 unknown command "fileinto": it needs require "fileinto"',
      '4:4 unknown test "envelope": it needs require "envelope"',
      '4:26 unknown command "frup"',
    ],
  );
});

test('a test is no command, a command no test', () => {
  expect(findings('header "a" "b";\nif keep { }')).toEqual([
    "1:1 attempted to use test 'header' as a command",
    "2:4 attempted to use command 'keep' as a test",
  ]);
});

test('typing errors that are often made are called by their names', () => {
  expect(findings('keep\nstop;')).toEqual(["2:1 missing semicolon ';' behind the keep command in line 1"]);
  expect(findings('if header contains "a" "b" { keep; }')).toContain(
    `1:11 missing colon ':' before "contains": it is a tag of the header test`,
  );
});

test('types and numbers of arguments', () => {
  expect(
    findings(
      'if header 1 "b" { }\nif header "a" 2 { }\nif header "a" { }\nif header "a" "b" "c" { }\nif size "x" { }',
    ),
  )
    .toEqual([
      '1:11 the header test expects a string list as argument 1 (header names), but a number was found',
      '2:15 the header test expects a string list as argument 2 (key list), but a number was found',
      '3:4 the header test requires 2 positional arguments, but 1 is specified',
      '4:19 the header test expects 2 positional arguments at most, but a string was found',
      '5:9 the size test expects a number as argument 1 (limit), but a string was found',
    ]);
});

test('tags: unknown ones, twice, two that exclude each other, behind positional arguments, without their value', () => {
  expect(findings('if header :frop "a" "b" { }')[0]).toBe(
    "1:11 unknown tagged argument ':frop' for the header test as it stands here",
  );
  expect(findings('if header :is :is "a" "b" { }')[0]).toContain("unexpected second ':is'");
  expect(findings('if header :is :contains "a" "b" { }')[0]).toContain("excludes ':is'");
  expect(findings('if size 1 :over { }')[0]).toContain("1:11 unexpected ':over' for the size test");
  expect(findings('if header :comparator 1 "b" { }')[0])
    .toBe("1:23 the header test expects a string behind ':comparator', but a number was found");
  expect(findings('if header :comparator "i;frop" "a" "b" { }')[0]).toContain('unknown comparator "i;frop"');
  expect(findings('if size 1 { }')[0]).toContain("expects ':over' or ':under'");
});

test('require: first, not in a block, only what there is and what is allowed', () => {
  expect(findings('keep; require "fileinto";')[0]).toContain('before all other commands');
  expect(findings('if true { require "fileinto"; }')[0]).toContain('must not stand in a block');
  expect(findings('require ["fileinto", "frop"];')).toEqual(['1:22 there is no extension "frop"']);
  expect(findings('require "fileinto";', { allowed: new Set(['envelope']) }))
    .toEqual(['1:9 the extension "fileinto" is not allowed here']);
  expect(findings('require "fileinto"; require ["envelope"]; fileinto "a";')).toEqual([]);
  for (const { capability, needs = [] } of EXTENSIONS.filter((extension) => extension.capability !== '')) {
    expect(findings(`require ["${[capability, ...needs].join('", "')}"];`, { settings: EVERYTHING })).toEqual(
      [],
    );
  }
  expect(findings('require "vnd.dovecot.pipe";')).toEqual([
    '1:9 the extension "vnd.dovecot.pipe" is not allowed here',
  ]);
  expect(CAPABILITIES).not.toContain('vnd.dovecot.pipe');
});

test('if, elsif, else stand together', () => {
  expect(findings('else { keep; }')[0]).toContain('expects to stand directly behind "if" or "elsif"');
  expect(findings('if true { } else { } elsif true { }')).toHaveLength(1);
  expect(findings('if true { } elsif false { } else { }')).toEqual([]);
  expect(findings('if true;')[0]).toContain('expects a block');
  expect(findings('keep { stop; }')[0]).toContain('expects no block');
});

test('names of mailboxes and addresses that cannot be', () => {
  expect(findings('require "fileinto"; fileinto "";')[0]).toContain('invalid folder name');
  expect(findings('require "fileinto"; fileinto "a\r\nb";')[0]).toContain('control characters');
  expect(compile('require "fileinto"; fileinto "\xff";').diagnostics[0]?.text).toContain('no UTF-8');
  const wrong = [
    '',
    'a',
    'a b@c',
    '@a:b@c',
    'a@',
    '@b',
    'a@b, c@d',
    'g: a@b;',
    'a@b\r\nBcc: x@y',
    '<a@b> c',
    'a@b@c',
    'a@-b',
  ];
  for (const address of wrong) {
    expect([address, findings(`redirect "${address}";`).length]).toEqual([address, 1]);
  }
  const right = [
    'a@b.example',
    'A B <a@b.example>',
    '\\"a b\\"@c.example',
    'a@[192.0.2.1]',
    '<a@b>',
    '\\"A, B\\" <a.b+c@d>',
    'ä@b',
    ' a @ b.c ',
    'a..b.@c.d',
  ];
  for (const address of right) expect([address, findings(`redirect "${address}";`)]).toEqual([address, []]);
});

test('address refuses fields that hold no addresses', () => {
  expect(findings('if address "subject" "x" { }')[0]).toContain(
    "'subject' is not allowed for the address test",
  );
});

test('limit: a script that is too large', () => {
  const most = limits.sieve_script.value;
  expect(findings('#'.repeat(most))).toEqual([]);
  expect(findings('#'.repeat(most + 1))).toEqual([
    `1:1 the script has ${most + 1} octets: expected ${most} at most`,
  ]);
});
