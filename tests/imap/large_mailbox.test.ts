/** A mailbox with more messages than one slice of any command: all are changed, told of and gone, each once. */

import { expect, test } from 'bun:test';
import { ModelClient } from './client.ts';
import { ImapServer } from './imapserver.ts';

/** Appended; the rest are copies of these. */
const APPENDED = 1300;
const COUNT = APPENDED * 16;
const MESSAGE = 'Subject: x\r\n\r\ny\r\n';

test(`STORE, FETCH, SEARCH, MOVE and EXPUNGE of ${COUNT} messages, while another session listens`, async () => {
  const server = await ImapServer.open();
  try {
    const owner = await server.session('django');
    await owner.create({ owner: 'django', path: 'Other' });
    await Promise.all(Array.from({ length: APPENDED }, () => server.append(owner, '', MESSAGE)));
    const [actor, listener] = [new ModelClient(server.connect()), new ModelClient(server.connect())];
    for (const client of [actor, listener]) {
      await client.greeting();
      await client.command('LOGIN django secret');
      await client.command('SELECT INBOX');
    }
    for (let count = APPENDED; count < COUNT; count *= 2) await actor.command('COPY 1:* INBOX');
    await listener.command('NOOP');
    for (const client of [actor, listener]) expect(client.messages).toHaveLength(COUNT);
    const { untagged } = await actor.command('UID STORE 1:* +FLAGS (\\Deleted)');
    expect(untagged).toHaveLength(COUNT);
    await actor.command(`UID STORE ${COUNT / 2}:* -FLAGS.SILENT (\\Deleted)`);
    await actor.command('FETCH 1:* (UID FLAGS)');
    expect(actor.messages.filter(({ flags }) => flags === '\\Deleted')).toHaveLength(COUNT / 2 - 1);
    expect((await actor.command('SEARCH RETURN (COUNT) UNDELETED')).untagged[0]).toMatch(
      new RegExp(`COUNT ${COUNT / 2 + 1}$`),
    );

    await actor.command('EXPUNGE');
    expect(actor.messages.map(({ uid }) => uid)).toEqual(
      Array.from({ length: COUNT / 2 + 1 }, (_, i) => COUNT / 2 + i),
    );
    // Into the mailbox itself: new messages in place of the old ones.
    await actor.command('MOVE 1:10 INBOX');
    expect(actor.messages).toHaveLength(COUNT / 2 + 1);
    expect(actor.messages[0]?.uid).toBe(COUNT / 2 + 10);
    await actor.command('UID MOVE 1:* INBOX/Other');
    expect(actor.messages).toHaveLength(0);
    await listener.command('NOOP');
    expect(listener.messages).toHaveLength(0);
  } finally {
    await server.close();
  }
});
