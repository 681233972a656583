/** Messages that are answered in tests. */

import type { Stamp } from '../../src/outgoing/forms/draft.ts';
import type { Original } from '../../src/outgoing/forms/original.ts';
import type { OutgoingMessage } from '../../src/outgoing/envelope.ts';

export const STAMP: Stamp = {
  now: new Date(1_330_000_000_000),
  messageId: 'id-1',
  servername: 'imap.example.org',
};

export const OWNER = { name: '', address: 'tjs@example.edu' };

export const ORDINARY = 'Return-Path: <coyote@desert.example.org>\r\n' +
  'Received: from mx.example.edu (unix socket)\r\n\tby imap.example.org with LMTP id 1;\r\n\tMon, 20 Feb 2012 18:28:19 +0100\r\n' +
  'From: Wile E. Coyote <coyote@desert.example.org>\r\n' +
  'To: "Tim" <tjs@example.edu>\r\n' +
  'Subject: birdseed\r\n' +
  'Message-ID: <1@desert.example.org>\r\n' +
  'Date: Mon, 20 Feb 2012 18:28:19 +0100\r\n' +
  '\r\n';

/** @param header bytes as characters, with its empty line */
export function original(header: string, given: Partial<Original> = {}): Original {
  return {
    header: Buffer.from(header, 'latin1'),
    whole: Buffer.from(`${header}Want some?\r\n`, 'latin1'),
    sender: 'coyote@desert.example.org',
    recipient: 'tjs@example.edu',
    ...given,
  };
}

/** The bytes of a message as characters. */
export function text(message: OutgoingMessage): string {
  const bytes = Buffer.concat([...message.chunks()]);
  if (bytes.length !== message.size) throw new Error(`${bytes.length} bytes, announced ${message.size}`);
  return bytes.toString('latin1');
}

/** A field's value, unfolded; null where there is none. */
export function field(message: OutgoingMessage, name: string): string | null {
  const header = text(message).split('\r\n\r\n')[0] ?? '';
  const line = header.replace(/\r\n[ \t]/g, ' ').split('\r\n').find((each) =>
    each.toLowerCase().startsWith(`${name.toLowerCase()}:`)
  );
  return line?.slice(name.length + 1).trim() ?? null;
}
