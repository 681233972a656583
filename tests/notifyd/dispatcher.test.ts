/** What becomes of a notification: its method, what fails, and how many may wait. */

import { expect, test } from 'bun:test';
import { makeSettings } from '../../src/config/settings.ts';
import { limits } from '../../src/limits.ts';
import { Dispatcher } from '../../src/notifyd/dispatcher.ts';
import type { Envelope, Mailer, OutgoingMessage } from '../../src/outgoing/envelope.ts';
import { encodeNotification, type Notification } from '../../src/outgoing/notify/datagram.ts';
import { createLog } from '../../src/telemetry/log.ts';

const NOTE: Notification = {
  method: 'mailto',
  class: 'MAIL',
  priority: 'high',
  user: 'django',
  mailbox: 'INBOX',
  options: ['inge@example.org'],
  message: 'From: michael@example.org\nSubject: Grüße\n',
  file: '',
};

/** An MTA that writes down what it gets, when it is let. */
class Mta implements Mailer {
  readonly got: { envelope: Envelope; text: string }[] = [];
  refuse = '';
  gate: Promise<void> = Promise.resolve();
  async send(envelope: Envelope, message: OutgoingMessage) {
    await this.gate;
    this.got.push({ envelope, text: Buffer.concat([...message.chunks()]).toString('utf8') });
    return envelope.recipients.map(({ address }) =>
      this.refuse === ''
        ? { address, kind: 'sent' as const, status: '2.0.0', text: 'ok' }
        : { address, kind: 'permanent' as const, status: '5.1.1', text: this.refuse }
    );
  }
}

function dispatcher(mailer: Mailer): { dispatcher: Dispatcher; lines: () => string[] } {
  let text = '';
  const settings = makeSettings({ servername: 'imap.example.org', postmaster: 'postmaster' });
  const log = createLog({
    level: 'info',
    journal: false,
    write: (bytes) => {
      text += Buffer.from(bytes).toString('utf8');
      return bytes.length;
    },
  });
  const lines = (): string[] => {
    log.flush();
    return text.split('\n').filter((line) => line !== '');
  };
  return { dispatcher: new Dispatcher({ settings, mailer, log }), lines };
}

test('mailto: from the postmaster, to the addresses of the options and of URIs, once each', async () => {
  const mta = new Mta();
  const { dispatcher: taker, lines } = dispatcher(mta);
  taker.receive(encodeNotification({
    ...NOTE,
    options: ['inge@example.org', 'mailto:a%2Bb@example.org,anna@example.org?subject=no', 'inge@example.org'],
  }));
  await taker.idle();
  expect(lines()).toEqual([]);
  const [{ envelope, text }] = mta.got as [{ envelope: Envelope; text: string }];
  expect(envelope.sender).toBe('');
  expect(envelope.recipients.map(({ address }) => address)).toEqual([
    'inge@example.org',
    'a+b@example.org',
    'anna@example.org',
  ]);
  expect(text).toMatch(/^From: Mail Sieve Subsystem <postmaster@imap\.example\.org>\r\n/);
  expect(text).toMatch(/^Subject: \[MAIL\] New mail notification\r\n/m);
  expect(text).toMatch(/^Auto-Submitted: auto-generated/m);
  expect(text).toMatch(/^Importance: high\r\n/m);
  expect(text).toContain('Subject: Gr=C3=BC=C3=9Fe\r\n');
});

test('nobody is written to who is not an address, and no field can be added', async () => {
  const mta = new Mta();
  const { dispatcher: taker, lines } = dispatcher(mta);
  for (const options of [[], ['nobody'], ['a@b\r\nBcc: c@d'], ['a@b, c@d'], ['<a@b>'], ['mailto:'], ['']]) {
    taker.receive(encodeNotification({ ...NOTE, options }));
  }
  taker.receive(encodeNotification({ ...NOTE, class: 'X\r\nBcc: c@d', priority: 'high\r\nX: y' }));
  await taker.idle();
  expect(mta.got).toHaveLength(1);
  expect(mta.got[0]?.text).not.toMatch(/^Bcc:|^X:/m);
  expect(lines()).toHaveLength(7);
  for (const line of lines()) expect(line).toContain('notification not carried out');
});

test('what the MTA refuses stands in the log', async () => {
  const mta = new Mta();
  mta.refuse = '550 5.1.1 no such user';
  const { dispatcher: taker, lines } = dispatcher(mta);
  taker.receive(encodeNotification(NOTE));
  await taker.idle();
  expect(lines().join('')).toContain('reason="inge@example.org: 550 5.1.1 no such user"');
});

test('so many wait and no more, some at a time, and the log says once that others were dropped', async () => {
  const mta = new Mta();
  const { promise, resolve } = Promise.withResolvers<void>();
  mta.gate = promise;
  const { dispatcher: taker, lines } = dispatcher(mta);
  const all = limits.notify_waiting.value + limits.notify_running.value;
  for (let count = 0; count < all + 500; count++) taker.take(NOTE);
  expect(lines().filter((line) => line.includes('notifications dropped'))).toHaveLength(1);
  resolve();
  await taker.idle();
  expect(mta.got).toHaveLength(all);
});
