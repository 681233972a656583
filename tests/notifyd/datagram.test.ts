/** Notifications as datagrams: what goes in comes out, and what is none is told apart. */

import { describe, expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import {
  decodeNotification,
  encodeNotification,
  type Notification,
} from '../../src/outgoing/notify/datagram.ts';
import { Random } from '../harness/random.ts';

const MAIL: Notification = {
  method: 'log',
  class: 'MAIL',
  priority: '',
  user: 'django',
  mailbox: 'INBOX',
  options: [],
  message: 'From: a\nSubject: Grüße\n',
  file: '',
};

test("the form of Cyrus's notify.c, with and without its last NUL", () => {
  const bytes = Buffer.from('mailto\0SIEVE\0high\0django\0INBOX\x002\0a@b\0c@d\0You have mail\0');
  const expected = {
    method: 'mailto',
    class: 'SIEVE',
    priority: 'high',
    user: 'django',
    mailbox: 'INBOX',
    options: ['a@b', 'c@d'],
    message: 'You have mail',
    file: '',
  };
  expect(decodeNotification(bytes)).toEqual(expected);
  expect(decodeNotification(bytes.subarray(0, -1))).toEqual(expected);
  expect(decodeNotification(Buffer.concat([bytes, Buffer.from('/spool/1.\0')]))).toEqual({
    ...expected,
    file: '/spool/1.',
  });
});

test('generated notifications come out as they went in', () => {
  const random = new Random(2012);
  const text = () =>
    random.pick(['', 'x', 'a b', 'Grüße', '日本', '\n', '-f', '"', '$(id)']).repeat(random.below(4));
  for (let round = 0; round < 500; round++) {
    const notification: Notification = {
      method: text(),
      class: text(),
      priority: text(),
      user: text(),
      mailbox: text(),
      options: Array.from({ length: random.below(limits.notify_options.value + 1) }, text),
      message: text(),
      file: random.oneIn(2) ? '' : `/x${text()}`,
    };
    expect(decodeNotification(encodeNotification(notification))).toEqual(notification);
  }
});

test('a message that is too long is cut where a character ends', () => {
  const bytes = encodeNotification({ ...MAIL, message: 'ü'.repeat(limits.notify_datagram.value) });
  expect(bytes.length).toBeLessThanOrEqual(limits.notify_datagram.value);
  const { message } = decodeNotification(bytes);
  expect(message).toBe('ü'.repeat(message.length));
  expect(message.length).toBeGreaterThan(4000);
  expect(() => encodeNotification({ ...MAIL, options: ['x'.repeat(limits.notify_datagram.value)] })).toThrow(
    'too long',
  );
});

test('NUL cannot add a field', () => {
  expect(decodeNotification(encodeNotification({ ...MAIL, user: 'a\0b', message: 'x\0y' }))).toMatchObject({
    user: 'ab',
    message: 'xy',
    mailbox: 'INBOX',
  });
});

describe('what is none', () => {
  for (
    const [bytes, reason] of [
      ['', 'fields are missing'],
      ['log', 'fields are missing'],
      ['log\0MAIL\0\0django\0INBOX\0', 'fields are missing'],
      ['log\0MAIL\0\0django\0INBOX\0x\0text\0', 'the number of options is none'],
      ['log\0MAIL\0\0django\0INBOX\0-1\0text\0', 'the number of options is none'],
      ['log\0MAIL\0\0django\0INBOX\x0099999999999\0text\0', 'the number of options is none'],
      ['log\0MAIL\0\0django\0INBOX\x0011\0text\0', 'it has more than 10 options'],
      ['log\0MAIL\0\0django\0INBOX\x002\0one\0text\0', 'options or the message are missing'],
      ['log\0MAIL\0\0django\0INBOX\x000\0text\0file\0more\0', 'something follows'],
      ['x'.repeat(limits.notify_datagram.value + 1), 'more than'],
    ] as const
  ) {
    test(JSON.stringify(bytes.slice(0, 60)), () => {
      expect(() => decodeNotification(Buffer.from(bytes))).toThrow(reason);
    });
  }
});
