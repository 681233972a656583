/** `mailstore sieve`: checking, running and testing scripts from the command line. */

import { afterAll, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processSurroundings } from '../../src/cli/administration.ts';
import { sieveCommand } from '../../src/cli/sieve.ts';

const folder = mkdtempSync(join(tmpdir(), 'sieve-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function sieve(args: string[], stdin = ''): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await sieveCommand(processSurroundings).run(args, {
    stdin: new Blob([stdin]).stream(),
    stdout: (text) => out += typeof text === 'string' ? text : Buffer.from(text).toString(),
    stderr: (text) => err += text,
    env: {},
  });
  return { code, out, err };
}

const MESSAGE =
  'From: coyote@desert.example.org\r\nTo: bird@acme.example.com\r\nSubject: present\r\n\r\nHello\r\n';

test('check names file, line and column of every error and exits with 65', async () => {
  const wrong = file('wrong.sieve', 'require "fileinto";\nfileinto 1;\nfrop;\n');
  const { code, out } = await sieve(['check', wrong]);
  expect(code).toBe(65);
  expect(out).toBe(
    `${wrong}:2:10: error: the fileinto command expects a string as argument 1 (mailbox), but a number was found\n` +
      `${wrong}:3:1: error: unknown command "frop"\n`,
  );
  const json = await sieve(['check', '--json', wrong]);
  expect(JSON.parse(json.out)).toHaveLength(2);
  expect(await sieve(['check', '-'], 'keep;')).toEqual({ code: 0, out: '', err: '' });
});

test('a file that is not there is 66, a command line that is none 64', async () => {
  expect((await sieve(['check', join(folder, 'none.sieve')])).code).toBe(66);
  expect(sieve(['frop'])).rejects.toThrow('sieve needs one of check, compile, run, test, import; not "frop"');
  expect(sieve(['check', '-q', 'x'])).rejects.toThrow('--quiet is not for sieve check');
});

test('compile shows the program', async () => {
  const script = file('short.sieve', 'require "fileinto";\nif header "subject" "x" {\n  fileinto "a";\n}\n');
  expect((await sieve(['compile', script])).out).toBe(
    '# a Sieve program of mailstore\nrequire "fileinto"\n' +
      '   0  2:4     header               yes 1, no 3\n' +
      '   1  3:3     fileinto then 3\n' +
      '   2          go to 3\n' +
      '   3  2:1     end\n',
  );
});

test('run tells why, and what would be done', async () => {
  const script = file(
    'rules.sieve',
    'require ["fileinto", "editheader"];\nif header :contains "subject" "present" {\n  addheader "X-Sorted" "yes";\n  fileinto "gifts";\n}\n',
  );
  const changed = join(folder, 'changed.eml');
  const { code, out } = await sieve(['run', '-o', changed, script], MESSAGE);
  expect(code).toBe(0);
  expect(out).toBe(
    '2:4 header: true\n3:3 addheader \'X-Sorted\'\n4:3 fileinto "gifts"\n=> fileinto "gifts" (changed)\n',
  );
  expect(await Bun.file(changed).text()).toBe(`X-Sorted: yes\r\n${MESSAGE}`);
  expect((await sieve(['run', '-q', '-'.replace('-', script)], MESSAGE.replace('present', 'x'))).out)
    .toBe('=> keep (implicit)\n');
});

test('run uses the envelope given', async () => {
  const script = file(
    'envelope.sieve',
    'require "envelope"; if envelope "from" "x@example.com" { discard; }',
  );
  expect((await sieve(['run', '-q', '-f', 'x@example.com', script], MESSAGE)).out).toBe('=> discard\n');
  expect((await sieve(['run', '-q', script], MESSAGE)).out).toBe('=> keep (implicit)\n');
});

test('a script that fails keeps the message and exits with 65', async () => {
  const script = file('fails.sieve', 'require "variables"; set "a" "x"; redirect "${a}";');
  const { code, out, err } = await sieve(['run', '-q', script], MESSAGE);
  expect([code, out]).toEqual([65, '=> keep (the script failed)\n']);
  expect(err).toContain('fails.sieve:1:35: error:');
});

test('test runs test files: 0 if all succeed, 1 if not, the other way round with -F', async () => {
  const good = file('good.svtest', 'require "vnd.dovecot.testsuite"; test "a" { keep; } test "b" { }');
  expect(await sieve(['test', good])).toEqual({
    code: 0,
    out:
      `Test case: ${good}:\n\n1: Test 'a' SUCCEEDED\n2: Test 'b' SUCCEEDED\n\nPASS: 2 tests succeeded.\n\n`,
    err: '',
  });
  const bad = file(
    'bad.svtest',
    'require "vnd.dovecot.testsuite"; test "a" { test_fail "no"; } test "b" { }',
  );
  const { code, out } = await sieve(['test', bad]);
  expect([code, out.includes("1: Test 'a' FAILED: no\n2: Test 'b' SUCCEEDED\n\nFAIL: 1 of 2 tests failed.")])
    .toEqual([1, true]);
  expect((await sieve(['test', '-F', bad])).code).toBe(1);
  expect((await sieve(['test', '-F', file('no.svtest', 'frop;')])).code).toBe(0);
  file('bin/home', '#!/bin/sh\nprintf "%s" "$HOME"\n');
  chmodSync(join(folder, 'bin/home'), 0o755);
  const home = file(
    'home.svtest',
    'require ["vnd.dovecot.testsuite", "vnd.dovecot.execute", "variables"];\n' +
      'test "home" { execute :output "out" "home"; if not string "${out}" "/somewhere" { test_fail "${out}"; } }',
  );
  expect((await sieve(['test', '-W', '/somewhere', home])).code).toBe(0);
  expect((await sieve(['test', home])).code).toBe(1);
  const trace = join(folder, 'trace');
  await sieve(['test', '-t', trace, good]);
  expect(await Bun.file(trace).text()).toContain('1:45 keep');
});

test('what a script says moves no cursor and turns no line: it is shown as escapes', async () => {
  const said = 'Gr\u00fc\u00dfe \u001b[2J\u009b1A\u202e';
  const script = file(
    'said.sieve',
    `require ["vnd.dovecot.debug", "variables", "reject"];\n` +
      `debug_log "${said}"; set "x" "${said}"; reject "\${x}";`,
  );
  const mail = file('said.eml', MESSAGE);
  const { out, err } = await sieve(['run', '-m', mail, script]);
  const shown = 'Gr\u00fc\u00dfe \\u{1b}[2J\\u{9b}1A\\u{202e}';
  // A debug_log has no controls of ASCII in any case.
  const logged = shown.replace('\\u{1b}', ' ');
  expect(err).toContain(`log: ${logged}\n`);
  expect(out).toContain(`set "x" "${shown}"\n`);
  expect(out).toContain(`=> reject: ${shown}\n`);
  expect(out + err).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);

  const wrong = file('wrong said.sieve', `require "${said}"; frop "${said}";`);
  const checked = await sieve(['check', wrong]);
  expect(checked.code).toBe(65);
  expect(checked.out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);

  const tests = file(
    'said.svtest',
    `require ["vnd.dovecot.testsuite", "vnd.dovecot.debug"];\ntest "${said}" { debug_log "${said}"; test_fail "${said}"; }\n`,
  );
  const trace = join(folder, 'said.trace');
  const tested = await sieve(['test', '-E', '-t', trace, tests]);
  expect(tested.code).toBe(1);
  expect(tested.err).toContain(logged);
  expect(tested.out + tested.err + readFileSync(trace, 'utf8')).not.toMatch(
    /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/,
  );
});

test('check and run know the lists of the configuration that is named', async () => {
  const friends = file('friends', 'bird@acme.example.com\n');
  const config = file('lists.toml', `[sieve]\nlists = { "tag:example.org,2026:friends" = "${friends}" }\n`);
  const script = file(
    'lists.sieve',
    'require "extlists"; if address :list "to" "tag:example.org,2026:friends" { redirect :list "tag:example.org,2026:friends"; }',
  );
  expect((await sieve(['check', script])).code).toBe(65);
  expect(await sieve(['check', '-c', config, script])).toEqual({ code: 0, out: '', err: '' });
  const { code, out } = await sieve(['run', '-q', '-c', config, script], MESSAGE);
  expect([code, out]).toEqual([0, '=> redirect to <bird@acme.example.com>\n']);
});
