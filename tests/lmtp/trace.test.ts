/** The lines in front of a message. */

import { expect, test } from 'bun:test';
import { type Trace, traceLines, withKeyword } from '../../src/lmtp/trace.ts';
import { messageDate } from '../../src/mime/encode.ts';

const TRACE: Trace = {
  sender: 'michael@nausch.org',
  clientName: 'vml000080.dmz.nausch.org',
  clientAddress: '127.0.0.1',
  servername: 'imap.nausch.org',
  queueId: 'q1',
  authenticated: false,
  tls: '',
  smtputf8: false,
  now: new Date(2012, 1, 20, 18, 28, 19),
};

test('Return-Path, Received and a Message-ID where it is due', () => {
  const date = messageDate(TRACE.now);
  expect(date).toMatch(/^Mon, 20 Feb 2012 18:28:19 [+-]\d{4}$/);
  expect(Date.parse(date)).toBe(TRACE.now.getTime());
  const lines = 'Return-Path: <michael@nausch.org>\r\n' +
    'Received: from vml000080.dmz.nausch.org ([127.0.0.1])\r\n' +
    `\tby imap.nausch.org with LMTP id q1;\r\n\t${date}\r\nX-Sieve: CMU Sieve 2.3\r\n`;
  expect(traceLines(TRACE, false)).toBe(lines);
  expect(traceLines(TRACE, true)).toBe(`${lines}Message-ID: <lmtp-q1@imap.nausch.org>\r\n`);
});

test('the null sender, a unix socket, IPv6, TLS', () => {
  expect(traceLines({ ...TRACE, sender: '' }, false)).toStartWith('Return-Path: <>\r\n');
  expect(traceLines({ ...TRACE, clientAddress: '' }, false)).toContain('(unix socket)');
  expect(traceLines({ ...TRACE, clientAddress: '2001:db8::1' }, false)).toContain('([IPv6:2001:db8::1])');
  expect(traceLines({ ...TRACE, tls: 'TLSv1.3 with cipher X' }, false)).toContain(
    '([127.0.0.1])\r\n\t(using TLSv1.3 with cipher X)\r\n\tby imap.nausch.org with LMTPS id q1;',
  );
});

test('the WITH keyword is that of RFC 3848 and RFC 6531', () => {
  expect(withKeyword({ tls: '', authenticated: false, smtputf8: false })).toBe('LMTP');
  expect(withKeyword({ tls: 'x', authenticated: false, smtputf8: false })).toBe('LMTPS');
  expect(withKeyword({ tls: '', authenticated: true, smtputf8: false })).toBe('LMTPA');
  expect(withKeyword({ tls: 'x', authenticated: true, smtputf8: false })).toBe('LMTPSA');
  expect(withKeyword({ tls: 'x', authenticated: true, smtputf8: true })).toBe('UTF8LMTPSA');
});
