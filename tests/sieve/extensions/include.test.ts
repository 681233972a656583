/** RFC 6609 */

import { expect, test } from 'bun:test';
import { limits } from '../../../src/limits.ts';
import { ScriptCache } from '../../../src/sieve/cache.ts';
import { type CompileOptions } from '../../../src/sieve/compile.ts';
import { compile } from '../../../src/sieve/extensions.ts';
import { RUN_LIMITS } from '../../../src/sieve/run.ts';
import { DEFAULT_SETTINGS } from '../../../src/sieve/settings.ts';
import { actions, findings, message, MESSAGE_A, stored } from '../harness.ts';

function run(script: string, scripts: Record<string, string>, mail = MESSAGE_A, more = {}): string[] {
  return actions(script, mail, { host: { script: stored(scripts) }, compile: { name: 'default' }, ...more });
}

test('§3.2: the example of four scripts', () => {
  const scripts = {
    'personal always_allow': 'if address :is "from" "boss@example.com" { keep; }',
    'personal spam_tests': `require ["reject"];
      if header :contains "Subject" "XXXX" { reject "Subject XXXX is unacceptable."; }`,
    'global spam_tests': `require ["reject"];
      if anyof (header :contains "Subject" "$$", header :contains "Subject" "Make money") { reject "No thank you."; }`,
    'personal mailing_lists':
      'require ["fileinto"]; if header :is "List-ID" "sieve.ietf.org" { fileinto "lists.sieve"; }',
  };
  const script = `require ["include"];
    include :personal "always_allow"; include :global "spam_tests"; include :personal "spam_tests"; include "mailing_lists";`;
  expect(run(script, scripts)).toEqual(['implicit keep']);
  expect(run(script, scripts, message('From: boss@example.com', '', ''))).toEqual(['keep']);
  expect(run(script, scripts, message('Subject: $$', '', ''))).toEqual(['reject']);
  expect(run(script, scripts, message('Subject: XXXX', '', ''))).toEqual(['reject']);
  expect(run(script, scripts, message('List-ID: sieve.ietf.org', '', ''))).toEqual(['fileinto lists.sieve']);
});

test('§3.2, §3.3: stop ends everything, return the script it stands in', () => {
  expect(run('require "include"; include "a"; discard;', { 'personal a': 'stop;' })).toEqual([
    'implicit keep',
  ]);
  expect(
    run('require "include"; include "a"; discard;', {
      'personal a': 'require "include"; if true { return; } keep;',
    }),
  )
    .toEqual(['discard']);
  expect(run('require "include"; return; discard;', {})).toEqual(['implicit keep']);
});

test("§3.2: :once, :optional, and require that is each script's own", () => {
  const files = {
    'personal a':
      'require ["fileinto", "variables", "include"]; global "n"; set "n" "${n}x"; fileinto "${n}";',
  };
  expect(run('require "include"; include "a"; include "a"; include :once "a";', files)).toEqual([
    'fileinto x',
    'fileinto xx',
  ]);
  expect(run('require "include"; include :optional "none"; discard;', {})).toEqual(['discard']);
  expect(() => run('require "include"; include "none";', {})).toThrow(
    '"none", which is included here, does not exist',
  );
  expect(() => run('require ["include", "fileinto"]; include "a";', { 'personal a': 'fileinto "x";' }))
    .toThrow('needs require "fileinto"');
  // Global and personal scripts of one name are two.
  expect(run('require "include"; include :global :once "default";', { 'global default': 'discard;' }))
    .toEqual(['discard']);
});

test('§3.1: a script that includes itself, at once or by others; :once takes it as included', () => {
  const include = (...names: string[]): string =>
    `require "include"; ${names.map((name) => `include "${name}";`).join('')}`;
  expect(() => run(include('default'), { 'personal default': include('default') })).toThrow(
    'includes itself',
  );
  const circle = { 'personal a': include('b'), 'personal b': include('c'), 'personal c': include('a') };
  expect(() => run(include('a'), circle)).toThrow('line 1: the script "a" includes itself');
  expect(run('require "include"; include :once "default"; discard;', {})).toEqual(['discard']);
  expect(run(include('a'), { 'personal a': 'require "include"; include :once "a"; discard;' })).toEqual([
    'discard',
  ]);
});

test('§3.2: :once of a script around is passed over, also where scripts were looked at when they were compiled', () => {
  const files = {
    'personal a': 'require "include"; include "b"; discard;',
    'personal b': 'require "include"; include :once "a";',
  };
  const script = 'require "include"; include "a";';
  expect(run(script, files, MESSAGE_A, { compile: { name: 'default', scripts: stored(files) } })).toEqual([
    'discard',
  ]);
});

test('limit: levels and number of included scripts', () => {
  const chain = (length: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length }, (_, i) => [
      `personal ${i}`,
      i === length - 1 ? 'discard;' : `require "include"; include "${i + 1}";`,
    ]));
  const most = limits.sieve_include_depth.value;
  expect(run('require "include"; include "0";', chain(most))).toEqual(['discard']);
  expect(() => run('require "include"; include "0";', chain(most + 1))).toThrow(`more than ${most} levels`);
  const many = Array.from({ length: 4 }, (_, i) => `include "${i}";`).join('');
  const files = Object.fromEntries(Array.from({ length: 4 }, (_, i) => [`personal ${i}`, 'keep;']));
  const bounds = { limits: { ...RUN_LIMITS, includes: 3 } };
  expect(() => run(`require "include"; ${many}`, files, MESSAGE_A, bounds)).toThrow('more than 3 scripts');
  expect(limits.sieve_includes.value).toBe(255);
});

test('limit: fan-out ends at the instruction budget', () => {
  const all = Array.from({ length: 9 }, (_, i) => i);
  const files = Object.fromEntries(all.map((level) => [
    `personal ${level}`,
    level === 8 ? 'keep;' : `require "include"; ${`include "${level + 1}";`.repeat(30)}`,
  ]));
  const bounds = { limits: { ...RUN_LIMITS, instructions: 20_000 } };
  expect(() => run('require "include"; include "0";', files, MESSAGE_A, bounds)).toThrow('20000 steps');
});

test("§3.4: variables are each script's own, unless global", () => {
  const included = `require ["include", "variables", "fileinto"]; global ["test", "test_mailbox"];
    set "mine" "y"; if header :contains "Subject" "\${test}" { set "test_mailbox" "spam-\${test}"; }`;
  const script = `require ["fileinto", "include", "variables", "relational"];
    global "test"; global "test_mailbox"; set "mine" "x";
    set "test" "$$"; include "subject_tests";
    set "test" "Make money"; include "subject_tests";
    if string :count "eq" "\${test_mailbox}" "1" { fileinto "\${test_mailbox}-\${mine}"; stop; }`;
  expect(run(script, { 'personal subject_tests': included }, message('Subject: Make money fast', '', '')))
    .toEqual(['fileinto spam-Make money-x']);
  expect(run(script, { 'personal subject_tests': included })).toEqual(['implicit keep']);
});

test("§3.4: match variables are each script's own", () => {
  const script = `require ["include", "variables", "fileinto"];
    if header :matches "subject" "*" { } include "a"; fileinto "\${1}";`;
  const files = { 'personal a': 'require "variables"; if header :matches "from" "*" { }' };
  expect(run(script, files)).toEqual(['fileinto I have a present for you']);
});

test('§3.4.2: the namespace global means the same', () => {
  const script = `require ["variables", "include", "fileinto"]; global "a"; set "global.a" "1"; set "b" "2";
    include "x"; fileinto "\${a}\${b}\${global.b}";`;
  expect(run(script, { 'personal x': 'require ["variables", "include"]; set "global.b" "3";' })).toEqual([
    'fileinto 123',
  ]);
  const found = (text: string): string[] => findings(`require ["variables", "include"]; ${text}`);
  expect(found('set "globl.var" "x";')[0]).toContain('unknown namespace "globl"');
  expect(found('set "global.env.a" "12";')[0]).toContain('expected one name');
  expect(found('set "global.12" "x";')[0]).toContain('no name of a variable');
});

test('§3.4.1: global needs both extensions, constant names, and to stand before set', () => {
  expect(findings('require "include"; global "a";')[0]).toContain('needs require "variables"');
  expect(findings('require "variables"; global "a";')[0]).toContain('needs require "include"');
  const found = (text: string): string[] => findings(`require ["variables", "include"]; ${text}`);
  expect(found('global "a"; global "a"; keep; global "b"; set "a" "x"; global "a";')).toEqual([]);
  expect(found('set "a" "x"; global "a";')[0]).toContain('was set before');
  expect(found('global "1";')[0]).toContain('no name of a variable');
});

test('§3.2, §4: names that cannot be', () => {
  for (
    const name of ['', 'x\x1ay', 'x\x7f', 'x\u0085', 'x\u2028', 'x\u2029', 'x'.repeat(513)]
  ) {
    expect(findings(`require "include"; include "${name}";`)).toHaveLength(1);
  }
  // Where names are not paths a slash is a character like others (RFC 5804 §1.6).
  const settings = { ...DEFAULT_SETTINGS, scriptsAreFiles: true };
  for (const name of ['../frop', 'a/b', '/etc/passwd']) {
    expect(findings(`require "include"; include "${name}";`)).toEqual([]);
    expect(findings(`require "include"; include "${name}";`, { settings })).toHaveLength(1);
    expect(run(`require "include"; include "${name}";`, { [`personal ${name}`]: 'discard;' })).toEqual([
      'discard',
    ]);
  }
  expect(findings('require ["variables", "include"]; include "${a}";')[0]).toContain('must be constant');
  expect(findings('require "include"; include :global :personal "a";')[0]).toContain('excludes');
});

test('where scripts can be had, their errors are told with their place, and each script with one is one', () => {
  const found = (script: string, files: Record<string, string>, more: CompileOptions = {}): string[] =>
    compile(script, { scripts: stored(files), name: 'main', ...more }).diagnostics
      .map(({ script, line, column, text }) => `${script ?? ''} ${line}:${column} ${text}`);
  const include = (name: string): string => `require "include";\ninclude "${name}";`;
  expect(found(include('a'), { 'personal a': 'keep;\nfrop;' })).toEqual([
    'a 2:1 unknown command "frop"',
    ' 2:9 the script "a", which is included here, has errors',
  ]);
  expect(found(include('a'), { 'personal a': include('b'), 'personal b': include('a') })).toEqual([
    'b 2:9 the script "a" includes itself',
    'a 2:9 the script "b", which is included here, has errors',
    ' 2:9 the script "a", which is included here, has errors',
  ]);
  expect(found(include('none'), {})).toEqual([
    ' 2:9 the script "none", which is included here, does not exist',
  ]);
  expect(
    found(include('a'), { 'personal a': include('b'), 'personal b': include('c'), 'personal c': 'keep;' }, {
      includeDepth: 2,
    }),
  )
    .toHaveLength(3);
  // When a script is stored, what it includes may come later.
  expect(findings(include('none'))).toEqual([]);
});

test('scripts are compiled once per content, up to the size of the cache', () => {
  const cache = new ScriptCache(100);
  const options = { cache, name: 'a' };
  const one = compile('keep;', { ...options, hash: '1' });
  expect(compile(Buffer.from('other'), { ...options, hash: '1' })).toBe(one);
  expect(compile('keep;', { ...options, hash: '2' })).not.toBe(one);
  expect(compile('keep;', { ...options, name: 'b', hash: '1' })).not.toBe(one);
  expect(cache.count).toBe(3);
  compile(`keep; # ${'x'.repeat(80)}`, { ...options, hash: '3' });
  expect(cache.count).toBe(3);
  expect(compile('keep;', { ...options, hash: '1' })).not.toBe(one);
  // An included script comes from the cache of the one that includes it.
  const shared = new ScriptCache();
  const script = 'require "include"; include "x"; include "x";';
  expect(
    actions(script, MESSAGE_A, {
      host: { script: stored({ 'personal x': 'discard;' }) },
      compile: { cache: shared, name: 'main' },
    }),
  )
    .toEqual(['discard']);
  expect(shared.count).toBe(1);
});
