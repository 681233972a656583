import { expect, test } from 'bun:test';
import { readEnvelope } from '../../src/imap/envelope.ts';
import { headerField, parseAddressList, parseMessage } from '../../src/mime/message.ts';
import { forSeeds } from './seeds.ts';

test('an envelope in which everything is NIL', () => {
  expect(readEnvelope('(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)')).toEqual({
    date: null,
    subject: null,
    from: null,
    to: null,
    cc: null,
    inReplyTo: null,
    messageId: null,
  });
});

test('says what the parser of messages says', () => {
  const words = [
    '"',
    '\\',
    ')',
    '(',
    '{3}',
    'Anna',
    '<a@b>',
    ', ',
    ';',
    'team:',
    ' ',
    '\xe9',
    'x'.repeat(1100),
    '@',
    '=',
  ];
  const names = [
    'Date',
    'Subject',
    'From',
    'Sender',
    'Reply-To',
    'To',
    'Cc',
    'Bcc',
    'In-Reply-To',
    'Message-ID',
  ];
  forSeeds(400, (random) => {
    const lines = names.filter(() => !random.oneIn(4)).map((name) =>
      `${name}: ${Array.from({ length: random.below(8) }, () => random.pick(words)).join('')}\r\n`
    );
    const header = Buffer.from(`${lines.join('')}\r\n`, 'latin1');
    const parsed = parseMessage(header);
    const read = readEnvelope(parsed.envelope);
    expect(read.subject).toBe(parsed.subject);
    expect([read.from, read.to, read.cc]).toEqual(
      ['From', 'To', 'Cc'].map((name) =>
        parseAddressList(headerField(header, name) ?? '')[0]?.mailbox ?? null
      ),
    );
    const id = /<[^>]*>/.exec(read.messageId ?? '')?.[0] ?? read.messageId;
    expect(id || null).toBe(parsed.messageId);
  });
});
