/** The commands that Cyrus gave names: sievec, sieved, masssievec, translatesieve. */

import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../../src/cli/command.ts';
import { masssievecCommand } from '../../src/cli/masssievec.ts';
import { sievecCommand } from '../../src/cli/sievec.ts';
import { sievedCommand } from '../../src/cli/sieved.ts';
import { translatesieveCommand } from '../../src/cli/translatesieve.ts';

const folder = mkdtempSync(join(tmpdir(), 'sievenames-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function run(command: Command, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await command.run(args, {
    stdin: new Blob([]).stream(),
    stdout: (text) => out += typeof text === 'string' ? text : Buffer.from(text).toString(),
    stderr: (text) => err += text,
    env: {},
  });
  return { code, out, err };
}

test('sievec writes the program, sieved shows it', async () => {
  const script = file('a.sieve', 'if true { keep; }');
  const output = join(folder, 'a.bc');
  expect(await run(sievecCommand, script, output)).toEqual({ code: 0, out: '', err: '' });
  const listing = readFileSync(output, 'utf8');
  expect(listing).toContain('keep');
  expect((await run(sievedCommand, output)).out).toBe(listing);
  expect((await run(sievedCommand, script)).out).toBe(listing);
  const wrong = await run(sievecCommand, file('wrong.sieve', 'frop;'), output);
  expect([wrong.code, wrong.err]).toEqual([
    65,
    `${join(folder, 'wrong.sieve')}:1:1: error: unknown command "frop"\n`,
  ]);
  expect((await run(sievecCommand, join(folder, 'none'), output)).code).toBe(66);
  expect((await run(sievecCommand, script, join(folder, 'none', 'a'))).code).toBe(73);
});

test('masssievec checks a whole sievedir', async () => {
  file('sieve/d/django/good.script', 'keep;');
  const bad = file('sieve/m/mary/bad.script', 'keep');
  const { code, out } = await run(masssievecCommand, join(folder, 'sieve'));
  expect(code).toBe(65);
  expect(out).toStartWith(`${bad}:1:5: error:`);
  expect(out).toEndWith('2 scripts, 1 with errors\n');
});

test('translatesieve changes names of mailboxes and nothing else', async () => {
  const text =
    'require "fileinto"; # INBOX.a\r\nif true {\n  fileinto  "INBOX.ärger.b";/* x */ fileinto "user.ann";\n}\n' +
    'fileinto "a/b.c"; fileinto "INBOX"; fileinto "INBOX.${x}";\n';
  const path = file('names.sieve', text);
  const changed = text.replace('"INBOX.ärger.b"', '"ärger/b"').replace('"user.ann"', '"user/ann"');
  expect((await run(translatesieveCommand, path)).out).toBe(changed);
  expect(readFileSync(path, 'utf8')).toBe(text);
  expect((await run(translatesieveCommand, '-f', path)).out).toBe(`${path}: 2 names changed\n`);
  expect(readFileSync(path, 'utf8')).toBe(changed);
  expect((await run(translatesieveCommand, file('broken.sieve', 'keep'))).code).toBe(65);
});
