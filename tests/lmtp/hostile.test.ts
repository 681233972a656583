/** Hostile input: one hazard per test. */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { Random } from '../harness/random.ts';
import { FakeStore } from './fake_store.ts';
import { Peer, peerInData } from './peer.ts';

test.each(['\n.\n', '\r.\r', '\n.\r\n', '\r\n.\n', '\r\n.\r', '\r.\r\n', '\n\r.\r\n'])(
  'smuggling: %j ends no message, so the commands behind it are its text',
  async (almost) => {
    const peer = await peerInData();
    const inside = `MAIL FROM:<evil@example.org>\r\nRCPT TO:<inge>\r\nDATA\r\nowned`;
    peer.send(`Subject: x\r\n\r\nbody${almost}${inside}\r\n.\r\n`);
    expect(await peer.reply()).toStartWith('250 2.1.5');
    expect(await peer.say('QUIT')).toBe('221 2.0.0 bye');
    expect(peer.store.delivered.map(({ user }) => user)).toEqual(['django']);
    expect(peer.store.delivered[0]?.bytes).toEndWith(`${inside}\r\n`);
  },
);

test('ten thousand recipients: each gets its reply, those beyond the limit a temporary one', async () => {
  const peer = await new Peer().greet();
  await peer.say('MAIL FROM:<>');
  for (let index = 0; index < 10_000; index++) peer.store.users.add(`u${index}`);
  let commands = '';
  for (let index = 0; index < 10_000; index++) commands += `RCPT TO:<u${index}>\r\n`;
  peer.send(commands);
  const answers = await peer.replies(10_000);
  const bound = limits.lmtp_recipients.value;
  expect(answers.slice(0, bound).every((answer) => answer === '250 2.1.5 ok')).toBe(true);
  expect(answers.slice(bound).every((answer) => answer?.startsWith('452 4.5.3 '))).toBe(true);
  await peer.say('DATA');
  peer.send('Subject: x\r\n\r\n.\r\n');
  expect((await peer.replies(bound)).every((answer) => answer?.startsWith('250 2.1.5 '))).toBe(true);
  expect(peer.store.calls).toEqual([{ targets: bound, ignoreQuota: false }]);
});

test('replies keep the order of pipelined commands, whatever the lookups say', async () => {
  const peer = await new Peer().greet();
  peer.send(
    'MAIL FROM:<>\r\nRCPT TO:<nobody>\r\nRCPT TO:<>\r\nRCPT TO:<django>\r\nRCPT\r\nNOOP\r\nRCPT TO:<inge>\r\nRSET\r\nRCPT TO:<inge>\r\n',
  );
  expect((await peer.replies(9)).map((answer) => answer?.slice(0, 9))).toEqual([
    '250 2.1.0',
    '550 5.1.1',
    '501 5.1.3',
    '250 2.1.5',
    '501 5.5.4',
    '250 2.0.0',
    '250 2.1.5',
    '250 2.0.0',
    '503 5.5.1',
  ]);
});

test('a whole session in one segment, QUIT and all', async () => {
  const peer = new Peer();
  peer.send(
    'LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<django>\r\nDATA\r\nSubject: 1\r\n\r\n.\r\n' +
      'MAIL FROM:<>\r\nRCPT TO:<inge>\r\nBDAT 4\r\nA: bBDAT 4 LAST\r\n\r\n\r\nQUIT\r\nMAIL FROM:<late@example.org>\r\n',
  );
  expect((await peer.rest()).map((answer) => answer.slice(0, 9))).toEqual([
    '220 imap.',
    '250-imap.',
    '250 2.1.0',
    '250 2.1.5',
    '354 go ah',
    '250 2.1.5',
    '250 2.1.0',
    '250 2.1.5',
    '250 2.0.0',
    '250 2.1.5',
    '221 2.0.0',
  ]);
  expect(peer.store.delivered.map(({ user }) => user)).toEqual(['django', 'inge']);
});

test('BDAT that lies about its size', async () => {
  // Too large: the commands behind it are its text, until it is full.
  const large = await new Peer().greet();
  large.send('MAIL FROM:<>\r\nRCPT TO:<django>\r\nBDAT 12 LAST\r\n\r\n\r\nabQUIT\r\n');
  expect((await large.replies(3)).at(-1)).toStartWith('250 2.1.5');
  expect(large.store.delivered[0]?.bytes).toEndWith('\r\n\r\n\r\nabQUIT\r\n');
  // Too small: what is left over is no command.
  const small = await new Peer().greet();
  small.send('MAIL FROM:<>\r\nRCPT TO:<django>\r\nBDAT 2 LAST\r\n\r\n\x01\x02\x00\r\nNOOP\r\n');
  expect((await small.replies(5)).slice(2).map((answer) => answer?.slice(0, 9))).toEqual([
    '250 2.1.5',
    '500 5.5.2',
    '250 2.0.0',
  ]);
});

test.each(['BDAT', 'BDAT -1', 'BDAT 1x', 'BDAT 10 FIRST', 'BDAT 1e3', `BDAT ${'9'.repeat(21)}`, 'BDAT LAST'])(
  '%s: nobody knows how much follows, so nothing of it is read',
  async (command) => {
    const peer = await new Peer().greet();
    peer.send(`MAIL FROM:<>\r\nRCPT TO:<django>\r\n${command}\r\nRCPT TO:<inge>\r\n`);
    expect((await peer.rest()).at(-1)).toStartWith('501 5.5.4');
    expect(peer.store.requests).toHaveLength(1);
  },
);

test('a chunk that is refused is read before the answer', async () => {
  const peer = await new Peer().greet();
  peer.send(
    'BDAT 6\r\nQUIT\r\nMAIL FROM:<>\r\nBDAT 6\r\nQUIT\r\nRCPT TO:<nobody>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n',
  );
  // RFC 2033 §4.3: without an accepted recipient BDAT LAST has no reply.
  expect((await peer.replies(5)).map((answer) => answer?.slice(0, 9))).toEqual([
    '503 5.5.1',
    '250 2.1.0',
    '503 5.5.1',
    '550 5.1.1',
    '250 2.0.0',
  ]);
  const broken = new FakeStore();
  broken.diskSize = 0;
  const other = await new Peer({ store: broken }).greet();
  other.send('MAIL FROM:<>\r\nRCPT TO:<django>\r\nBDAT 6\r\n\r\nQUITBDAT 6 LAST\r\nQUIT\r\nRSET\r\n');
  expect((await other.replies(5)).slice(2).map((answer) => answer?.slice(0, 9))).toEqual([
    '451 4.3.0',
    '451 4.3.0',
    '250 2.0.0',
  ]);
});

test('a mail loop ends at the limit of hops', async () => {
  const hop = 'Received: by mx.example.org id ABCDE; now\r\n';
  const peer = await peerInData();
  peer.send(`${hop.repeat(limits.lmtp_hops.value)}\r\n.\r\n`);
  expect(await peer.reply()).toStartWith('250 2.1.5');
  const loop = await peerInData();
  loop.send(`${hop.repeat(limits.lmtp_hops.value + 1)}\r\nbody\r\n.\r\n`);
  expect(await loop.reply()).toStartWith('554 5.4.6 ');
  expect(loop.store.stages[0]?.state).toBe('aborted');
  const other = await peerInData();
  other.send(`${'Delivered-To: django@nausch.org\r\n'.repeat(limits.lmtp_hops.value + 1)}\r\nbody\r\n.\r\n`);
  expect(await other.reply()).toStartWith('554 5.4.6 ');
});

test('lines end with CRLF, and one that is too long is dropped as a whole', async () => {
  const peer = await new Peer().greet();
  expect(await peer.say('NOOP\nRSET')).toStartWith('500 5.5.2 A line ends with CR LF');
  expect(await peer.reply()).toBe('250 2.0.0 ok');
  expect(await peer.say(`NOOP ${'x'.repeat(limits.lmtp_line.value)}`)).toBe('500 5.5.2 Line too long');
  for (let count = 0; count < 100; count++) peer.send('x'.repeat(1000));
  expect(await peer.say('')).toBe('500 5.5.2 Line too long');
  expect(await peer.say(`NOOP ${'x'.repeat(limits.lmtp_line.value - 7)}`)).toBe('250 2.0.0 ok');
  const early = new Peer();
  early.send('x'.repeat(limits.lmtp_line.value + 1));
  expect((await early.rest()).at(-1)).toStartWith('421 4.7.0');
});

test.each([
  'GET / HTTP/1.1',
  'Host: localhost',
  '\x16\x03\x01\x02',
  '<script>alert(1)</script>',
  'a001 LOGIN x y',
])(
  'another protocol: %j ends the connection, and nothing of it is repeated',
  async (line) => {
    const peer = new Peer();
    peer.send(`${line}\r\nMAIL FROM:<a@b.example>\r\n`);
    expect(await peer.rest()).toEqual([
      '220 imap.nausch.org server ready',
      '421 4.7.0 Unknown command, this is LMTP',
    ]);
    const stranger = await new Peer({ remoteAddress: '192.0.2.1' }).greet();
    stranger.send(`${line}\r\nNOOP\r\n`);
    expect(await stranger.rest()).toEqual(['421 4.7.0 Unknown command, this is LMTP']);
  },
);

test('too many bad commands end the connection', async () => {
  const peer = await new Peer().greet();
  peer.send('XYZZY\r\n'.repeat(limits.lmtp_bad_commands.value + 5));
  const answers = await peer.rest();
  expect(answers).toHaveLength(limits.lmtp_bad_commands.value + 1);
  expect(answers.at(-1)).toStartWith('421 4.7.0');
});

test('a client that does not read its answers is not served until it does', async () => {
  const peer = new Peer({ window: 1000 });
  await peer.reply();
  peer.send(`LHLO x\r\n${'NOOP\r\n'.repeat(5000)}`);
  peer.send('NOOP\r\n'.repeat(50_000));
  await new Promise(setImmediate);
  expect(peer.connection.pendingBytes).toBeLessThan(2000);
  expect(peer.connection.paused).toBe(true);
  for (let taken = 0; taken < 55_001;) {
    taken += peer.connection.take().toString().match(/\n/g)?.length ?? 0;
    if (taken < 55_001) await new Promise(setImmediate);
    if (peer.connection.closed) break;
  }
  expect(peer.connection.mostPending).toBeLessThan(2000);
});

test('input that comes during a delivery waits in bounds', async () => {
  const peer = await peerInData();
  const { promise, resolve } = Promise.withResolvers<void>();
  peer.store.gate = promise;
  peer.send('Subject: x\r\n\r\n.\r\n');
  const flood = 'NOOP\r\n'.repeat(1000);
  let sent = 0;
  for (; !peer.connection.paused; sent += flood.length) peer.send(flood);
  expect(sent).toBeGreaterThan(limits.lmtp_waiting_input.value);
  expect(sent).toBeLessThanOrEqual(limits.lmtp_waiting_input.value + flood.length);
  resolve();
  expect(await peer.reply()).toStartWith('250 2.1.5');
  expect(await peer.reply()).toBe('250 2.0.0 ok');
  expect(await peer.say('QUIT')).toBe('250 2.0.0 ok');
});

test('silence ends the connection, but not while we work', async () => {
  const peer = await peerInData();
  expect(peer.connection.idleTimeout).toBe(limits.lmtp_idle.value * 1000);
  const { promise, resolve } = Promise.withResolvers<void>();
  peer.store.gate = promise;
  peer.send('Subject: x\r\n\r\n.\r\n');
  peer.connection.expireIdle();
  resolve();
  expect(await peer.reply()).toStartWith('250 2.1.5');
  peer.connection.expireIdle();
  expect(await peer.rest()).toEqual(['421 4.4.2 Timeout, closing']);
});

test('shutting down waits for deliveries and forgets what is not complete', async () => {
  const peer = await peerInData();
  const { promise, resolve } = Promise.withResolvers<void>();
  peer.store.gate = promise;
  peer.send('Subject: x\r\n\r\n.\r\n');
  let down = false;
  const shutdown = peer.protocol.shutdown().then(() => (down = true));
  await new Promise(setImmediate);
  expect(down).toBe(false);
  resolve();
  expect(await peer.rest()).toEqual([
    expect.stringMatching(/^250 2\.1\.5/),
    '421 4.3.2 imap.nausch.org is shutting down',
  ]);
  await shutdown;

  const half = await peerInData();
  half.send('Subject: x\r\n\r\nhalf');
  await half.protocol.shutdown();
  expect(await half.rest()).toEqual(['421 4.3.2 imap.nausch.org is shutting down']);
  expect(half.store.stages[0]?.state).toBe('aborted');
});

const SESSION =
  'LHLO x\r\nMAIL FROM:<a@b.example> SIZE=5\r\nRCPT TO:<django>\r\nRCPT TO:<nobody>\r\nDATA\r\n' +
  'Return-Path: <forged@example.org>\r\nSubject: dots\r\n\r\n..a\r\n.\n\r.\r\r\n.b\r\n...\r\n\r\n.\r\n' +
  'NOOP\r\nBOGUS\r\nMAIL FROM:<>\r\nRCPT TO:<inge>\r\nRCPT TO:<django+Lists>\r\nBDAT 20\r\nMessage-ID: <x@y>\r\n\r\n' +
  'BDAT 0\r\nBDAT 7 LAST\r\nQUIT\r\n.MAIL FROM:<>\r\nRCPT TO:<django>\r\nDATA\r\n.\r\nVRFY inge\r\nQUIT\r\n';

async function outcome(cuts: readonly number[]): Promise<string> {
  const peer = new Peer();
  let from = 0;
  for (const cut of [...cuts, SESSION.length]) {
    peer.send(SESSION.slice(from, cut));
    from = cut;
    if (cut % 3 === 0) await Promise.resolve();
  }
  const answers = await peer.rest();
  const stored = peer.store.delivered.map(({ user, folder, bytes }) => `${user}/${folder}: ${bytes}`);
  return [...answers, ...stored].join('\n')
    .replace(/id=\S+/g, 'id=Q').replace(/ id [a-z0-9.]+;\r\n\t.*/g, ' id Q; DATE').replace(
      /lmtp-[a-z0-9.]+@/g,
      'Q@',
    );
}

test('however a session is cut into segments, answers and messages are the same', async () => {
  const whole = await outcome([]);
  expect(whole).toContain('django/: Return-Path: <a@b.example>\r\n');
  expect(whole).toContain('\r\n\r\n.a\r\n\n\r.\r\r\nb\r\n..\r\n\r\n');
  expect(await outcome(Array.from({ length: SESSION.length }, (_, index) => index))).toBe(whole);
  for (let cut = 1; cut < SESSION.length; cut++) {
    expect(`${cut} ${await outcome([cut])}`).toBe(`${cut} ${whole}`);
  }
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  for (let round = 0; round < 200; round++) {
    const cuts = Array.from({ length: random.below(40) }, () => random.below(SESSION.length)).sort((a, b) =>
      a - b
    );
    expect(`seed ${seed} ${cuts} ${await outcome(cuts)}`).toBe(`seed ${seed} ${cuts} ${whole}`);
  }
});

test('any garbage is answered line by line or ends the connection, and nothing is delivered by accident', async () => {
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  const pieces = [
    ...[
      'LHLO x\r\n',
      'MAIL FROM:<a@b.example>\r\n',
      'RCPT TO:<nobody>\r\n',
      'DATA\r\n',
      'RSET\r\n',
      'NOOP\r\n',
    ],
    ...['BDAT 3 LAST\r\n', 'BDAT 5\r\n', 'VRFY django\r\n', 'STARTTLS\r\n', 'HELP\r\n', '.\r\n', '\r\n.\r\n'],
    ...[
      '\r',
      '\n',
      '\0',
      '\xff\xfe',
      '<',
      '>',
      '"',
      ' ',
      'SIZE=',
      'x'.repeat(300),
      'MAIL FROM:<',
      'RCPT TO:<"',
    ],
  ];
  for (let round = 0; round < 300; round++) {
    const peer = new Peer({ canStartTls: random.oneIn(2) });
    let said = '';
    for (let count = random.below(40); count > 0; count--) {
      const piece = random.oneIn(5) ? String.fromCharCode(random.below(256)) : random.pick(pieces);
      said += piece;
      peer.send(piece);
      if (random.oneIn(3)) await Promise.resolve();
    }
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    const context = `seed ${seed} round ${round} ${JSON.stringify(said)}`;
    const lines = peer.connection.take().toString('latin1').split('\r\n');
    expect([context, lines.pop()]).toEqual([context, '']);
    for (const line of lines) {
      expect(`${context} ${/^[2-5]\d\d[ -][\x20-\x7e]*$/.test(line)}`).toBe(`${context} true`);
    }
    expect([context, peer.store.delivered.length]).toEqual([context, 0]);
    expect([context, peer.log.filter(({ level }) => level === 'error')]).toEqual([context, []]);
    peer.connection.hangUp();
    expect([context, peer.store.stages.filter(({ state }) => state === 'open').length]).toEqual([context, 0]);
  }
});
