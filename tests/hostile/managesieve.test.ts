/** ManageSieve with clients that are none, or mean harm: what each may cost, and what it hears. */

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { PASSWORD, SieveClient, SieveServer } from '../managesieve/server.ts';

let server: SieveServer;
beforeEach(async () => {
  server = await SieveServer.open();
});
afterEach(() => server.close());

const PLAIN = Buffer.from(`\0django\0${PASSWORD}`).toString('base64');

/** Everything the server says until it closes. */
async function rest(client: SieveClient): Promise<string[]> {
  const lines: string[] = [];
  for (let line = await client.line(); line !== '<closed>'; line = await client.line()) lines.push(line);
  return lines;
}

describe('endless lines', () => {
  test("a stranger's ends the connection", async () => {
    const client = await server.connect();
    for (let sent = 0; sent <= limits.managesieve_line.value && !client.connection.closed; sent += 1024) {
      client.send('a'.repeat(1024));
    }
    expect(await rest(client)).toEqual([`BYE "A line has at most ${limits.managesieve_line.value} bytes"`]);
  });

  test('behind a login it is dropped, and the next line is a command again', async () => {
    const client = await server.login();
    for (let sent = 0; sent < 100 * 1024; sent += 1024) client.send('a'.repeat(1024));
    client.send('\r\nNOOP "after"\r\n');
    expect(await client.answer()).toBe(`NO "A line has at most ${limits.managesieve_line.value} bytes"`);
    expect(await client.answer()).toBe('OK (TAG "after") "Done"');
  });
});

describe('literals', () => {
  test('of two gigabytes before the login: the connection ends when they are announced', async () => {
    for (const size of ['2147483648', '4294967295', '4294967296', '9'.repeat(40)]) {
      const client = await server.connect();
      client.send(`AUTHENTICATE "PLAIN" {${size}+}\r\n`);
      expect(await rest(client)).toEqual([expect.stringMatching(/^BYE "/)]);
    }
  });

  test('as a response of the exchange', async () => {
    const client = await server.connect();
    client.send('AUTHENTICATE "PLAIN"\r\n');
    expect(await client.line()).toBe('{0}\r\n');
    client.send('{1048576+}\r\n');
    expect(await rest(client)).toEqual([expect.stringMatching(/^BYE "/)]);
  });

  test('with a size that is none are no literals', async () => {
    const client = await server.login();
    for (const size of ['-1', '9e9', '1.5', '', '0x10', ' 5']) {
      expect(await client.say(`PUTSCRIPT "a" {${size}+}`)).toBe('NO "Expected a string or a number"');
      await client.say('NOOP');
    }
    expect(await client.say('LISTSCRIPTS')).toBe('OK');
  });

  test('many of them cost no memory', async () => {
    const client = await server.login();
    client.send(`PUTSCRIPT ${'{1+}\r\na '.repeat(10_000)}"x"\r\nNOOP "after"\r\n`);
    expect(await client.answer()).toStartWith('NO ');
    let answer = await client.answer();
    while (answer.startsWith('NO')) answer = await client.answer();
    expect(answer).toBe('OK (TAG "after") "Done"');
  });
});

describe('scripts (CVE-2021-40525)', () => {
  test('a thousand scripts, one of a megabyte', async () => {
    const client = await server.login();
    for (let number = 0; number < server.settings.sieve_maxscripts; number++) {
      expect(await client.put(`s${number}`, 'keep;')).toBe('OK');
    }
    expect(await client.put('one more', 'keep;')).toStartWith('NO (QUOTA/MAXSCRIPTS) ');
    client.send(`PUTSCRIPT "s0" {${1 << 20}+}\r\n`);
    expect(await client.answer()).toStartWith('NO (QUOTA/MAXSIZE) ');
    client.send(Buffer.alloc(1 << 20, 0x23));
    expect(await client.say('\r\nNOOP "after"')).toBe('OK (TAG "after") "Done"');
    expect(await client.say('GETSCRIPT "s0"')).toBe('{5}\r\nkeep;\r\nOK');
  });
});

describe('a client of another protocol (ALPACA)', () => {
  for (
    const [who, sent] of [
      ['a browser', 'POST /<script>alert(1)</script> HTTP/1.1\r\nHost: x\r\n\r\nLOGOUT\r\n'],
      ['a mail server', 'EHLO relay.example.org\r\nMAIL FROM:<a@b>\r\n'],
      ['an IMAP client', 'a LOGIN django secret\r\n'],
      ['a POP3 client', 'USER django\r\nPASS secret\r\n'],
      ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n'],
      ['markup', '<script>alert(1)</script>\r\n'],
      ['a header', 'Cookie: a=b\r\n'],
    ] as const
  ) {
    test(`${who} is sent away at once and hears nothing of its own words`, async () => {
      const client = await server.connect();
      client.send(sent);
      expect(await rest(client)).toEqual(['BYE "This is ManageSieve"']);
    });
  }

  test('behind a login, some mistakes are forgiven', async () => {
    const client = await server.login();
    for (let count = 1; count < limits.managesieve_bad_commands.value; count++) {
      expect(await client.say('<b>BOLD</b>')).toBe('NO "Unknown command"');
    }
    expect(await client.say('GET /')).toBe('BYE "Too many invalid commands"');
    expect(await client.answer()).toBe('<closed>');
  });

  test('commands of ours that are wrong end a stranger, too, when they are too many', async () => {
    const client = await server.connect();
    for (let count = 1; count < limits.managesieve_bad_commands.value; count++) {
      expect(await client.say('LISTSCRIPTS')).toBe('NO "Log in first"');
    }
    expect(await client.say('LISTSCRIPTS')).toBe('BYE "Too many invalid commands"');
  });
});

describe('bytes nobody sends', () => {
  test('NUL, bare CR and 8 bit in commands and strings', async () => {
    const client = await server.login();
    for (const line of ['NO\0OP', 'NOOP "a\0b"', 'NOOP "a\rb"', '\xffNOOP', 'NOOP \xff']) {
      expect(await client.say(line)).toStartWith('NO "');
      await client.say('NOOP');
    }
  });

  test('names that are not UTF-8', async () => {
    const client = await server.login();
    for (const name of ['\xff', '\xc0\xaf', '\xed\xa0\x80', '\xe2\x82', '\xf8\x88\x80\x80\x80']) {
      expect(await client.say(`SETACTIVE "${name}"`)).toBe('NO "The name of a script must be UTF-8"');
      expect(await client.say(`SETACTIVE {${name.length}+}\r\n${name}`)).toStartWith('NO "');
      await client.say('NOOP');
    }
  });
});

describe('commands in front of the TLS handshake (CVE-2021-33515)', () => {
  for (
    const injected of [
      'NOOP "x"\r\n',
      `AUTHENTICATE "PLAIN" "${PLAIN}"\r\n`,
      'NO',
      'NOOP {6+}\r\nabc',
      '\x16\x03\x01',
    ]
  ) {
    test(`${JSON.stringify(injected)} behind STARTTLS`, async () => {
      const strict = await SieveServer.open({ allowplaintext: false, sasl_mech_list: ['PLAIN'] });
      const client = await strict.connect({ canStartTls: true });
      client.send(`STARTTLS\r\n${injected}`);
      expect(await client.answer()).toBe('OK "Begin TLS negotiation now"');
      const told = await client.answer();
      expect(told).toContain('"SASL" "PLAIN"');
      expect(told).not.toContain('OWNER');
      expect(await client.say('NOOP "mine"')).toBe('OK (TAG "mine") "Done"');
      expect(await client.say('LISTSCRIPTS')).toBe('NO "Log in first"');
      await strict.close();
    });
  }
});

describe('responses of AUTHENTICATE (CVE-2025-59028, CVE-2026-27858)', () => {
  const large = 'A'.repeat(limits.sasl_response.value + 4);
  for (
    const [what, response] of [
      ['no base64', '"!!!!"'],
      ['half of a quantum', '"YWJ"'],
      ['base64 with a line end', '{10+}\r\nYWJj\r\nYWJj'],
      ['nothing', '""'],
      ['no string', 'YWJj'],
      ['a number', '12'],
      ['two strings', '"YWJj" "YWJj"'],
      ['NUL in all places', `"${Buffer.alloc(30).toString('base64')}"`],
      ['no names', `"${Buffer.from('\0\0').toString('base64')}"`],
      ['a cancelled exchange', '"*"'],
    ] as const
  ) {
    test(`${what} fails the exchange, not the connection, and no other one`, async () => {
      const bystander = await server.login('bob');
      const client = await server.connect();
      client.send('AUTHENTICATE "PLAIN"\r\n');
      expect(await client.line()).toBe('{0}\r\n');
      expect(await client.say(response)).toStartWith('NO "');
      expect(await client.say(`AUTHENTICATE "PLAIN" "${PLAIN}"`)).toBe('OK');
      expect(await bystander.say('LISTSCRIPTS')).toBe('OK');
    });
  }

  test('more than any mechanism needs', async () => {
    const client = await server.connect();
    client.send('AUTHENTICATE "PLAIN"\r\n');
    expect(await client.line()).toBe('{0}\r\n');
    client.send(`"${large}"\r\n`);
    expect(await rest(client)).toEqual([expect.stringMatching(/^BYE "/)]);
  });
});

describe('a client that does not read', () => {
  test('ten thousand commands cost a bounded amount of memory', async () => {
    const client = await server.login('django', { window: 64 * 1024 });
    await client.put('large', Buffer.alloc(60_000, 0x23));
    const commands = Buffer.from('GETSCRIPT "large"\r\n'.repeat(10_000));
    for (let at = 0; at < commands.length; at += 16_384) client.send(commands.subarray(at, at + 16_384));
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(client.connection.paused).toBe(true);
    expect(client.connection.mostPending).toBeLessThan(limits.output_high_water.value + 2 * 60_000);
    client.connection.hangUp();
  });
});

test('a client that goes in the middle of everything leaves nothing behind', async () => {
  for (
    const sent of [
      'PUTSCRIPT "half" {100+}\r\nkeep;',
      'PUTSCRIPT "half" {5+}\r\nkeep;',
      'PUTSCRIPT "ha',
      'CHECKSCRIPT {5+}\r\n',
    ]
  ) {
    const client = await server.login();
    client.send(sent);
    client.connection.hangUp();
  }
  const client = await server.connect();
  client.send('AUTHENTICATE "SCRAM-SHA-256" "biwsbj1kamFuZ28scj1hYmM="\r\n');
  client.connection.hangUp();
  expect(await (await server.login()).say('LISTSCRIPTS')).toBe('OK');
});
