/** What `mailstore export` writes is read with Python's own readers of Maildir and mbox. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { succeed } from '../harness/command.ts';
import { type StoreOptions, TestStore } from '../harness/server.ts';

const OPTIONS: StoreOptions = { users: ['anna', 'bert'], config: { mailbox: { createonpost: 'false' } } };
const TRAP =
  'From: a@example.org\r\nSubject: lines\r\n\r\nFrom here\r\n>From there\r\n>>From both\r\n.\r\n\r\nend\r\n';
const BINARY = Buffer.concat([
  Buffer.from('Subject: bytes\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'),
  Buffer.from(Array.from({ length: 255 }, (_, at) => at + 1)).filter((byte) => byte !== 13 && byte !== 10),
  Buffer.from('\r\n'),
]);
const MAILBOXES = ['INBOX', 'Work', 'Work/Gr&APwA3w-e'];

let store: TestStore;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mailstore-export-'));
  store = await TestStore.start(OPTIONS);
  const client = await store.login('anna');
  for (const name of MAILBOXES.slice(1)) await client.ok(`CREATE "${name}"`);
  const append = (name: string, flags: string, bytes: Buffer) =>
    client.ok(`APPEND "${name}" (${flags}) "20-Feb-2012 18:28:19 +0100"`, bytes);
  await append('INBOX', '\\Seen \\Flagged', Buffer.from(TRAP));
  await append('INBOX', '', BINARY);
  await append('Work', '\\Answered $Forwarded', Buffer.from(TRAP));
  await append('Work/Gr&APwA3w-e', '\\Draft \\Deleted', Buffer.from('\r\n'));
  await client.logout();
});

afterAll(async () => {
  await store?.dispose();
  rmSync(dir, { recursive: true, force: true });
});

/** What a reader in Python prints, as JSON. */
async function python(lines: readonly string[], ...args: readonly string[]): Promise<unknown> {
  const file = join(dir, 'read.py');
  writeFileSync(file, ['import sys, json, mailbox, base64', ...lines].join('\n'));
  return JSON.parse((await succeed('python3', [file, ...args])).stdout);
}

const base64 = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64');

test('Maildir++: bytes, flags and dates; UIDs as Dovecot keeps them', async () => {
  const target = join(dir, 'maildir');
  const ended = store.tool(['export', '--maildir', target, 'anna']);
  expect(ended.stderr).toBe('');
  expect(ended.stdout).toStartWith('4 messages of ');
  const found = await python([
    'out = {}',
    'def look(name, box):',
    '  out[name] = sorted([base64.b64encode(box.get_bytes(key)).decode(), m.get_flags(), m.get_date()]',
    '    for key, m in box.iteritems())',
    'root = mailbox.Maildir(sys.argv[1], create=False)',
    'look("", root)',
    'for name in root.list_folders(): look(name, root.get_folder(name))',
    'print(json.dumps(out))',
  ], target);
  const when = Date.UTC(2012, 1, 20, 17, 28, 19) / 1000;
  expect(found).toEqual({
    '': [[base64(TRAP), 'FS', when], [base64(BINARY), '', when]].sort(),
    'Work': [[base64(TRAP), 'Ra', when]],
    'Work.Gr&APwA3w-e': [[base64('\r\n'), 'DT', when]],
  });
  const [head = '', ...lines] = readFileSync(join(target, 'dovecot-uidlist'), 'latin1').trimEnd().split('\n');
  expect(head).toMatch(/^3 V[1-9]\d* N3 G[0-9a-f]{32}$/);
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['1', '2']);
  for (const line of lines) {
    const name = line.slice(line.indexOf(':') + 1);
    expect(['', 'FS'].some((flags) => existsSync(join(target, 'cur', `${name}:2,${flags}`)))).toBe(true);
  }
  expect(readFileSync(join(target, '.Work/dovecot-keywords'), 'latin1')).toBe('0 $Forwarded\n');
});

test('mbox: lines that begin with From come back', async () => {
  const target = join(dir, 'mbox');
  const ended = store.tool(['export', '--mbox', target, 'anna', 'user/anna', 'user/anna/Work']);
  expect(ended.stderr).toBe('');
  const found = await python([
    'import re',
    'out = {}',
    'for name in ["INBOX", "Work"]:',
    '  out[name] = [[base64.b64encode(re.sub(rb"(?m)^>(>*From )", rb"\\1", m.get_payload(decode=False).encode("utf8", ' +
    '"surrogateescape"))).decode(), m.get_flags()] for m in mailbox.mbox(sys.argv[1] + "/" + name, create=False)]',
    'print(json.dumps(out))',
  ], target) as Record<string, [string, string][]>;
  const body = TRAP.slice(TRAP.indexOf('\r\n\r\n') + 4).replaceAll('\r\n', '\n');
  expect(found['INBOX']?.map(([, flags]) => flags)).toEqual(['ROF', 'O']);
  expect(found['INBOX']?.[0]?.[0]).toBe(base64(body));
  expect(found['Work']).toEqual([[base64(body), 'OA']]);
});

test("what is there already is never written over, nobody else's mailbox is written", () => {
  const target = join(dir, 'twice');
  expect(store.tool(['export', '--maildir', target, 'anna', 'user/anna']).code).toBe(0);
  const again = store.tool(['export', '--maildir', target, 'anna', 'user/anna']);
  expect(again.code).not.toBe(0);
  expect(again.stderr).toContain(`${target} is there already`);
  const foreign = store.tool(['export', '--mbox', join(dir, 'foreign'), 'bert', 'user/anna']);
  expect(foreign.code).not.toBe(0);
  expect(foreign.stderr).toContain('not a mailbox of bert');
  const nobody = store.tool(['export', '--mbox', join(dir, 'nobody'), 'carl']);
  expect(nobody.code).not.toBe(0);
  expect(existsSync(join(dir, 'foreign'))).toBe(false);
});
