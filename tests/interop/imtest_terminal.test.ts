/** imtest at a terminal, as the how-to shows it: the password asked for behind the challenge, not shown; then typed commands. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';

const PATIENCE_MS = 20_000;

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({
    users: [],
    config: { auth: { sasl_mech_list: '["DIGEST-MD5", "CRAM-MD5"]' } },
  });
  store.addUser('django');
});
afterAll(() => store.dispose());

/** A person: waits for a text, then types. */
async function session(command: string, ...steps: readonly (readonly [RegExp, string])[]): Promise<string> {
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [...steps];
  let [said, seen] = ['', 0];
  terminal.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    const [next] = waiting;
    const match = next?.[0].exec(said.slice(seen));
    if (next === undefined || match === null || match === undefined) return;
    seen += match.index + match[0].length;
    waiting.shift();
    terminal.stdin.write(next[1]);
  });
  const timer = setTimeout(() => terminal.kill('SIGKILL'), PATIENCE_MS);
  const code = await new Promise((resolve) => terminal.on('close', resolve));
  clearTimeout(timer);
  return `${said.replace(/\r+\n/g, '\n')}exit ${code}`;
}

/** The command line under the name of imtest itself. */
function imtest(...args: string[]): string {
  const bin = join(store.dir, 'bin');
  mkdirSync(bin, { recursive: true });
  const [program = '', ...before] = mailstoreCommand();
  const link = join(bin, 'imtest');
  try {
    if (before.length === 0) symlinkSync(program, link);
    else {writeFileSync(link, `#!/bin/sh\nexec '${program}' ${before.join(' ')} imtest "$@"\n`, {
        mode: 0o755,
      });}
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
  }
  return [link, '-p', String(store.ports.imap), '-a', 'django', ...args, 'localhost'].join(' ');
}

test('the dialogue of the how-to', async () => {
  const said = await session(
    imtest('-m', 'DIGEST-MD5'),
    [/Please enter your password: /, `${PASSWORD}\n`],
    [/S: C01 OK Completed/, '01 STATUS INBOX (MESSAGES)\n'],
    [/\n01 OK /, '02 LOGOUT\n'],
  );
  expect(said).toMatch(
    /\nC: A01 AUTHENTICATE DIGEST-MD5\nS: \+ \S+\nPlease enter your password: \nC: \S+\nS: \+ \S+\nC: \nS: A01 OK Success \(privacy protection\)\nAuthenticated\.\nSecurity strength factor: 128\nC: C01 CAPABILITY\n/,
  );
  expect(said).not.toContain(PASSWORD);
  expect(said).toContain('\n* STATUS INBOX (MESSAGES 0)\n');
  expect(said).toMatch(/\n\* BYE .*\n02 OK .*\nConnection closed\.\nexit 0$/);
});

test('a wrong password leaves the person where commands can be tried; Ctrl-C at the question gives up', async () => {
  const wrong = await session(
    imtest('-m', 'CRAM-MD5'),
    [/Please enter your password: /, 'wrong\n'],
    [/Security strength factor: 0/, '01 NOOP\n'],
    [/\n01 OK /, '02 LOGOUT\n'],
  );
  expect(wrong).toContain('\nAuthentication failed. NO [AUTHENTICATIONFAILED]');
  expect(wrong).toMatch(/\n02 OK .*\nConnection closed\.\nexit 77$/);
  const given = await session(
    imtest('-m', 'CRAM-MD5'),
    [/Please enter your password: /, '\x03'],
    [/Security strength factor: 0/, '02 LOGOUT\n'],
  );
  expect(given).toContain('C: *\nS: A01 BAD ');
  expect(given).toMatch(/exit 65$/);
});
