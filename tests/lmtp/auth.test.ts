/** Who may deliver: trusted peers, and those who log in. */

import { expect, test } from 'bun:test';
import { Peer } from './peer.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const STRANGER = { remoteAddress: '192.0.2.1' };

test('unix sockets, lmtpd -a and trusted networks need no AUTH', async () => {
  const options = [
    { unix: true, settings: { lmtp_trusted_networks: [] } },
    { ...STRANGER, trustedService: true },
    { remoteAddress: '127.0.0.1' },
    { remoteAddress: '::1' },
    { remoteAddress: '10.1.2.3', settings: { lmtp_trusted_networks: ['10.1.0.0/16'] } },
  ];
  for (const option of options) {
    const peer = await new Peer(option).greet();
    expect(peer.connection.admitted).toBe(true);
    expect(await peer.say('MAIL FROM:<a@b.example>')).toBe('250 2.1.0 ok');
    expect(await peer.say('LHLO again')).not.toContain('AUTH');
  }
});

test('others must authenticate, and can only where a password is safe', async () => {
  const peer = new Peer({ ...STRANGER, canStartTls: true });
  await peer.reply();
  const plain = await peer.say('LHLO x');
  expect(plain).toContain('STARTTLS');
  expect(plain).not.toMatch(/AUTH .*(?:PLAIN|LOGIN)/);
  expect(plain).not.toContain('IGNOREQUOTA');
  expect(await peer.say('MAIL FROM:<>')).toBe('530 5.7.0 Authentication required');
  expect(await peer.say('VRFY django')).toStartWith('252 2.5.2');
  expect(await peer.say(`AUTH PLAIN ${base64('\0django\0secret')}`)).toStartWith('538 5.7.11');
  expect(await peer.say('STARTTLS')).toStartWith('220 2.0.0');
  // RFC 3207 §4.2: the name is forgotten.
  expect(await peer.say('MAIL FROM:<>')).toStartWith('503 5.5.1');
  const secure = await peer.say('LHLO x');
  expect(secure).toMatch(/AUTH .*PLAIN LOGIN/);
  expect(secure).not.toContain('STARTTLS');
  expect(peer.connection.admitted).toBe(false);
  expect(await peer.say(`AUTH PLAIN ${base64('\0django\0wrong')}`)).toStartWith('535 5.7.8');
  expect(await peer.say(`AUTH PLAIN ${base64('\0django\0secret')}`)).toBe(
    '235 2.7.0 Authentication succeeded',
  );
  expect(peer.connection.admitted).toBe(true);
  expect(await peer.say(`AUTH PLAIN ${base64('\0django\0secret')}`)).toStartWith('503 5.5.1');
  // RFC 4954 §5
  expect(await peer.say('MAIL FROM:<> AUTH=<>')).toBe('250 2.1.0 ok');
  await peer.say('RCPT TO:<inge>');
  expect(peer.store.requests.at(-1)?.poster).toMatchObject({ userid: 'django', admin: false });
  await peer.say('BDAT 0 LAST');
  expect(peer.store.delivered[0]?.bytes).toContain(' with LMTPSA id ');
});

test('the exchange line by line: challenges, cancelling, bad base64', async () => {
  const peer = await new Peer({ ...STRANGER, settings: { allowplaintext: true } }).greet();
  expect(await peer.say('AUTH CRAM-MD5')).toStartWith('504 5.5.4');
  expect(await peer.say('AUTH')).toStartWith('501 5.5.4');
  expect(await peer.say('AUTH PLAIN')).toBe('334 ');
  expect(await peer.say('*')).toStartWith('501 5.7.0');
  expect(await peer.say('AUTH PLAIN')).toBe('334 ');
  expect(await peer.say('!!!')).toStartWith('501 5.5.2');
  expect(await peer.say('AUTH PLAIN')).toBe('334 ');
  expect(await peer.say('A'.repeat(10_000))).toStartWith('500 5.5.6');
  expect(await peer.say('NOOP')).toBe('250 2.0.0 ok');
  expect(await peer.say('AUTH LOGIN')).toStartWith('334 ');
  expect(await peer.say(base64('django'))).toStartWith('334 ');
  expect(await peer.say(base64('secret'))).toStartWith('235 2.7.0');
});

test('commands pipelined behind STARTTLS in plain text are never run', async () => {
  const peer = await new Peer({ canStartTls: true }).greet();
  peer.send('STARTTLS\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<django>\r\n');
  expect(await peer.reply()).toStartWith('220 2.0.0');
  await peer.say('LHLO x');
  expect(await peer.say('RCPT TO:<django>')).toBe('503 5.5.1 Say MAIL first');
  expect(await peer.say('STARTTLS')).toBe('503 5.5.1 TLS is on already');
});

test('without a certificate there is no STARTTLS', async () => {
  const peer = new Peer();
  await peer.reply();
  expect(await peer.say('LHLO x')).not.toContain('STARTTLS');
  expect(await peer.say('STARTTLS')).toStartWith('502 5.5.1');
  expect(await peer.say('STARTTLS now')).toStartWith('501 5.5.4');
});

test.each(
  [
    ['off', /^220 LMTP server ready$/],
    ['min', /^220 imap\.nausch\.org server ready$/],
    ['on', /^220 imap\.nausch\.org mailstore \S+ LMTP server ready$/],
  ] as const,
)('serverinfo %s', async (serverinfo, pattern) => {
  expect(await new Peer({ settings: { serverinfo } }).reply()).toMatch(pattern);
});
