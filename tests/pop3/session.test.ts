import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { limits } from '../../src/limits.ts';
import type { StoreSession } from '../../src/store/border.ts';
import { PASSWORD, Pop3Client, Pop3Server } from './pop3server.ts';

const HELLO = 'From: a@example.org\r\nSubject: one\r\n\r\nfirst\r\n.dot\r\nlast\r\n';
const SECOND = 'Subject: two\r\n\r\nno end';

let server: Pop3Server;
let session: StoreSession;
beforeAll(async () => {
  server = await Pop3Server.open({
    allowapop: true,
    sasl_mech_list: ['CRAM-MD5', 'PLAIN', 'LOGIN', 'SCRAM-SHA-256'],
  });
  session = await server.session('django');
  await server.append(session, HELLO);
  await server.append(session, SECOND);
});
afterAll(() => server.close());

async function closed(client: Pop3Client): Promise<void> {
  expect(await client.say('QUIT')).toBe('+OK Bye');
  expect(await client.answer()).toBe('<closed>');
}

describe('before a login', () => {
  test('the greeting has a timestamp of its own (RFC 1939 §7)', async () => {
    const client = await server.connect();
    const other = await server.connect();
    expect(client.greeting).toMatch(/^\+OK pop\.nausch\.org POP3 server ready <[^<>@\s]+@pop\.nausch\.org>$/);
    expect(client.greeting).not.toBe(other.greeting);
    await closed(client);
    await closed(other);
  });

  test('CAPA tells what can be done (RFC 2449 §5)', async () => {
    const client = await server.connect({ canStartTls: true });
    const capabilities = await client.lines('CAPA');
    for (const one of ['TOP', 'UIDL', 'PIPELINING', 'RESP-CODES', 'AUTH-RESP-CODE', 'USER', 'STLS', 'LANG']) {
      expect(capabilities).toContain(one);
    }
    expect(capabilities).toContain('SASL SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN');
    expect(capabilities).toContain('UTF8 USER');
    expect(capabilities).toContain('EXPIRE NEVER');
    await closed(client);
  });

  test('commands of the transaction state are refused', async () => {
    const client = await server.connect();
    for (const command of ['STAT', 'LIST', 'RETR 1', 'DELE 1', 'NOOP', 'RSET', 'TOP 1 1', 'UIDL']) {
      expect(await client.say(command)).toBe('-ERR Log in first');
    }
    expect(await client.say('PASS x')).toBe('-ERR Say USER first');
    await closed(client);
  });

  test('a wrong password is answered with [AUTH], whoever it is (RFC 3206)', async () => {
    const client = await server.connect();
    expect(await client.say('USER nobody')).toBe('+OK Name is a valid mailbox');
    expect(await client.say('PASS wrong')).toBe('-ERR [AUTH] authentication failure');
    expect(await client.say('USER django')).toBe('+OK Name is a valid mailbox');
    expect(await client.say('PASS wrong')).toBe('-ERR [AUTH] authentication failure');
    await closed(client);
  });

  test('LANG (RFC 6856 §3)', async () => {
    const client = await server.connect();
    expect(await client.lines('LANG')).toEqual(['en English', 'i-default English']);
    expect(await client.say('LANG *')).toBe('+OK en Language changed');
    expect(await client.say('LANG en-GB')).toBe('+OK en Language changed');
    expect(await client.say('LANG mul')).toBe('-ERR There is no such language');
    await closed(client);
  });
});

describe('logging in', () => {
  test('USER and PASS', async () => {
    const client = await server.login();
    expect(client.greeting).toMatch(/^\+OK Mailbox locked and ready, 2 messages \(\d+ octets\)$/);
    expect(await client.say('USER django')).toBe('-ERR You are logged in already');
    await closed(client);
  });

  test('APOP', async () => {
    const digest = (greeting: string, password: string) =>
      createHash('md5').update(/<[^>]+>/.exec(greeting)?.[0] ?? '').update(password).digest('hex');
    const client = await server.connect();
    expect(await client.say(`APOP django ${digest(client.greeting, 'wrong')}`)).toStartWith('-ERR [AUTH]');
    expect(await client.say(`APOP nobody ${digest('<other@x>', PASSWORD)}`)).toStartWith('-ERR [AUTH]');
    expect(await client.say('APOP django')).toBe('-ERR Expected APOP name digest');
    expect(await client.say(`APOP django ${digest(client.greeting, PASSWORD)}`)).toStartWith(
      '+OK Mailbox locked',
    );
    await closed(client);
  });

  test('AUTH, with and without an initial response (RFC 5034)', async () => {
    const plain = Buffer.from(`\0django\0${PASSWORD}`).toString('base64');
    const client = await server.connect();
    expect(await client.lines('AUTH')).toEqual(['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN']);
    expect(await client.say('AUTH PLAIN')).toBe('+ ');
    expect(await client.say('*')).toBe('-ERR Authentication cancelled');
    expect(await client.say('AUTH PLAIN !')).toStartWith('-ERR');
    expect(await client.say('AUTH GSSAPI')).toStartWith('-ERR');
    expect(await client.say(`AUTH PLAIN ${plain}`)).toStartWith('+OK Mailbox locked');
    await closed(client);
    const other = await server.connect();
    expect(await other.say('AUTH PLAIN')).toBe('+ ');
    expect(await other.say(plain)).toStartWith('+OK Mailbox locked');
    await closed(other);
  });

  test('one session at a time; what another has is [IN-USE] (RFC 2449 §8.1.2)', async () => {
    const first = await server.login();
    const second = await server.login();
    expect(second.greeting).toStartWith('-ERR [IN-USE]');
    await closed(first);
    expect(await second.say('USER django')).toStartWith('+OK');
    expect(await second.say(`PASS ${PASSWORD}`)).toStartWith('+OK Mailbox locked');
    second.connection.hangUp();
    const third = await server.login();
    expect(third.greeting).toStartWith('+OK');
    await closed(third);
  });

  test('without TLS only where allowplaintext says so', async () => {
    const strict = await Pop3Server.open({ allowplaintext: false });
    try {
      const client = await strict.connect({ canStartTls: true });
      expect(await client.lines('CAPA')).not.toContain('USER');
      expect(await client.say('USER django')).toBe('-ERR Passwords are not accepted without TLS');
      // What is pipelined behind STLS in plain text is never read (CVE-2021-33515).
      client.send('STLS\r\nUSER mallory\r\n');
      expect(await client.answer()).toStartWith('+OK Begin TLS');
      expect(await client.say('PASS x')).toBe('-ERR Say USER first');
      expect(await client.say('STLS')).toBe('-ERR TLS is on already');
      expect(await client.lines('CAPA')).toContain('USER');
      await closed(client);
    } finally {
      await strict.close();
    }
  });
});

describe('messages', () => {
  test('STAT, LIST and UIDL', async () => {
    const client = await server.login();
    const sizes = [HELLO.length, SECOND.length];
    expect(await client.say('STAT')).toBe(`+OK 2 ${HELLO.length + SECOND.length}`);
    expect(await client.lines('LIST')).toEqual(sizes.map((size, at) => `${at + 1} ${size}`));
    expect(await client.say('LIST 2')).toBe(`+OK 2 ${SECOND.length}`);
    const ids = await client.lines('UIDL');
    expect(ids).toEqual([expect.stringMatching(/^1 \d+\.1$/), expect.stringMatching(/^2 \d+\.2$/)]);
    expect(await client.say('UIDL 1')).toBe(`+OK ${ids[0]}`);
    await closed(client);
    const again = await server.login();
    expect(await again.lines('UIDL')).toEqual(ids);
    await closed(again);
  });

  test('RETR sends every byte, dots stuffed; TOP the header and so many lines', async () => {
    const client = await server.login();
    expect(await client.lines('RETR 1')).toEqual([
      'From: a@example.org',
      'Subject: one',
      '',
      'first',
      '..dot',
      'last',
    ]);
    expect(await client.lines('RETR 2')).toEqual(['Subject: two', '', 'no end']);
    expect(await client.lines('TOP 1 0')).toEqual(['From: a@example.org', 'Subject: one', '']);
    expect(await client.lines('TOP 1 2')).toEqual([
      'From: a@example.org',
      'Subject: one',
      '',
      'first',
      '..dot',
    ]);
    expect(await client.lines('TOP 1 4000000000')).toHaveLength(6);
    expect(await client.lines('TOP 2 9')).toEqual(['Subject: two', '', 'no end']);
    await closed(client);
  });

  test('numbers that are none', async () => {
    for (const number of ['0', '3', '4294967296', '99999999999', '-1', '+1', '1.0', '', 'x', '1 2']) {
      const client = await server.login();
      if (number !== '') expect(await client.say(`LIST ${number}`)).toStartWith('-ERR');
      expect(await client.say(`RETR ${number}`)).toStartWith('-ERR');
      expect(await client.say(`DELE ${number}`)).toStartWith('-ERR');
      const number32 = /^\d{1,10}$/.test(number);
      expect(await client.say(`TOP 1 ${number}`)).toStartWith(number32 ? '+OK' : '-ERR');
      if (number32) { while (await client.answer() !== '.'); }
      await closed(client);
    }
  });

  test('DELE is carried out by QUIT alone', async () => {
    const own = await server.session('inge');
    for (const text of [HELLO, SECOND, HELLO]) await server.append(own, text);
    const client = await server.login('inge');
    expect(await client.say('DELE 1')).toBe('+OK Marked');
    expect(await client.say('DELE 1')).toBe('-ERR The message is deleted');
    expect(await client.say('RETR 1')).toBe('-ERR The message is deleted');
    expect(await client.say('STAT')).toBe(`+OK 2 ${HELLO.length + SECOND.length}`);
    expect((await client.lines('LIST')).map((line) => line.split(' ')[0])).toEqual(['2', '3']);
    expect(await client.say('RSET')).toBe('+OK');
    expect(await client.say('STAT')).toStartWith('+OK 3 ');
    await client.say('DELE 2');
    client.connection.hangUp();
    const again = await server.login('inge');
    expect(await again.say('STAT')).toStartWith('+OK 3 ');
    await again.say('DELE 1');
    await again.say('DELE 3');
    await server.append(own, HELLO); // comes in meanwhile, and is no part of this session
    expect(await again.say('STAT')).toStartWith('+OK 1 ');
    await closed(again);
    expect(own.info({ owner: 'inge', path: '' }).exists).toBe(2);
    const last = await server.login('inge');
    expect((await last.lines('UIDL')).map((line) => line.replace(/ \d+\./, ' '))).toEqual(['1 2', '2 4']);
    await closed(last);
  });

  test('a message another client has expunged for good is still there within its grace', async () => {
    const own = await server.session('kurt');
    const uid = await server.append(own, HELLO);
    const client = await server.login('kurt');
    const mailbox = await own.select({ owner: 'kurt', path: '' }, false, () => {});
    const { uids } = { uids: mailbox.uids() };
    expect(uids.has(uid)).toBe(true);
    await mailbox.store(uids, 'add', ['\\Deleted']);
    await mailbox.expunge(null);
    mailbox.close();
    expect(await client.lines('RETR 1')).toHaveLength(6);
    await client.say('DELE 1');
    await closed(client);
  });

  test('what is not ASCII in a header goes out in encoded-words, unless the client speaks UTF8', async () => {
    const own = await server.session('umlaut');
    await server.append(own, Buffer.from('Subject: Grüße aus München\r\nFrom: a@b\r\n\r\nschön\r\n'));
    const client = await server.login('umlaut');
    const [subject = '', ...rest] = await client.lines('RETR 1');
    expect(subject).toMatch(/^Subject: =\?UTF-8\?B\?[A-Za-z0-9+/=]+\?= aus =\?UTF-8\?B\?[A-Za-z0-9+/=]+\?=$/);
    expect(rest.at(-1)).toBe(Buffer.from('schön').toString('latin1'));
    expect(await client.say('UTF8')).toBe('+OK UTF8 enabled');
    expect((await client.lines('TOP 1 0'))[0]).toBe(
      Buffer.from('Subject: Grüße aus München').toString('latin1'),
    );
    await closed(client);
  });
});

describe('options', () => {
  test('popuseimapflags: deleted ones are not there, retrieved ones are seen', async () => {
    const flags = await Pop3Server.open({ popuseimapflags: true });
    try {
      const own = await flags.session('django');
      await flags.append(own, HELLO);
      await flags.append(own, SECOND, '', ['\\Deleted']);
      await flags.append(own, SECOND);
      const client = await flags.login();
      expect(await client.say('STAT')).toStartWith('+OK 2 ');
      await client.lines('RETR 1');
      await closed(client);
      expect(own.info({ owner: 'django', path: '' }).unseen).toBe(2);
    } finally {
      await flags.close();
    }
  });

  test('popsubfolders: user+folder', async () => {
    const folders = await Pop3Server.open({ popsubfolders: true });
    try {
      const own = await folders.session('django');
      await own.create({ owner: 'django', path: 'Lists/dev' });
      await folders.append(own, HELLO, 'Lists/dev');
      const client = await folders.login('django+Lists/dev');
      expect(await client.say('STAT')).toStartWith('+OK 1 ');
      await closed(client);
      expect((await folders.login('django+Missing')).greeting).toStartWith('-ERR');
    } finally {
      await folders.close();
    }
  });

  test('popminpoll: too soon is [LOGIN-DELAY]; uidl_format', async () => {
    const slow = await Pop3Server.open({ popminpoll: 3600, uidl_format: 'dovecot', popexpiretime: 30 });
    try {
      const own = await slow.session('django');
      await slow.append(own, HELLO);
      const client = await slow.login();
      expect(await client.lines('UIDL')).toEqual([expect.stringMatching(/^1 00000001[0-9a-f]{8}$/)]);
      const capabilities = await client.lines('CAPA');
      expect(capabilities).toContain('LOGIN-DELAY 3600');
      expect(capabilities).toContain('EXPIRE 30');
      await closed(client);
      expect((await slow.login()).greeting).toStartWith('-ERR [LOGIN-DELAY]');
    } finally {
      await slow.close();
    }
  });

  test('popuseacl: who may not read has no maildrop, who may not delete removes nothing', async () => {
    const acl = await Pop3Server.open({ popuseacl: true });
    try {
      const own = await acl.session('django');
      await acl.append(own, HELLO);
      const client = await acl.login();
      expect(client.greeting).toStartWith('+OK');
      await closed(client);
    } finally {
      await acl.close();
    }
  });
});

describe('hostile clients', () => {
  test('an endless line is dropped, the next command is read', async () => {
    const client = await server.connect();
    client.send('x'.repeat(limits.pop3_line.value + 10));
    client.send(`${'y'.repeat(100_000)}\r\n`);
    expect(await client.answer()).toBe('-ERR Line too long');
    await closed(client);
  });

  test('too many bad commands end the connection', async () => {
    const client = await server.connect();
    for (let round = 1; round < limits.pop3_bad_commands.value; round++) {
      expect(await client.say('XYZZY')).toBe('-ERR Unknown command');
    }
    expect(await client.say('XYZZY')).toBe('-ERR Too many invalid commands');
    expect(await client.answer()).toBe('<closed>');
  });

  test('other protocols hear nothing of theirs (ALPACA)', async () => {
    for (const line of ['GET / HTTP/1.1', 'EHLO <script>', 'POST /x HTTP/1.0']) {
      const client = await server.connect();
      expect(await client.say(line)).toBe('-ERR This is POP3');
      expect(await client.answer()).toBe('<closed>');
    }
  });

  test('a pipeline that is not read is not run on without end', async () => {
    const client = await server.login('django', { window: 1000 });
    const command = 'RETR 1\r\n';
    for (let round = 0; round < 20; round++) client.send(command.repeat(1000));
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.connection.paused).toBe(true);
    expect(client.connection.mostPending).toBeLessThan(10_000);
    client.connection.hangUp();
  });

  test('a broken exchange leaves the session as it was (CVE-2025-59028)', async () => {
    const client = await server.connect();
    expect(await client.say('AUTH PLAIN')).toBe('+ ');
    expect(await client.say('!!!')).toStartWith('-ERR');
    expect(await client.say('AUTH PLAIN')).toBe('+ ');
    client.send(`${'A'.repeat(limits.sasl_response.value + 100)}\r\n`);
    expect(await client.answer()).toStartWith('-ERR');
    expect(await client.say('USER django')).toStartWith('+OK');
    expect(await client.say(`PASS ${PASSWORD}`)).toStartWith('+OK Mailbox locked');
    await closed(client);
  });
});

describe('a message whose file was cut short', () => {
  test('is never taken for whole', async () => {
    const damaged = await Pop3Server.open({});
    try {
      const own = await damaged.session('django');
      await damaged.append(own, HELLO);
      await damaged.append(own, `Subject: large\r\n\r\n${`${'x'.repeat(98)}\r\n`.repeat(3000)}`);
      damaged.cutFiles();
      const client = await damaged.login();
      expect(await client.say('RETR 1')).toStartWith('-ERR [SYS/PERM]');
      // Header, empty line and all but the end of the last line; then no dot, but the end of the connection.
      expect(await client.lines('RETR 2')).toHaveLength(3001);
      expect(client.connection.closed).toBe(true);
    } finally {
      await damaged.close();
    }
  });
});
