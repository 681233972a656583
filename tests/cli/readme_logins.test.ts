/** The README's section on seeing that logins work: each of its commands runs, with the test's place in for its own. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAMS } from '../../src/cli/imtest/programs.ts';
import { type Finished, run } from '../harness/command.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';

const readme = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8');
const section = /^## See that logins work\n([^]*?)^## /m.exec(readme)?.[1] ?? '';
const commands = [...section.matchAll(/^ {4}(.+)$/gm)].map(([, command = '']) => command);

let store: TestStore;
let bin: string;
beforeAll(async () => {
  store = await TestStore.start({
    users: [],
    config: {
      auth: {
        allowplaintext: 'false',
        sasl_mech_list: '["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"]',
      },
    },
  });
  store.addUser('django');
  bin = join(store.dir, 'bin');
  mkdirSync(bin);
  const program = mailstoreCommand().map((word) => `'${word}'`).join(' ');
  const script = (name: string, text: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  // The README's commands find the configuration in its usual place, and servers on their usual ports.
  script(
    'mailstore',
    `command=$1; shift; first=$1; [ "$command" = config ] && shift || first=
exec ${program} "$command" $first --config '${store.configFile}' "$@"`,
  );
  const { imap, imaps, pop3 } = store.ports;
  for (const name of Object.keys(PROGRAMS)) {
    const port = name === 'pop3test' ? `-p ${pop3}` : `-p ${imap}`;
    script(
      name,
      `port="${port}"
for word; do case $word in -s) port="-p ${imaps}" ;; /*) port= ;; esac; done
exec ${program} ${name} $port "$@"`,
    );
  }
});
afterAll(() => store.dispose());

/** Runs a line of the README in a shell; passwords come from standard input. */
function shell(command: string, input: string): Promise<Finished> {
  const here = command.replaceAll('imap.example.org', 'localhost')
    .replaceAll('/var/lib/mailstore/socket/lmtp', store.lmtpSocket);
  return run('/bin/sh', ['-c', here], {
    input,
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, PASSWORD },
  });
}

test('there are commands', () => {
  expect(commands.length).toBeGreaterThan(8);
});

for (const command of commands) {
  test(command, async () => {
    const done = await shell(command, command.startsWith('mailstore') ? '' : `${PASSWORD}\n`);
    if (command.startsWith('mailstore config')) {
      expect(done.stdout).toContain(
        'imap, pop3, lmtp, sieve: login by SCRAM-SHA-256 DIGEST-MD5 CRAM-MD5; after STARTTLS also by SCRAM-SHA-256-PLUS PLAIN LOGIN\n',
      );
    } else if (command.startsWith('mailstore')) {
      expect(done.stdout).toMatch(/^Installed /);
    } else if (command.startsWith('lmtptest')) {
      expect(done.stdout).toMatch(/^S: 220 .*\nC: LHLO lmtptest\n[^]*\nThe server asks for no login\.\n/);
    } else expect(done.stdout).toMatch(/^Authenticated\.$/m);
    // The test's certificate is for another name, and for a month.
    const said = done.stderr.split('\n').filter((line) => !line.startsWith(`${store.certificate}: `)).join(
      '\n',
    );
    expect([said, done.code]).toEqual(['', 0]);
  });
}

test('the exit codes it names', async () => {
  const script = commands.find((command) => command.includes('$PASSWORD')) ?? '';
  expect((await shell(`PASSWORD=wrong; ${script}`, '')).code).toBe(77);
  expect((await shell('imtest -p 1 -w x -a django localhost', '')).code).toBe(64); // -p twice: the script's own
});
