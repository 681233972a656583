/** RFC 5232, and Cyrus's imapflags. */

import { expect, test } from 'bun:test';
import { actions, decide, findings, holds, MESSAGE_A } from '../harness.ts';

/** The flags of the last placement a script makes. */
function flags(script: string, required = ''): readonly string[] {
  const last = decide(`require ["imap4flags", "fileinto", "variables"${required}]; ${script}`, MESSAGE_A).at(
    -1,
  );
  return last !== undefined && 'placement' in last ? last.placement.flags : [];
}

test('§3: the internal variable goes with keep, fileinto and the implicit keep', () => {
  for (const end of ['', 'keep;', 'fileinto "x";']) {
    expect(flags(`setflag "\\\\Seen"; addflag ["a", "\\\\flagged b"]; removeflag "A"; ${end}`)).toEqual([
      '\\Seen',
      '\\Flagged',
      'b',
    ]);
  }
  expect(flags('addflag "a"; keep; addflag "b";')).toEqual(['a']);
});

test('§3.2: flags of several strings, separated by any number of spaces, each once', () => {
  expect(
    flags('addflag "flagvar" "\\\\Deleted"; addflag "flagvar" "\\\\Answered"; keep :flags "${flagvar}";'),
  )
    .toEqual(['\\Deleted', '\\Answered']);
  expect(flags('addflag "  a   b "; addflag ["A", "", "c"];')).toEqual(['a', 'b', 'c']);
});

test('§2: what can be no flag is left out', () => {
  expect(flags('addflag ["\\\\Recent", "\\\\Frop", "a(b", "ü", "fine", "x]"];')).toEqual(['fine']);
});

test('§5: :flags are the only flags; what is said last counts', () => {
  expect(flags('addflag "a"; keep :flags ["b", "c"];')).toEqual(['b', 'c']);
  expect(flags('fileinto :flags "a" "x"; fileinto :flags "b" "x";')).toEqual(['b']);
  expect(flags('addflag "a"; keep :flags "";')).toEqual([]);
});

test('§4: hasflag, with the examples', () => {
  const held = (script: string, test: string): boolean =>
    decide(
      `require ["imap4flags", "variables", "relational", "comparator-i;ascii-numeric"]; ${script} if ${test} { discard; }`,
      MESSAGE_A,
    ).some(({ kind }) => kind === 'discard');
  expect(held('setflag "A B";', 'hasflag :is "b A"')).toBe(true);
  expect(held('setflag "A B";', 'hasflag ["b","A"]')).toBe(true);
  expect(held('setflag "A B";', 'hasflag "c"')).toBe(false);
  const mine = 'set "MyVar" "NonJunk Junk gnus-forward $Forwarded NotJunk JunkRecorded $Junk $NotJunk";';
  for (
    const keys of [
      '"Junk"',
      '"forward"',
      '["label", "forward"]',
      '["junk", "forward"]',
      '"junk forward"',
      '"forward junk"',
    ]
  ) {
    expect(held(mine, `hasflag :contains "MyVar" ${keys}`)).toBe(true);
  }
  expect(held(mine, 'hasflag :contains "MyVar" "label"')).toBe(false);
  expect(held(mine, 'hasflag :contains "MyVar" ["label1", "label2"]')).toBe(false);
  expect(
    held(
      'set "MyFlags" "A B"; set "o" "c";',
      'hasflag :count "ge" :comparator "i;ascii-numeric" "MyFlags" "2"',
    ),
  ).toBe(true);
  expect(
    held(
      'set "MyFlags" "A B a"; set "o" "c";',
      'hasflag :count "eq" :comparator "i;ascii-numeric" ["MyFlags", "o"] "3"',
    ),
  ).toBe(true);
});

test('a variable needs its require', () => {
  expect(findings('require "imap4flags"; addflag "x" "y";')[0]).toContain('needs require "variables"');
  expect(findings('require "imap4flags"; if hasflag "x" "y" { }')[0]).toContain('needs require "variables"');
  expect(findings('require ["imap4flags", "variables"]; addflag "0" "y";')[0]).toContain(
    'no name of a variable',
  );
  expect(findings('require "imap4flags"; addflag;')[0]).toContain('requires at least 1 positional argument');
});

test('imapflags of Cyrus: mark, unmark, and no variables', () => {
  const marked = decide('require "imapflags"; mark; addflag "x"; keep;', MESSAGE_A)[0];
  expect(marked).toMatchObject({ kind: 'keep', placement: { flags: ['\\Flagged', 'x'] } });
  expect(decide('require "imapflags"; setflag ["\\\\Seen"]; mark; unmark;', MESSAGE_A))
    .toMatchObject([{ implicit: true, placement: { flags: ['\\Seen'] } }]);
  expect(findings('require "imapflags"; addflag "x" "y";')).toHaveLength(1);
  expect(
    actions('require ["imapflags", "imap4flags"]; mark; if hasflag "\\\\flagged" { discard; }', MESSAGE_A),
  ).toEqual(['discard']);
  expect(holds('hasflag "x"', MESSAGE_A, ['imap4flags'])).toBe(false);
});
