/**
 * Every command that touches a mailbox against the rights on it (RFC 4314 §4): refused when the one right it needs is
 * missing, done when nothing but the needed ones is there, and for a stranger exactly what a name gets that nobody has.
 */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { StoreSession } from '../../src/store/border.ts';
import { ModelClient } from './client.ts';
import { ImapServer } from './imapserver.ts';

const ALL = 'lrswipkxtea';
const MESSAGE = 'Subject: x\r\n\r\ny\r\n';

interface Case {
  /** With `$` for the mailbox's name. */
  readonly command: string;
  readonly literal?: string;
  /** Rights it needs beside `l`; the first of them is the one taken away. */
  readonly needs: string;
  /** SELECT the mailbox first; needs `r`. */
  readonly select?: boolean;
}

const CASES: readonly Case[] = [
  { command: 'SELECT $', needs: 'r' },
  { command: 'EXAMINE $', needs: 'r' },
  { command: 'STATUS $ (MESSAGES)', needs: 'r' },
  { command: 'GETQUOTAROOT $', needs: 'r' },
  { command: 'MYRIGHTS $', needs: '' },
  { command: 'APPEND $', literal: MESSAGE, needs: 'i' },
  { command: 'CREATE $/Below', needs: 'k' },
  { command: 'DELETE $', needs: 'x' },
  { command: 'GETACL $', needs: 'a' },
  { command: 'SETACL $ fred lr', needs: 'a' },
  { command: 'DELETEACL $ fred', needs: 'a' },
  { command: 'LISTRIGHTS $ fred', needs: 'a' },
  { command: 'STORE 1 +FLAGS (\\Seen)', needs: 's', select: true },
  { command: 'STORE 1 +FLAGS (\\Flagged)', needs: 'w', select: true },
  { command: 'STORE 1 +FLAGS (\\Deleted)', needs: 't', select: true },
  { command: 'EXPUNGE', needs: 'e', select: true },
  { command: 'UID EXPUNGE 1', needs: 'e', select: true },
  { command: 'MOVE 1 INBOX', needs: 'te', select: true },
];

let server: ImapServer;
let owner: StoreSession;
let serial = 0;

beforeAll(async () => {
  server = await ImapServer.open();
  owner = await server.session('django');
  await server.session('eve');
});

afterAll(() => server.close());

/** A fresh mailbox of django's with one message, on which eve has these rights; its name for eve. */
async function shared(rights: string): Promise<string> {
  const path = `Box${++serial}`;
  await owner.create({ owner: 'django', path });
  await server.append(owner, path, MESSAGE);
  if (rights !== '') await owner.setAcl({ owner: 'django', path }, 'eve', rights);
  return `user/django/${path}`;
}

async function eve(): Promise<ModelClient> {
  const client = new ModelClient(server.connect());
  await client.greeting();
  await client.command('LOGIN eve secret');
  return client;
}

/** What eve is answered, without the name. */
async function answer(name: string, { command, literal, select }: Case): Promise<string> {
  const client = await eve();
  if (select === true) {
    const { result } = await client.command(`SELECT ${name}`);
    if (!result.startsWith('OK')) return result;
  }
  const { result } = await client.command(command.replaceAll('$', name), literal);
  client.connection.hangUp();
  return result.replaceAll(name, '$');
}

for (const each of CASES) {
  const { command, needs, select } = each;
  const base = select === true ? 'lr' : 'l';

  test(`${command} needs ${needs === '' ? 'no right but l' : needs}`, async () => {
    expect(await answer(await shared(base + needs), each)).toMatch(/^OK/);
    for (const right of needs) {
      const without = [...ALL].filter((other) => other !== right).join('');
      expect(await answer(await shared(without), each)).toMatch(/^NO \[NOPERM\]/);
    }
  });

  test(`${command} tells a stranger what it tells of a mailbox that does not exist`, async () => {
    const nothing = await answer('user/django/Nothing', each);
    expect(nothing).toMatch(/^NO \[(?:NONEXISTENT|TRYCREATE|NOPERM)\]/);
    expect(await answer(await shared(''), each)).toBe(nothing);
    // RFC 4314 §6: these do not say that the mailbox is there.
    expect(await answer(await shared('swtep'), each)).toBe(nothing);
  });
}

test('without s a message is read and stays unseen, without e CLOSE expunges nothing', async () => {
  const name = await shared('lrwt');
  const client = await eve();
  await client.command(`SELECT ${name}`);
  expect((await client.command('FETCH 1 (BODY[] FLAGS)')).result).toMatch(/^OK/);
  await client.command('STORE 1 +FLAGS (\\Deleted)');
  expect((await client.command('CLOSE')).result).toMatch(/^OK/);
  const { untagged } = await client.command(`STATUS ${name} (MESSAGES UNSEEN DELETED)`);
  expect(untagged.at(-1)).toContain('(MESSAGES 1 UNSEEN 1 DELETED 1)');
});
