/** Many recipients with scripts that make much of a large message: what is at work at once is bounded, by number and by size. */

import { afterEach, expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import type { Mailer } from '../../src/outgoing/envelope.ts';
import { letter, PostRoom } from '../delivery/postroom.ts';

let room: PostRoom;

afterEach(async () => {
  await room.close();
});

/** Takes everything, counts how much is being sent at once, and lets others start meanwhile. */
class CountingMailer implements Mailer {
  most = 0;
  sent = 0;
  #now = 0;

  async send(...[envelope, message]: Parameters<Mailer['send']>): ReturnType<Mailer['send']> {
    this.#now++;
    this.most = Math.max(this.most, this.#now);
    for (const _ of message.chunks());
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.#now--;
    this.sent++;
    return envelope.recipients.map(({ address }) => ({ address, kind: 'sent', status: '', text: '' }));
  }
}

test('scripts at work at once: so many, and fewer the larger the message is', async () => {
  const mailer = new CountingMailer();
  room = new PostRoom({}, {}, mailer);
  const to = Array.from({ length: 50 }, (_, at) => `u${at}`);
  for (const user of to) {
    await room.user(user, `require "editheader"; addheader "X-A" "b"; redirect "${user}@x.example";`);
  }
  await room.deliver(letter(), { to });
  expect([mailer.sent, mailer.most]).toEqual([50, limits.delivery_scripts.value]);
  mailer.most = mailer.sent = 0;
  const size = limits.delivery_edited.value / 4;
  await room.deliver(letter('', `${'x'.repeat(78)}\r\n`.repeat(size / 80)), { to });
  expect(mailer.sent).toBe(50);
  expect(mailer.most).toBeLessThanOrEqual(4);
});

test('a message of ten megabytes for ten recipients who all change it: each has its own, to the byte', async () => {
  room = new PostRoom();
  const to = Array.from({ length: 10 }, (_, at) => `u${at}`);
  for (const user of to) {
    await room.user(
      user,
      `require ["body", "editheader", "fileinto", "enclose", "mailbox"];
       if body :contains "needle" { addheader "X-For" "${user}"; }
       keep; enclose :subject "${user}" :headers "to" "text"; fileinto :create "INBOX/Enclosed";`,
    );
  }
  const text = letter('', `${'x'.repeat(78)}\r\n`.repeat((10 << 20) / 80) + 'needle\r\n');
  const verdicts = await room.deliver(text.replace('\r\n\r\n', '\r\n\r\nneedle\r\n'), { to });
  expect(verdicts.every(({ error }) => error === undefined)).toBe(true);
  for (const user of to) expect((await room.messages(user))?.[0]).toStartWith(`X-For: ${user}\r\n`);
  for (const user of to) {
    expect((await room.messages(user, 'Enclosed'))?.[0]?.slice(0, 1000)).toContain(`\r\nX-For: ${user}\r\n`);
  }
});
