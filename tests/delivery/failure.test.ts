/**
 * What can go wrong at delivery, one by one: the store, the MTA, scripts, and the end of a process in between. Each time nothing is
 * lost, and nothing is done twice that was remembered.
 */

import { afterEach, expect, test } from 'bun:test';
import { MailError, serverError } from '../../src/errors.ts';
import type { Mailer } from '../../src/outgoing/envelope.ts';
import { SmtpMailer } from '../../src/outgoing/smtp/mailer.ts';
import type { Delivery, DeliveryResult, Store } from '../../src/store/border.ts';
import { SmtpSink } from '../harness/smtpsink.ts';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom;
let sink: SmtpSink | null = null;

afterEach(async () => {
  await room.close();
  await sink?.stop();
  sink = null;
});

const OUT = 'out@x.example';
const sentTo = () => room.mailer.sent.map(({ envelope: { recipients } }) => recipients[0]?.address);
const codeOf = (error: unknown) => error instanceof MailError ? error.code : error;
const copies = async (owner: string, path = '') => (await room.messages(owner, path))?.length ?? 0;

test('forwarded, then over quota: when it comes again it is not forwarded again', async () => {
  room = new PostRoom();
  await room.user('bert', `require "copy"; redirect :copy "${OUT}"; keep;`);
  const inbox = { owner: 'bert', path: '' };
  await room.test.admin.setQuota(inbox, { storage: 10, messages: null });
  const text = letter();
  const [first] = await room.deliver(text);
  expect(codeOf(first?.error)).toBe('overquota');
  await room.test.admin.setQuota(inbox, { storage: 1 << 20, messages: null });
  const [second] = await room.deliver(text);
  expect(second?.error).toBeUndefined();
  expect(sentTo()).toEqual([OUT]);
  expect(await room.messages('bert')).toEqual([text]);
});

test('forwarded, then the writer is away: the sender comes again, and it is not forwarded again', async () => {
  const faults: { deliver?: Store['deliver'] } = {
    deliver: () => Promise.reject(serverError('the writer is restarting')),
  };
  room = new PostRoom({}, faults);
  await room.user('bert', `require "copy"; redirect :copy "${OUT}";`);
  await room.user('cleo');
  const text = letter();
  const verdicts = await room.deliver(text, { to: ['bert', 'cleo'] });
  expect(verdicts.map(({ error }) => codeOf(error))).toEqual(['unavailable', 'unavailable']);
  expect(await copies('bert')).toBe(0);
  delete faults.deliver;
  await room.deliver(text, { to: ['bert', 'cleo'] });
  expect(sentTo()).toEqual([OUT]);
  expect([await copies('bert'), await copies('cleo')]).toEqual([1, 1]);
});

test('the writer is away for everything: it goes twice rather than not at all', async () => {
  const away = () => Promise.reject(serverError('the writer is restarting'));
  const faults: { deliver?: Store['deliver']; mark?: Store['mark'] } = { deliver: away, mark: away };
  room = new PostRoom({}, faults);
  await room.user('bert', `require "copy"; redirect :copy "${OUT}";`);
  const text = letter();
  expect(codeOf((await room.deliver(text))[0]?.error)).toBe('unavailable');
  delete faults.deliver;
  delete faults.mark;
  expect((await room.deliver(text))[0]?.error).toBeUndefined();
  expect(sentTo()).toEqual([OUT, OUT]);
  expect(await room.messages('bert')).toEqual([text]);
});

test('a folder that is deleted while the script runs: the message is in INBOX', async () => {
  const faults: { deliver?: Store['deliver'] } = {};
  room = new PostRoom({}, faults);
  await room.user('bert', 'require "fileinto"; fileinto "INBOX/Lists";');
  const { store } = room.test;
  await room.test.as('bert').create({ owner: 'bert', path: 'Lists' });
  faults.deliver = async (deliveries, options) => {
    await room.test.as('bert').delete({ owner: 'bert', path: 'Lists' });
    return await store.deliver(deliveries, options);
  };
  const text = letter();
  const [verdict] = await room.deliver(text);
  expect(verdict?.error).toBeUndefined();
  expect(await room.messages('bert')).toEqual([text]);
});

test('two different copies, one of which fails: "duplicate" does not take the message for delivered', async () => {
  const faults: { deliver?: Store['deliver'] } = {};
  room = new PostRoom({}, faults);
  await room.user(
    'bert',
    `require ["duplicate", "fileinto", "editheader", "mailbox"];
     if duplicate { discard; stop; }
     fileinto :create "INBOX/One"; addheader "X-Two" "yes"; fileinto :create "INBOX/Two";`,
  );
  const { store } = room.test;
  faults.deliver = async (deliveries, options) => {
    const [done] = await store.deliver(deliveries.slice(0, 1), options);
    const results: DeliveryResult[] = deliveries.map(({ target }: Delivery) => ({
      target,
      error: serverError('no space'),
    }));
    return [done as DeliveryResult, ...results.slice(1)];
  };
  const text = letter();
  expect(codeOf((await room.deliver(text))[0]?.error)).toBe('unavailable');
  delete faults.deliver;
  expect((await room.deliver(text))[0]?.error).toBeUndefined();
  expect([await copies('bert', 'One'), await copies('bert', 'Two')]).toEqual([1, 1]);
  // Now it counts.
  expect((await room.deliver(text))[0]?.actions).toEqual(['discard']);
});

test('what the store cannot say of one recipient is not the fault of others', async () => {
  const faults: { scriptByHash?: Store['scriptByHash'] } = {};
  room = new PostRoom({}, faults);
  await room.user('bert', 'keep;');
  await room.user('cleo', 'require "fileinto"; fileinto "INBOX";');
  await room.user('dora');
  const { store } = room.test;
  faults.scriptByHash = (userid, hash) => {
    if (userid === 'bert') throw serverError('the index is closed for repair');
    return store.scriptByHash(userid, hash);
  };
  const verdicts = await room.deliver(letter(), { to: ['bert', 'cleo', 'dora'] });
  expect(verdicts.map(({ error }) => codeOf(error))).toEqual(['unavailable', undefined, undefined]);
  expect([await copies('bert'), await copies('cleo'), await copies('dora')]).toEqual([0, 1, 1]);
});

test('an error behind a forward: nothing is forwarded, the message is kept, the owner is told', async () => {
  room = new PostRoom();
  for (
    const script of [
      `require "include"; redirect "${OUT}"; include :personal "missing";`,
      `require "include"; redirect "${OUT}"; include :global "missing";`,
      `require ["include", "variables"]; redirect "${OUT}"; include :personal "broken";`,
      `redirect "${OUT}"; this is no Sieve`,
      `require "no-such-extension"; redirect "${OUT}";`,
      '\0\xff',
    ]
  ) {
    const user = `u${Bun.hash(script)}`;
    await room.user(user, script);
    await room.test.as(user).scripts.put('broken', Buffer.from('if if if'), { maxScripts: 9 });
    const text = letter();
    const [verdict] = await room.deliver(text, { to: [user] });
    expect([script, verdict?.error, verdict?.actions]).toEqual([script, undefined, ['keep (script failed)']]);
    const all = await room.messages(user) ?? [];
    expect([script, all.length, all[0] === text]).toEqual([script, 2, true]);
    expect(all[1]).toContain('Subject: Error in your Sieve script\r\n');
  }
  expect(sentTo()).toEqual([]);
  expect(room.log.filter(({ event }) => event === 'script failed, message kept').length).toBe(6);
});

test('a fault of the interpreter keeps the message, too', async () => {
  const faults: { marked?: Store['marked'] } = {
    marked: () => {
      throw new TypeError('undefined is not a function');
    },
  };
  room = new PostRoom({}, faults);
  await room.user('bert', 'require "duplicate"; if duplicate { discard; }');
  const text = letter();
  expect((await room.deliver(text))[0]?.error).toBeUndefined();
  expect(await room.messages('bert')).toEqual([text]);
});

test('discard with a vacation reply that cannot be sent: taken, and the sender is answered next time', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "vacation"; vacation "I am away."; discard;');
  const to = { to: ['bert@mail.example.org'] };
  for (const fate of ['temporary', 'permanent'] as const) {
    room.mailer.fates.set('anna@example.net', fate);
    const [verdict] = await room.deliver(letter(), to);
    expect([verdict?.error, verdict?.actions]).toEqual([undefined, ['vacation reply', 'discard']]);
  }
  expect(sentTo()).toEqual([]);
  room.mailer.fates.clear();
  await room.deliver(letter(), to);
  await room.deliver(letter(), to);
  expect(sentTo()).toEqual(['anna@example.net']);
});

test('a mailer that throws breaks nothing that is a courtesy, and takes nothing that is not', async () => {
  const broken: Mailer = { send: () => Promise.reject(new Error('no memory')) };
  room = new PostRoom({}, {}, broken);
  await room.user('bert', 'require "vacation"; vacation "I am away.";');
  await room.user('cleo', `redirect "${OUT}";`);
  const verdicts = await room.deliver(letter(), { to: ['bert@mail.example.org', 'cleo'] });
  expect(verdicts.map(({ error }) => error === undefined)).toEqual([true, false]);
  expect([await copies('bert'), await copies('cleo')]).toEqual([1, 0]);
});

test('a rejection that cannot be sent for now is not one; one that never can keeps the message', async () => {
  room = new PostRoom({ sieve_use_lmtp_reject: false });
  await room.user('bert', 'require "reject"; reject "no, thank you";');
  const text = letter();
  room.mailer.fates.set('anna@example.net', 'temporary');
  expect(codeOf((await room.deliver(text))[0]?.error)).toBe('unavailable');
  expect([sentTo(), await copies('bert')]).toEqual([[], 0]);
  room.mailer.fates.set('anna@example.net', 'permanent');
  expect((await room.deliver(text))[0]?.error).toBeUndefined();
  expect([sentTo(), await room.messages('bert')]).toEqual([[], [text]]);
  room.mailer.fates.clear();
  expect((await room.deliver(letter()))[0]?.error).toBeUndefined();
  expect([sentTo(), await copies('bert')]).toEqual([['anna@example.net'], 1]);
});

test('two recipients, one of whom fails for now: neither has anything twice', async () => {
  room = new PostRoom();
  await room.user('bert', `require "copy"; redirect :copy "b-${OUT}";`);
  await room.user('cleo', `require "copy"; redirect :copy "c1-${OUT}"; redirect :copy "c2-${OUT}";`);
  room.mailer.fates.set(`c2-${OUT}`, 'temporary');
  const text = letter();
  const verdicts = await room.deliver(text, { to: ['bert', 'cleo'] });
  expect(verdicts.map(({ error }) => codeOf(error))).toEqual([undefined, 'unavailable']);
  room.mailer.fates.clear();
  await room.deliver(text, { to: ['cleo'] });
  expect(sentTo().toSorted()).toEqual([`b-${OUT}`, `c1-${OUT}`, `c2-${OUT}`]);
  expect([await copies('bert'), await copies('cleo')]).toEqual([1, 1]);
});

test('who is named a hundred times has one script run; by a hundred addresses, one forward', async () => {
  room = new PostRoom();
  await room.user('bert', `redirect "${OUT}";`);
  const hundred = Array.from({ length: 100 }, (_, at) => at);
  await room.deliver(letter(), { to: hundred.map(() => 'bert') });
  expect(sentTo()).toEqual([OUT]);
  const verdicts = await room.deliver(letter(), { to: hundred.map((at) => `bert+${at}`) });
  expect(verdicts.every(({ error }) => error === undefined)).toBe(true);
  expect(sentTo()).toEqual([OUT, OUT]);
});

test('a program that gives all its messages one Message-ID loses none of them', async () => {
  room = new PostRoom();
  await room.user('bert', `redirect "${OUT}";`);
  const scan = (hour: number) =>
    letter().replace(/Message-ID: .*\r\n/, 'Message-ID: <scanner@copier.local>\r\n').replace(
      '18:28',
      `${hour}:28`,
    );
  await room.deliver(scan(10));
  await room.deliver(scan(11));
  await room.deliver(scan(11));
  expect(sentTo()).toEqual([OUT, OUT]);
});

test('a message without a Message-ID is forwarded once, too, however often it comes', async () => {
  room = new PostRoom();
  await room.user('bert', `redirect "${OUT}";`);
  const text = letter().replace(/Message-ID: .*\r\n/, '').replace(/^Return-Path: .*\r\n/, '');
  for (const queueId of ['q-one', 'q-two']) {
    const trace =
      `Return-Path: <anna@example.net>\r\nReceived: from mx by mail.example.org with LMTP id ${queueId};\r\n\tnow\r\n` +
      `Message-ID: <lmtp-${queueId}@mail.example.org>\r\n`;
    await room.deliver(trace + text, { arrival: { queueId } });
  }
  expect(sentTo()).toEqual([OUT]);
  await room.deliver(text.replace('Hello', 'Hullo'));
  expect(sentTo()).toEqual([OUT, OUT]);
});

test('Message-IDs and values of any length are remembered', async () => {
  room = new PostRoom();
  await room.user('bert', `redirect "${OUT}";`);
  await room.user(
    'cleo',
    'require ["duplicate", "variables"]; if header :matches "Message-ID" "*" { if duplicate :uniqueid "${1}" { discard; } }',
  );
  await room.user('dora', 'require ["duplicate", "vacation"]; vacation "away"; if duplicate { discard; }');
  for (const length of [900, 1_100, 5_000, 60_000]) {
    const text = letter().replace(
      /Message-ID: .*\r\n/,
      `Message-ID: <${'x'.repeat(length)}@example.net>\r\n`,
    );
    for (let time = 0; time < 2; time++) {
      const verdicts = await room.deliver(text, { to: ['bert', 'cleo', 'dora'] });
      expect([length, verdicts.map(({ error }) => error)]).toEqual([length, [
        undefined,
        undefined,
        undefined,
      ]]);
    }
  }
  expect([sentTo().length, await copies('cleo'), await copies('dora')]).toEqual([4, 4, 4]);
});

/** What an MTA may do instead of taking a message, by the command that it is an answer to. */
const TROUBLE: readonly (readonly [what: string, at: RegExp, answer: string, lasting: boolean])[] = [
  ['refuses the connection', /^CONNECT/, '554 5.3.2 no', false],
  ['is busy', /^CONNECT/, '421 4.3.2 later', false],
  ['speaks something else', /^CONNECT/, 'HTTP/1.1 400 Bad Request', false],
  ['does not take the sender for now', /^MAIL/, '451 4.3.0 later', false],
  ['never takes the sender', /^MAIL/, '550 5.7.1 no', true],
  ['greylists the recipient', /^RCPT/, '450 4.2.0 greylisted', false],
  ['has no such recipient', /^RCPT/, '550 5.1.1 unknown', true],
  ['answers the recipient with nonsense', /^RCPT/, '354 go ahead', false],
  ['is full at the end', /^\.$/, '452 4.3.1 full', false],
  ['finds a virus', /^\.$/, '554 5.7.1 virus', true],
  ['says goodbye at the end', /^\.$/, '421 4.3.2 going down', false],
  ['hangs behind the message', /^\.$/, '', false],
  ['hangs at the recipient', /^RCPT/, '', false],
];

for (const chunking of [true, false]) {
  for (const [what, at, answer, lasting] of TROUBLE) {
    test(`an MTA that ${what} (${chunking ? 'BDAT' : 'DATA'})`, async () => {
      const extensions = ['PIPELINING', '8BITMIME', ...(chunking ? ['CHUNKING'] : [])];
      sink = await SmtpSink.start({ extensions, answer: (line) => at.test(line) ? answer : null });
      const smtp = new SmtpMailer({ host: '127.0.0.1', port: sink.port }, () => ({
        clientName: 'mail.example.org',
        host: '127.0.0.1',
        tls: 'never',
        login: null,
      }));
      // Nobody waits for five minutes here.
      room = new PostRoom({}, {}, { send: (envelope, message) => smtp.send(envelope, message, 0.5) });
      await room.user('bert', `require "copy"; redirect "${OUT}";`);
      const text = letter();
      const [verdict] = await room.deliver(text);
      if (lasting) {
        expect([verdict?.error, await room.messages('bert')]).toEqual([undefined, [text]]);
        return;
      }
      expect([codeOf(verdict?.error), await copies('bert')]).toEqual(['unavailable', 0]);
      expect(sink.messages.length).toBe(0);
      sink.options = { extensions };
      const [again] = await room.deliver(text);
      expect([again?.error, again?.actions]).toEqual([undefined, [`redirect ${OUT}`]]);
      expect(sink.messages.length).toBe(1);
    });
  }
}
