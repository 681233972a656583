/** What delivery reads of a header. */

import { expect, test } from 'bun:test';
import { headerEnd, readHeader } from '../../src/lmtp/header.ts';
import { Random } from '../harness/random.ts';

test.each([
  ['A: b\r\n\r\nbody', 8],
  ['A: b\n\nbody\r\n\r\n', 6],
  ['A: b\r\n\nbody', 7],
  ['A: b\n\r\nbody', 7],
  ['\r\nbody', 2],
  ['\nbody', 1],
  ['A: b\r\nbody', -1],
  ['A: b\r\n\r', -1],
  ['', -1],
])('the header of %j ends at %d', (text, end) => {
  const bytes = Buffer.from(text, 'latin1');
  expect(headerEnd(bytes, bytes.length, 0)).toBe(end);
});

test('the end of a header is found wherever the search goes on', () => {
  const bytes = Buffer.from('From: a\r\nTo: b\r\n\r\nbody');
  for (let from = 0; from < 19; from++) expect(headerEnd(bytes, bytes.length, from)).toBe(18);
});

test('Message-ID in any case and with white space before its colon', () => {
  expect(readHeader('Message-ID: <a@b>\r\n\r\n').hasMessageId).toBe(true);
  expect(readHeader('To: x\r\nmessage-id : <a@b>\r\n\r\n').hasMessageId).toBe(true);
  expect(readHeader('To: x\nMESSAGE-ID\t:<a@b>\n\n').hasMessageId).toBe(true);
  expect(readHeader('X-Message-ID: <a@b>\r\n\r\n').hasMessageId).toBe(false);
  expect(readHeader('Subject: x\r\n Message-ID: <a@b>\r\n\r\n').hasMessageId).toBe(false);
  expect(readHeader('Subject: x\rMessage-ID: <a@b>\r\n\r\n').hasMessageId).toBe(false);
});

test('every Return-Path goes with its folded lines, wherever it stands', () => {
  const keep = (header: string): string => {
    let kept = '';
    let from = 0;
    for (const [start, end] of readHeader(header).returnPaths) {
      kept += header.slice(from, start);
      from = end;
    }
    return kept + header.slice(from);
  };
  expect(keep('Return-Path: <a@b>\r\nTo: x\r\n\r\n')).toBe('To: x\r\n\r\n');
  expect(keep('To: x\r\nReturn-Path:\r\n <a@b>\r\n\t\r\nreturn-path : <>\r\nDate: y\r\n\r\n')).toBe(
    'To: x\r\nDate: y\r\n\r\n',
  );
  expect(keep('Return-Path: <a>\nReturn-Path: <b>\nReceived: z\n\n')).toBe('Received: z\n\n');
  expect(keep('Return-Path: <a>')).toBe('');
  expect(keep('X-Return-Path: <a>\r\nSubject: a\r\n Return-Path: b\r\n\r\n')).toBe(
    'X-Return-Path: <a>\r\nSubject: a\r\n Return-Path: b\r\n\r\n',
  );
});

test('hops are counted and the newest one names the queue id of the client', () => {
  const header =
    'Received: from a (b [1.2.3.4])\r\n\tby mx.example.org (Postfix) with ESMTP id 4cYg9h2Wz1\r\n' +
    '\tfor <django@nausch.org>; Mon, 20 Feb 2012 18:28:19 +0100\r\nReceived: by x id OTHER\r\nTo: x\r\n\r\n';
  expect(readHeader(header).hops).toBe(2);
  expect(readHeader(`Delivered-To: a@b.example\r\n${header}`).hops).toBe(2);
  expect(readHeader('Delivered-To: a@b.example\r\n'.repeat(3) + header).hops).toBe(3);
  expect(readHeader(header).peerQueueId).toBe('4cYg9h2Wz1');
  expect(readHeader('Received: by x with LMTP; now\r\nX: y id ABCDE\r\n\r\n').peerQueueId).toBe('');
  expect(readHeader('Received: by mx (Postfix, from userid 0) id 5A3F2; now\r\n\r\n').peerQueueId).toBe(
    '5A3F2',
  );
});

test('a message without a header is told apart from one with', () => {
  expect(readHeader('hello world\r\n\r\n').isHeader).toBe(false);
  expect(readHeader(' folded: x\r\n\r\n').isHeader).toBe(false);
  expect(readHeader('Subject: x\r\n\r\n').isHeader).toBe(true);
  expect(readHeader('Subject : x\r\n\r\n').isHeader).toBe(true);
  expect(readHeader('From a@b Mon Feb 20\r\nTo: x\r\n\r\n').isHeader).toBe(true);
  expect(readHeader('\r\n').isHeader).toBe(true);
  expect(readHeader('').isHeader).toBe(true);
});

test('generated headers are read as by a slow model', () => {
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  const names = ['Received', 'return-path', 'Message-Id', 'Subject', 'X-Received', 'Return-Path', 'To'];
  for (let round = 0; round < 500; round++) {
    let header = '';
    for (let count = 1 + random.below(8); count > 0; count--) {
      header += `${random.pick(names)}${random.pick([':', ' :', ': x', ': id abcd;'])}`;
      while (random.oneIn(3)) {
        header += `${random.pick(['\r\n ', '\n\t'])}${random.pick(['y', 'Received: z', ''])}`;
      }
      header += random.pick(['\r\n', '\n']);
    }
    const fields = header.split(/\n(?![ \t])/).filter((field) => field !== '');
    const count = (name: string) =>
      fields.filter((field) => field.replace(/[ \t]*:[^]*/, '').toLowerCase() === name).length;
    const facts = readHeader(`${header}\r\n`);
    const context = `seed ${seed} round ${round} ${JSON.stringify(header)}`;
    expect([context, facts.hops, facts.hasMessageId, facts.returnPaths.length]).toEqual([
      context,
      count('received'),
      count('message-id') > 0,
      count('return-path'),
    ]);
    for (const [start, end] of facts.returnPaths) {
      const field = header.slice(start, end);
      expect(`${context} ${fields.includes(field.replace(/\n$/, ''))}`).toBe(`${context} true`);
    }
  }
});
