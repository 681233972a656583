/** The dialogues of tests/transcripts/lmtp, line by line: `*` stands for any text, nothing may be left over. */

import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Peer } from './peer.ts';

const FOLDER = join(import.meta.dir, '../transcripts/lmtp');

/** Plays the client's lines and compares the server's; answers the peer for a look at what became of it. */
async function play(name: string): Promise<Peer> {
  const peer = new Peer({ canStartTls: true });
  const seen: string[] = [];
  for (const line of readFileSync(join(FOLDER, name), 'utf8').split('\n')) {
    const text = line.slice(3);
    if (line.startsWith('C:')) {
      expect(`${seen.join('\n')}\n${peer.connection.unread}`).toBe(`${seen.join('\n')}\n`);
      seen.push(`C: ${text}`);
      peer.send(`${text}\r\n`);
    } else if (line.startsWith('S:')) {
      let answer = await peer.connection.line();
      // `250-*` stands for all lines of an answer but the last.
      while (text === '250-*' && peer.connection.unread.startsWith('250-')) {
        answer = await peer.connection.line();
      }
      seen.push(`S: ${answer}`);
      const pattern = new RegExp(`^${text.split('*').map(RegExp.escape).join('.*')}$`);
      expect(`${seen.join('\n')} ${pattern.test(answer ?? '')}`).toBe(`${seen.join('\n')} true`);
    }
  }
  expect(await peer.connection.line()).toBeNull();
  return peer;
}

test.each(readdirSync(FOLDER).map((name) => [name] as const))('%s', async (name) => {
  await play(name);
});

test('what the how-to delivers is stored as it was sent, with the lines in front', async () => {
  const { delivered } = (await play('howto.txt')).store;
  expect(delivered).toHaveLength(1);
  const bytes = delivered[0]?.bytes.replace(/id [a-z0-9.]+;\r\n\t[^\r]+/, 'id Q; DATE').replace(
    /lmtp-[a-z0-9.]+@/,
    'Q@',
  );
  expect(bytes).toBe([
    'Return-Path: <michael@nausch.org>',
    'Received: from vml000080.dmz.nausch.org ([127.0.0.1])',
    '\tby imap.nausch.org with LMTP id Q; DATE',
    'X-Sieve: CMU Sieve 2.3',
    'Message-ID: <Q@imap.nausch.org>',
    'From: michael@nausch.org',
    'To: Django@nausch.org',
    'Subj: Testmail',
    'Date: 2012-02-20 17:15',
    '',
    'Ahoi,',
    'das ist eine Testmail, eingeliefert via telnet imap-server auf Port 24',
    '',
  ].join('\r\n'));
});

test('three recipients that are two mailboxes get two copies in one change of the store', async () => {
  const { store } = await play('rfc2033.txt');
  expect(store.delivered.map(({ user }) => user)).toEqual(['django', 'inge']);
  expect(store.calls).toEqual([{ targets: 2, ignoreQuota: false }]);
});

test("postmaster's mail goes where the option says", async () => {
  expect((await play('postmaster.txt')).store.delivered.map(({ user }) => user)).toEqual(['postmaster']);
});
