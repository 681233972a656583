/** The client's side of SMTP against a server that keeps what it was given: bytes, parameters, refusals, silence. */

import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DsnNotify,
  type Envelope,
  messageOf,
  type OutgoingMessage,
} from '../../src/outgoing/envelope.ts';
import { DataEncoder } from '../../src/outgoing/smtp/data.ts';
import { SmtpMailer } from '../../src/outgoing/smtp/mailer.ts';
import type { SmtpManner } from '../../src/outgoing/smtp/open.ts';
import { xtext } from '../../src/outgoing/smtp/parameters.ts';
import { freePorts } from '../harness/ports.ts';
import { Random } from '../harness/random.ts';
import { type SinkOptions, SmtpSink } from '../harness/smtpsink.ts';
import { makeCertificate } from '../net/certificates.ts';

const PLAIN: SmtpManner = { clientName: 'imap.example.org', host: 'localhost', tls: 'never', login: null };
const TEXT = 'Subject: x\r\n\r\n.\r\n..y\r\nend\r\n';
const SIMPLE: Envelope = { sender: 'anna@example.org', recipients: [{ address: 'bert@example.net' }] };

let sink: SmtpSink;
let folder = '';

afterEach(async () => {
  await sink?.stop();
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
  folder = '';
});

function bytes(text: string): OutgoingMessage {
  return messageOf(Buffer.from(text, 'latin1'));
}

async function mailer(options: SinkOptions = {}, manner: Partial<SmtpManner> = {}): Promise<SmtpMailer> {
  sink = await SmtpSink.start(options);
  return new SmtpMailer({ host: '127.0.0.1', port: sink.port }, () => ({ ...PLAIN, ...manner }));
}

test('BDAT carries the bytes as they are, whatever they are', async () => {
  const smtp = await mailer();
  const all = `Subject: x\r\n\r\n.\n\r.\r\n.\rbare\n\0${String.fromCharCode(...Array(256).keys())}no end`;
  const outcomes = await smtp.send(SIMPLE, bytes(all));
  expect(outcomes).toEqual([
    { address: 'bert@example.net', kind: 'sent', status: '2.0.0', text: '250 Ok: queued as SINK' },
  ]);
  expect(sink.messages[0]?.data).toBe(all);
  expect(sink.messages[0]?.how).toBe('BDAT');
  expect(sink.messages[0]?.mail).toBe(`MAIL FROM:<anna@example.org> SIZE=${all.length} BODY=8BITMIME`);
});

test('without CHUNKING DATA does, with dots doubled and every line ended by CRLF', async () => {
  const smtp = await mailer({ extensions: ['8BITMIME'] });
  await smtp.send(SIMPLE, bytes(TEXT));
  await smtp.send(SIMPLE, bytes('a\n.\nb\r.\rc\r\n'));
  expect(sink.messages.map(({ data }) => data)).toEqual([TEXT, 'a\r\n.\r\nb\r\n.\r\nc\r\n']);
  expect(sink.lines.slice(0, 5)).toEqual([
    'EHLO imap.example.org',
    'MAIL FROM:<anna@example.org>',
    'RCPT TO:<bert@example.net>',
    'DATA',
    'QUIT',
  ]);
});

test('what is encoded in any cuts is the same, and holds no line end but CRLF', () => {
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  for (let round = 0; round < 2000; round++) {
    let text = '';
    for (let count = random.below(20); count > 0; count--) {
      text += random.pick(['\n', '\r\n', '\r', '.', '..', 'x']);
    }
    const encoder = new DataEncoder({ bareCr: 'end' });
    let encoded = '';
    for (let at = 0; at < text.length;) {
      const length = 1 + random.below(4);
      encoded += encoder.push(Buffer.from(text.slice(at, at + length), 'latin1')).toString('latin1');
      at += length;
    }
    encoded += encoder.end().toString('latin1');
    const lines = text.split(/\r\n|\r|\n/);
    if (lines.at(-1) === '') lines.pop();
    const model = `${lines.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('')}.\r\n`;
    expect([seed, round, text, encoded]).toEqual([seed, round, text, model]);
  }
});

test('one reply per recipient: refused for now, for ever, and taken', async () => {
  const smtp = await mailer({
    answer: (line) =>
      line.includes('later@')
        ? '452 4.2.2 full'
        : line.includes('never@')
        ? '550-5.1.1 no\r\n550 5.1.1 such user'
        : null,
  });
  const recipients = ['later@x', 'never@x', 'now@x'].map((address) => ({ address }));
  const outcomes = await smtp.send({ sender: '', recipients }, bytes(TEXT));
  expect(outcomes.map(({ address, kind, status, text }) => [address, kind, status, text])).toEqual([
    ['later@x', 'temporary', '4.2.2', '452 4.2.2 full'],
    ['never@x', 'permanent', '5.1.1', '550 5.1.1 no such user'],
    ['now@x', 'sent', '2.0.0', '250 Ok: queued as SINK'],
  ]);
  expect(sink.messages.map(({ mail, rcpts }) => [mail, rcpts])).toEqual([
    [`MAIL FROM:<> SIZE=${TEXT.length}`, ['RCPT TO:<now@x>']],
  ]);
});

test('nobody is taken: no data is sent', async () => {
  const smtp = await mailer({ answer: (line) => line.startsWith('RCPT') ? '550 5.7.1 no' : null });
  const [outcome] = await smtp.send(SIMPLE, bytes(TEXT));
  expect(outcome?.kind).toBe('permanent');
  expect(sink.lines.filter((line) => /^(?:DATA|BDAT)/.test(line))).toEqual([]);
});

test('a sender or a message that is refused is refused for all', async () => {
  const recipients = [{ address: 'a@x' }, { address: 'b@x' }];
  const smtp = await mailer({ answer: (line) => line.startsWith('MAIL') ? '552 5.3.4 too big' : null });
  const kinds = async () =>
    (await smtp.send({ sender: 'x@y', recipients }, bytes(TEXT))).map(({ kind }) => kind);
  expect(await kinds()).toEqual(['permanent', 'permanent']);
  sink.options = { answer: (line) => line === '.' ? '451 4.3.0 try again' : null };
  expect(await kinds()).toEqual(['temporary', 'temporary']);
  expect(sink.messages).toEqual([]);
});

test('pipelining: the envelope is one write', async () => {
  const smtp = await mailer();
  const recipients = Array.from({ length: 40 }, (_, at) => ({ address: `r${at}@example.net` }));
  await smtp.send({ sender: 'a@b', recipients }, bytes(TEXT));
  // EHLO; MAIL and RCPT; BDAT, perhaps apart from its bytes; QUIT
  expect(sink.reads).toBeLessThanOrEqual(6);
  expect(sink.messages[0]?.rcpts.length).toBe(40);
});

test('more recipients than a transaction takes go in several', async () => {
  const smtp = await mailer();
  const recipients = Array.from({ length: 230 }, (_, at) => ({ address: `r${at}@example.net` }));
  const outcomes = await smtp.send({ sender: 'a@b', recipients }, bytes(TEXT));
  expect(outcomes.map(({ address }) => address)).toEqual(recipients.map(({ address }) => address));
  expect(sink.messages.map(({ rcpts }) => rcpts.length)).toEqual([100, 100, 30]);
});

test('DSN and DELIVERBY are asked for where they are offered, and nowhere else', async () => {
  const envelope: Envelope = {
    sender: 'a@b',
    recipients: [{ address: 'c@d', notify: ['SUCCESS', 'FAILURE'], originalRecipient: 'rfc822;x+y@z' }],
    ret: 'HDRS',
    envid: 'id=1 +',
    deliverBy: { seconds: 120, mode: 'notify', trace: true },
  };
  const smtp = await mailer();
  await smtp.send(envelope, bytes(TEXT));
  sink.options = { extensions: ['CHUNKING'] };
  await smtp.send(envelope, bytes(TEXT));
  expect(sink.messages.map(({ mail, rcpts }) => [mail, rcpts[0]])).toEqual([
    [
      `MAIL FROM:<a@b> SIZE=${TEXT.length} RET=HDRS ENVID=id+3D1+20+2B BY=120;NT`,
      'RCPT TO:<c@d> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x+2By@z',
    ],
    ['MAIL FROM:<a@b>', 'RCPT TO:<c@d>'],
  ]);
});

test('RFC 2852 §4.1.4: what must come back in time goes to nobody who does not say so; a late one is told of', async () => {
  const envelope = (mode: 'return' | 'notify', notify?: DsnNotify): Envelope => ({
    sender: 'a@b',
    recipients: [{ address: 'c@d', ...(notify === undefined ? {} : { notify }) }],
    deliverBy: { seconds: 120, mode, trace: false },
  });
  const smtp = await mailer();
  sink.options = { extensions: ['DSN'] };
  const [refused] = await smtp.send(envelope('return'), bytes(TEXT));
  expect([refused?.kind, refused?.status]).toEqual(['permanent', '5.4.7']);
  expect(sink.messages).toEqual([]);
  const [sent] = await smtp.send(envelope('notify'), bytes(TEXT));
  expect([sent?.kind, sent?.untimed]).toEqual(['sent', true]);
  await smtp.send(envelope('notify', ['SUCCESS']), bytes(TEXT));
  await smtp.send(envelope('notify', ['NEVER']), bytes(TEXT));
  expect(sink.messages.map(({ rcpts }) => rcpts[0])).toEqual([
    'RCPT TO:<c@d> NOTIFY=FAILURE,DELAY',
    'RCPT TO:<c@d> NOTIFY=SUCCESS,DELAY',
    'RCPT TO:<c@d> NOTIFY=NEVER',
  ]);
});

test('an address beyond ASCII needs SMTPUTF8', async () => {
  const envelope: Envelope = { sender: 'a@b', recipients: [{ address: 'grün@example.org' }] };
  const smtp = await mailer();
  await smtp.send(envelope, bytes(TEXT));
  expect(Buffer.from(sink.messages[0]?.rcpts[0] ?? '', 'latin1').toString()).toBe(
    'RCPT TO:<grün@example.org>',
  );
  expect(sink.messages[0]?.mail).toContain(' SMTPUTF8');
  sink.options = { extensions: ['CHUNKING'] };
  const [outcome] = await smtp.send(envelope, bytes(TEXT));
  expect([outcome?.kind, outcome?.status]).toEqual(['permanent', '5.6.7']);
});

test('an address cannot begin another command', async () => {
  const smtp = await mailer();
  await smtp.send({ sender: 'a@b>\r\nRSET', recipients: [{ address: 'c@d\r\nQUIT\r\n' }] }, bytes(TEXT));
  expect(sink.messages[0]?.rcpts).toEqual(['RCPT TO:<c@dQUIT>']);
  expect(sink.lines.filter((line) => line === 'RSET')).toEqual([]);
  expect(xtext('a\r\nb')).toBe('a+0D+0Ab');
});

test('a server that is not there, refuses, talks nonsense or hangs up is a temporary failure', async () => {
  const [nowhere = 0] = await freePorts(1);
  const absent = new SmtpMailer({ host: '127.0.0.1', port: nowhere }, () => PLAIN);
  expect((await absent.send(SIMPLE, bytes(TEXT)))[0]?.kind).toBe('temporary');
  const smtp = await mailer({ answer: (line) => line === 'CONNECT' ? '554 5.3.2 no service' : null });
  const kind = async () => (await smtp.send(SIMPLE, bytes(TEXT)))[0]?.kind;
  expect(await kind()).toBe('temporary');
  sink.options = { answer: (line) => line === 'CONNECT' ? 'SSH-2.0-OpenSSH' : null };
  expect(await kind()).toBe('temporary');
  sink.options = { answer: (line) => line.startsWith('MAIL') ? '421 4.3.2 shutting down' : null };
  expect(await kind()).toBe('temporary');
});

test('a server that says nothing is waited for until the time is over', async () => {
  const smtp = await mailer({ answer: (line) => line === '.' ? '' : null });
  const [outcome] = await smtp.send(SIMPLE, bytes(TEXT), 0.2);
  expect([outcome?.kind, outcome?.status]).toEqual(['temporary', '4.4.2']);
  expect(sink.messages).toEqual([]);
});

test('connections are bounded; who waits too long for one fails', async () => {
  let connections = 0;
  const smtp = await mailer({
    answer(line) {
      if (line !== 'CONNECT') return null;
      connections++;
      return '';
    },
  });
  const many = Array.from({ length: 25 }, () => smtp.send(SIMPLE, bytes(TEXT), 0.3));
  const kinds = (await Promise.all(many)).map(([outcome]) => outcome?.kind);
  expect(kinds).toEqual(Array(25).fill('temporary'));
  // Who waited may still get the place of one that has just failed.
  expect(connections).toBeLessThan(25);
  sink.options = {};
  expect((await smtp.send(SIMPLE, bytes(TEXT)))[0]?.kind).toBe('sent');
});

test('STARTTLS, checked where it is asked for; what is known from before TLS counts no more', async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-smtp-'));
  const tls = makeCertificate(folder, 'sink', ['localhost']);
  const smtp = await mailer({ tls }, { tls: 'required', ca: readFileSync(tls.cert) });
  expect((await smtp.send(SIMPLE, bytes(TEXT)))[0]?.kind).toBe('sent');
  expect(sink.messages[0]?.tls).toBe(true);
  expect(sink.lines.filter((line) => line.startsWith('EHLO')).length).toBe(2);

  const place = { host: '127.0.0.1', port: sink.port };
  const unknown = new SmtpMailer(place, () => ({ ...PLAIN, tls: 'required' }));
  expect((await unknown.send(SIMPLE, bytes(TEXT)))[0]?.text).toContain(
    'the certificate of the server is not good',
  );
  const offered = new SmtpMailer(place, () => ({ ...PLAIN, tls: 'offered' }));
  expect((await offered.send(SIMPLE, bytes(TEXT)))[0]?.kind).toBe('sent');
  sink.options = {};
  expect((await unknown.send(SIMPLE, bytes(TEXT)))[0]?.text).toContain('the server does not offer TLS');
});

test('logging in: the strongest mechanism, never a password in the open', async () => {
  const login = { name: 'store', password: 'secret', realm: '' };
  const smtp = await mailer({ user: ['store', 'secret'] }, { login });
  await smtp.send(SIMPLE, bytes(TEXT));
  expect(sink.messages[0]?.user).toBe('store');
  expect(sink.lines[1]).toBe('AUTH CRAM-MD5');

  const place = { host: '127.0.0.1', port: sink.port };
  const wrong = new SmtpMailer(place, () => ({ ...PLAIN, login: { ...login, password: 'x' } }));
  expect((await wrong.send(SIMPLE, bytes(TEXT)))[0]).toMatchObject({ kind: 'temporary', status: '4.4.1' });
  sink.options = { user: ['store', 'secret'], answer: (line) => line.startsWith('EHLO') ? null : null };
  sink.clear();
  const open = new SmtpMailer(place, () => ({ ...PLAIN, tls: 'offered', login }));
  await open.send(SIMPLE, bytes(TEXT));
  expect(sink.lines[1]).toBe('AUTH CRAM-MD5');
});

test('a program that speaks SMTP on its standard input', async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-smtp-'));
  const program = join(folder, 'sendmail');
  writeFileSync(
    program,
    `#!/bin/sh
printf '220 program\\r\\n'
while read -r line; do
  echo "$line" >> ${folder}/lines
  case "$line" in
    EHLO*) printf '250-program\\r\\n250 8BITMIME\\r\\n' ;;
    DATA*) printf '354 go\\r\\n' ;;
    QUIT*) printf '221 bye\\r\\n'; exit ;;
    MAIL*|RCPT*) printf '250 ok\\r\\n' ;;
    .*) [ "$(printf %s "$line" | tr -d '\\r')" = . ] && printf '250 2.0.0 taken\\r\\n' ;;
  esac
done
`,
    { mode: 0o755 },
  );
  const smtp = new SmtpMailer({ program, args: ['-bs'] }, () => ({ ...PLAIN, host: '' }));
  expect((await smtp.send(SIMPLE, bytes('Subject: x\r\n\r\nbody\r\n')))[0]).toMatchObject({ kind: 'sent' });
  expect(readFileSync(join(folder, 'lines'), 'utf8').replaceAll('\r', '')).toContain(
    'DATA\nSubject: x\n\nbody\n.\n',
  );

  const missing = new SmtpMailer({ program: join(folder, 'none'), args: [] }, () => PLAIN);
  expect((await missing.send(SIMPLE, bytes(TEXT)))[0]).toMatchObject({ kind: 'temporary' });
});
