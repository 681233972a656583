/** Programs of the administrator's: only those of their folders, and none that fails or hangs loses a message. */

import { afterEach, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runExternal } from '../../src/delivery/external.ts';
import { limits } from '../../src/limits.ts';
import type { ProgramCall } from '../../src/sieve/host.ts';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom;
let folder = '';

afterEach(async () => {
  await room.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A room whose scripts may use these programs for everything. */
function open(programs: Readonly<Record<string, string>>): void {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-programs-'));
  mkdirSync(join(folder, 'bin'));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  const bin = join(folder, 'bin');
  room = new PostRoom({ sieve_pipe_bin_dir: bin, sieve_filter_bin_dir: bin, sieve_execute_bin_dir: bin });
}

test('pipe: the program has the message and the envelope; nothing is kept', async () => {
  open({ learn: `cat > ${'$'}1; echo "$SENDER $RECIPIENT $USER" > $1.env` });
  await room.user('bert', `require ["vnd.dovecot.pipe"]; pipe "learn" "${join(folder, 'out')}";`);
  const text = letter();
  const [verdict] = await room.deliver(text, { to: ['bert@mail.example.org'] });
  expect(verdict?.actions).toEqual(['pipe learn']);
  expect(readFileSync(join(folder, 'out'), 'latin1')).toBe(text);
  expect(readFileSync(join(folder, 'out.env'), 'utf8')).toBe('anna@example.net bert@mail.example.org bert\n');
  expect(await room.messages('bert')).toEqual([]);
});

test('a program that fails, is not there or cannot be run: the message is kept, and the owner is told', async () => {
  open({ fails: 'exit 1' });
  writeFileSync(join(folder, 'bin/plain'), 'no program');
  for (const name of ['fails', 'none', 'plain']) {
    await room.user('bert', `require ["vnd.dovecot.pipe"]; pipe "${name}";`);
    const before = (await room.messages('bert'))?.length ?? 0;
    await room.deliver(letter());
    expect([name, (await room.messages('bert'))?.length]).toEqual([
      name,
      before + (name === 'fails' ? 2 : 1),
    ]);
  }
  expect((await room.messages('bert'))?.[1]).toContain('  pipe: program "fails": it ended with code 1');
});

test('with :try nobody is told', async () => {
  open({ fails: 'exit 1' });
  await room.user('bert', 'require ["vnd.dovecot.pipe"]; pipe :try "fails";');
  await room.deliver(letter());
  expect((await room.messages('bert'))?.length).toBe(1);
});

test('a program that hangs is ended with all it has started', async () => {
  open({ hangs: 'sleep 1000 & echo $$ > "$1"; wait' });
  const pidFile = join(folder, 'pid');
  const path = join(folder, 'bin');
  const call: ProgramCall = {
    kind: 'pipe',
    name: 'hangs',
    args: [pidFile],
    input: new Uint8Array(1 << 20),
    sender: '',
    recipient: 'bert',
    originalRecipient: 'bert',
  };
  const { failed } = await runExternal(call, { folder: path, eol: null, seconds: 0.5, env: {} });
  expect(failed).toBe('program "hangs": it took more than 0.5 seconds');
  const group = Number(readFileSync(pidFile, 'utf8'));
  expect(group).toBeGreaterThan(1);
  // What was killed is gone in a moment; what was not sleeps for longer than a test may take.
  while (running(group).length > 0) await Bun.sleep(5);
});

test('a program that writes without end is ended, also where it may take as long as it likes', async () => {
  open({ floods: `trap "" PIPE; sleep 1000 & while :; do head -c 1000000 /dev/zero 2>/dev/null; done` });
  const call: ProgramCall = {
    kind: 'filter',
    name: 'floods',
    args: [],
    input: new Uint8Array(0),
    sender: '',
    recipient: 'bert',
    originalRecipient: 'bert',
  };
  const { failed, output } = await runExternal(call, {
    folder: join(folder, 'bin'),
    eol: null,
    seconds: 0,
    env: {},
  });
  expect(failed).toBe(`program "floods": it wrote more than ${limits.sieve_program_output.value} octets`);
  expect(output.length).toBe(0);
});

test('the environment is that of the message and nothing else; there is no shell', async () => {
  open({ tells: 'env | cut -d= -f1 | sort | tr "\\n" " "; printf "%s" "$1"' });
  process.env.MAILSTORE_TEST_SECRET = 'secret';
  await room.user(
    'bert',
    `require ["vnd.dovecot.execute", "variables", "editheader"];
     execute :output "told" "tells" "$(id) \`id\` ;id|id";
     addheader "X-Told" "\${told}";`,
  );
  await room.deliver(letter());
  delete process.env.MAILSTORE_TEST_SECRET;
  const [text] = await room.messages('bert') ?? [];
  expect(/^X-Told: (.*)\r\n/.exec(text ?? '')?.[1]).toBe(
    'ORIG_RECIPIENT PATH PWD RECIPIENT SENDER USER $(id) `id` ;id|id',
  );
});

/** Processes of a group that have not ended. */
function running(group: number): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const [, state, , pgrp] = /\) (\S) (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      return Number(pgrp) === group && state !== 'Z';
    } catch {
      return false;
    }
  });
}

test('a name does not lead out of the folder', async () => {
  open({});
  writeFileSync(join(folder, 'outside'), `#!/bin/sh\ntouch ${join(folder, 'touched')}\n`, { mode: 0o755 });
  for (const name of ['../outside', '/bin/sh', '.', '..', '']) {
    await room.user('bert', `require ["vnd.dovecot.pipe", "variables"]; set "n" "${name}"; pipe "\${n}";`);
    await room.deliver(letter());
  }
  expect(existsSync(join(folder, 'touched'))).toBe(false);
});

test('filter changes what is kept, execute answers', async () => {
  open({ mark: 'echo "X-Marked: yes"; cat', ask: 'echo -n "blue"' });
  await room.user(
    'bert',
    'require ["vnd.dovecot.filter", "vnd.dovecot.execute", "variables", "editheader"]; filter "mark"; ' +
      'execute :output "color" "ask"; addheader "X-Color" "${color}";',
  );
  await room.deliver(letter());
  const [kept] = await room.messages('bert') ?? [];
  expect(kept).toStartWith('X-Color: blue\r\nX-Marked: yes');
});

test('without a folder there is no such extension', async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-programs-'));
  room = new PostRoom();
  await room.user('bert', 'require "vnd.dovecot.pipe"; pipe "x";');
  await room.deliver(letter());
  expect((await room.messages('bert'))?.[1]).toContain(
    'the extension "vnd.dovecot.pipe" is not allowed here',
  );
});

test('what a spam filter wrote is read as options say; headers the administrator protects stay', async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-programs-'));
  room = new PostRoom({
    sieve_spamtest_status_header: 'X-Spam-Status: score=(-?[0-9.]+)',
    sieve_spamtest_max: '10',
    sieve_virustest_status_header: 'X-Virus',
    sieve_virustest_texts: ['clean=1', 'infected=5'],
    sieve_editheader_forbid_delete: ['X-Spam-Status'],
  });
  await room.user(
    'bert',
    'require ["spamtest", "virustest", "relational", "comparator-i;ascii-numeric", "editheader"]; ' +
      'deleteheader "X-Spam-Status"; ' +
      'if spamtest :value "ge" :comparator "i;ascii-numeric" "8" { discard; } ' +
      'elsif virustest :value "eq" :comparator "i;ascii-numeric" "5" { discard; }',
  );
  await room.deliver(letter('X-Spam-Status: Yes, score=9.1\r\n'));
  await room.deliver(letter('X-Virus: infected\r\n'));
  await room.deliver(letter('X-Spam-Status: No, score=0.1\r\nX-Virus: clean\r\n'));
  expect((await room.messages('bert'))?.length).toBe(1);
});

test("slow programs of one user hold up nobody else's", async () => {
  // Each says that it runs, and goes on once it may.
  open({
    slow: `echo x > $1.$$; while [ ! -e $1.go ]; do sleep 0.02; done; cat > /dev/null`,
    quick: 'cat > /dev/null',
  });
  await room.user('bert', `require ["vnd.dovecot.pipe"]; pipe "slow" "${join(folder, 'run')}";`);
  await room.user('cleo', 'require ["vnd.dovecot.pipe"]; pipe "quick";');
  const running = () => readdirSync(folder).filter((name) => /^run\.\d+$/.test(name)).length;
  const most = limits.delivery_programs_user.value;
  const slow = Array.from(
    { length: limits.delivery_programs_running.value + 2 },
    () => room.deliver(letter()),
  );
  while (running() < most) await new Promise((resolve) => setTimeout(resolve, 5));
  const [verdict] = await room.deliver(letter(), { to: ['cleo'] });
  expect(verdict?.actions).toEqual(['pipe quick']);
  expect(running()).toBe(most);
  writeFileSync(join(folder, 'run.go'), '');
  for (const [each] of await Promise.all(slow)) expect(each?.actions).toEqual(['pipe slow']);
  expect(running()).toBe(slow.length);
});
