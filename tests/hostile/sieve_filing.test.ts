/** Row 57 and its neighbours: wherever a script wants a message, it is in a mailbox of the owner's, and in nobody else's. */

import { afterEach, expect, test } from 'bun:test';
import { letter, PostRoom } from '../delivery/postroom.ts';

let room: PostRoom;

afterEach(async () => {
  await room.close();
});

/** How many messages a user has in all mailboxes. */
async function everywhere(userid: string): Promise<number> {
  let count = 0;
  for (const { name } of room.test.as(userid).list()) {
    if (name.owner === userid) count += (await room.messages(userid, name.path))?.length ?? 0;
  }
  return count;
}

const NAMES = [
  'x'.repeat(200),
  'x'.repeat(5_000),
  'a/'.repeat(20) + 'b',
  'a/'.repeat(500) + 'b',
  'INBOX/' + 'é'.repeat(2_000),
  '/',
  '//',
  'INBOX/',
  'INBOX//x',
  '/etc/passwd',
  '../../cleo',
  'INBOX/../cleo',
  '.',
  '..',
  '%',
  '*',
  'INBOX/%',
  '&',
  '&-',
  '&AAA-',
  '&2AA-',
  '~cleo',
  '#shared',
  '@',
  'user/cleo',
  'user/cleo/Made',
  'Other Users/cleo',
  'Other Users/cleo/Made',
  'Shared Folders/Made',
  'user.cleo',
  '\u202eXOBNI',
  'INBOX\u0000',
  'a\tb',
  'a\\\\b',
  '😀'.repeat(100),
  '\ufeffINBOX',
  'DELETED/user/bert',
];

test(
  'names of any kind: with :create and without, the message is kept once, and nothing is made in the name of others',
  async () => {
    room = new PostRoom({ duplicatesuppression: false });
    await room.user('cleo');
    await room.user('bert');
    let expected = 0;
    for (const name of NAMES) {
      for (const create of ['', ':create ']) {
        const script = `require ["fileinto", "mailbox", "imap4flags"];
        fileinto ${create}:flags ["\\\\Recent", "${'k'.repeat(300)}", "a b", "\\\\Nonsense"] "${name}";`;
        await room.user('bert', script);
        const [verdict] = await room.deliver(letter());
        expect([name, create, verdict?.error]).toEqual([name, create, undefined]);
        expected++;
        const notices = (await room.messages('bert'))?.filter((text) =>
          text.includes('Error in your Sieve script')
        )
          .length ?? 0;
        expect([name, create, await everywhere('bert') - notices]).toEqual([name, create, expected]);
      }
    }
    expect(
      room.test.as('cleo').list().filter(({ name }) => name.owner === 'cleo').map(({ name }) => name.path),
    ).toEqual(['']);
    expect(await everywhere('cleo')).toBe(0);
    expect(room.test.admin.list().filter(({ name }) => name.owner === '').length).toBe(0);
  },
  120_000,
);

test('a quota that is full for one of two copies keeps none of them, and says so', async () => {
  room = new PostRoom();
  await room.user('bert', 'require ["fileinto"]; fileinto "INBOX/Full"; keep;');
  await room.test.as('bert').create({ owner: 'bert', path: 'Full' });
  await room.test.admin.setQuota({ owner: 'bert', path: 'Full' }, { storage: 10, messages: null });
  const [verdict] = await room.deliver(letter());
  expect(verdict?.error).toMatchObject({ code: 'overquota' });
  expect(await everywhere('bert')).toBe(0);
});
