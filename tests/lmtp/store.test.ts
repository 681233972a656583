/** LMTP over the store itself, in this process. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSettings } from '../../src/config/settings.ts';
import type { Store } from '../../src/store/border.ts';
import { openStore } from '../../src/store/open.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { MemoryConnection } from '../imap/memory_connection.ts';
import { lmtpFor } from './peer.ts';

let folder: string;
let store: Store;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-lmtp-'));
  const settings = makeSettings({
    configdirectory: join(folder, 'state'),
    partition: { default: join(folder, 'spool') },
    createonpost: true,
    autocreatequota: -1,
  });
  store = await openStore(settings, silentLog, 'direct');
});

afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** Everything the server answers to a session that was sent at once and ends with QUIT. */
async function session(bytes: string): Promise<string[]> {
  const { protocol, service } = lmtpFor({ store });
  const peer = new MemoryConnection();
  protocol.accept(peer, service);
  for (let at = 0; at < bytes.length; at += 65536) peer.send(bytes.slice(at, at + 65536));
  const lines: string[] = [];
  for (let line = await peer.line(); line !== null; line = await peer.line()) {
    if (line[3] === ' ') lines.push(line);
  }
  return lines;
}

const envelope = (...recipients: string[]): string =>
  `LHLO x\r\nMAIL FROM:<a@b.example>\r\n${recipients.map((to) => `RCPT TO:<${to}>\r\n`).join('')}`;

/** The newest message of a user's INBOX, and how many there are. */
async function newest(userid: string): Promise<{ count: number; bytes: string }> {
  const reader = store.session({ userid, admin: false, groups: [] });
  const mailbox = await reader.select({ owner: userid, path: '' }, true, () => {});
  const uids = mailbox.uids();
  const [row] = mailbox.narrow(uids, mailbox.snapshot.uidnext - 2, 1);
  if (row === undefined) throw new Error(`${userid} has no mail`);
  const content = mailbox.content(row);
  const bytes = Buffer.from(content.read(0, content.size)).toString('latin1');
  content.close();
  mailbox.close();
  return { count: uids.size, bytes };
}

test('a message is in the mailboxes of its recipients when it is acknowledged, byte for byte', async () => {
  const message = 'Message-ID: <1@x>\r\nSubject: \xe4\r\n\r\n.\r\n..\r\nbare\nlf\r\n';
  const stuffed = message.replace(/\r\n\./g, '\r\n..');
  const answers = await session(`${envelope('django', 'inge', 'DJANGO')}DATA\r\n${stuffed}.\r\nQUIT\r\n`);
  expect(answers.slice(-4).map((line) => line.slice(0, 9))).toEqual([
    ...Array(3).fill('250 2.1.5'),
    '221 2.0.0',
  ]);
  for (const user of ['django', 'inge']) {
    const { count, bytes } = await newest(user);
    expect(count).toBe(1);
    expect(bytes).toEndWith(`\r\n${message}`);
    expect(bytes).toStartWith('Return-Path: <a@b.example>\r\nReceived: from x ([127.0.0.1])\r\n');
  }
});

test('the same message again is acknowledged and not stored twice', async () => {
  const again = `${envelope('django')}DATA\r\nMessage-ID: <again@x>\r\n\r\nbody\r\n.\r\nQUIT\r\n`;
  const before = (await newest('django')).count;
  expect((await session(again)).at(-2)).toStartWith('250 2.1.5');
  expect((await session(again)).at(-2)).toStartWith('250 2.1.5');
  expect((await newest('django')).count).toBe(before + 1);
});

test('fifty deliveries at once to one mailbox', async () => {
  const before = (await newest('inge')).count;
  const sessions = Array.from(
    { length: 50 },
    (_, index) =>
      session(`${envelope('inge')}DATA\r\nMessage-ID: <${index}@many>\r\n\r\n${index}\r\n.\r\nQUIT\r\n`),
  );
  for (const answers of await Promise.all(sessions)) expect(answers.at(-2)).toStartWith('250 2.1.5');
  expect((await newest('inge')).count).toBe(before + 50);
});

test('a large message by BDAT', async () => {
  const body = `${'large '.repeat(12)}\r\n`.repeat(20_000);
  const message = `Message-ID: <large@x>\r\n\r\n${body}`;
  const half = message.length >> 1;
  const chunks = `BDAT ${half}\r\n${message.slice(0, half)}BDAT ${message.length - half} LAST\r\n${
    message.slice(half)
  }`;
  expect((await session(`${envelope('django')}${chunks}QUIT\r\n`)).at(-2)).toStartWith('250 2.1.5');
  expect((await newest('django')).bytes.endsWith(`\r\n${message}`)).toBe(true);
});
