/** ManageSieve as RFC 5804 has it, command by command. */

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { LoginGuard } from '../../src/auth/abuse/guard.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { limits } from '../../src/limits.ts';
import { LANGUAGE, PASSWORD, SieveClient, SieveServer } from './server.ts';

let server: SieveServer;
beforeEach(async () => {
  server = await SieveServer.open({
    sasl_mech_list: ['CRAM-MD5', 'DIGEST-MD5', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN', 'ANONYMOUS'],
    allowanonymouslogin: true,
  });
});
afterEach(() => server.close());

const PLAIN = Buffer.from(`\0django\0${PASSWORD}`).toString('base64');

describe('capabilities (§1.7)', () => {
  test('greet the client', async () => {
    const client = await server.connect({ canStartTls: true });
    expect(client.greeting.split('\r\n')).toEqual([
      '"IMPLEMENTATION" "mailstore 0.0.0"',
      '"VERSION" "1.0"',
      '"SASL" "SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5 PLAIN LOGIN ANONYMOUS"',
      '"SIEVE" "fileinto vacation"',
      '"STARTTLS"',
      '"MAXREDIRECTS" "4"',
      '"NOTIFY" "mailto"',
      '"LANGUAGE" "en"',
      '"UNAUTHENTICATE"',
      'OK',
    ]);
    expect(await client.say('capability')).toBe(client.greeting);
  });

  test('behind the login tell whose scripts these are, and no STARTTLS', async () => {
    const client = await server.login('django', { canStartTls: true });
    const told = (await client.say('CAPABILITY')).split('\r\n');
    expect(told).toContain('"OWNER" "django"');
    expect(told).not.toContain('"STARTTLS"');
  });

  test('without TLS and plain text there is no mechanism before STARTTLS', async () => {
    const strict = await SieveServer.open({ allowplaintext: false, sasl_mech_list: ['PLAIN'] });
    const client = await strict.connect({ canStartTls: true });
    expect(client.greeting).toContain('"SASL" ""\r\n');
    expect(await client.say(`AUTHENTICATE "PLAIN" "${PLAIN}"`)).toBe(
      'NO (ENCRYPT-NEEDED) "this authentication mechanism needs TLS first"',
    );
    await strict.close();
  });

  test('external lists are told of where there are any (RFC 6134)', async () => {
    const listing = await SieveServer.open({}, {}, { ...LANGUAGE, notify: [], lists: ['tag', 'urn'] });
    const { greeting } = await listing.connect();
    expect(greeting).toContain('"EXTLISTS" "tag urn"\r\n');
    expect(greeting).not.toContain('NOTIFY');
    await listing.close();
  });

  test('say no more of the server than serverinfo allows', async () => {
    const quiet = await SieveServer.open({ serverinfo: 'off' });
    expect((await quiet.connect()).greeting).toStartWith('"IMPLEMENTATION" "ManageSieve"\r\n');
    await quiet.close();
  });
});

describe('AUTHENTICATE (§2.1)', () => {
  test('with an initial response, or asked for it', async () => {
    const client = await server.connect();
    expect(await client.say(`AUTHENTICATE "plain" {${PLAIN.length}+}\r\n${PLAIN}`)).toBe('OK');
    const other = await server.connect();
    other.send('AUTHENTICATE "PLAIN"\r\n');
    expect(await other.line()).toBe('{0}\r\n');
    expect(await other.say(`"${PLAIN}"`)).toBe('OK');
    expect(await other.say(`AUTHENTICATE "PLAIN" "${PLAIN}"`)).toBe('NO "You are logged in already"');
  });

  test('a wrong password can be followed by the right one', async () => {
    const client = await server.connect();
    const wrong = Buffer.from('\0django\0wrong').toString('base64');
    expect(await client.say(`AUTHENTICATE "PLAIN" "${wrong}"`)).toBe('NO "authentication failure"');
    expect(await client.say(`AUTHENTICATE "PLAIN" "${PLAIN}"`)).toBe('OK');
  });

  test('what is refused leaves the connection as it was', async () => {
    const client = await server.connect();
    expect(await client.say('AUTHENTICATE "NTLM"')).toBe(
      'NO "this authentication mechanism is not supported"',
    );
    expect(await client.say('AUTHENTICATE "CRAM-MD5" "YWJj"')).toBe(
      'NO "CRAM-MD5 has no initial response"',
    );
    expect(await client.say('AUTHENTICATE "PLAIN" "*"')).toBe('NO "Authentication cancelled"');
    expect(await client.say('AUTHENTICATE "PLAIN" "!"')).toStartWith('NO ');
    expect(await client.say('AUTHENTICATE PLAIN')).toStartWith('NO "Expected AUTHENTICATE');
    client.send('AUTHENTICATE "PLAIN"\r\n');
    expect(await client.line()).toBe('{0}\r\n');
    expect(await client.say('"*"')).toBe('NO "Authentication cancelled"');
    expect(await client.say(`AUTHENTICATE "PLAIN" "${PLAIN}"`)).toBe('OK');
  });

  test('may be pipelined where it is over in one round (§2)', async () => {
    const client = await server.connect();
    client.send(`AUTHENTICATE "PLAIN" "${PLAIN}"\r\nLISTSCRIPTS\r\nNOOP "x"\r\n`);
    expect([await client.answer(), await client.answer(), await client.answer()]).toEqual([
      'OK',
      'OK',
      'OK (TAG "x") "Done"',
    ]);
  });

  test('an administrator acts for a user (proxy authentication)', async () => {
    const client = await server.login('cyrus', {}, 'django');
    expect(await client.say('CAPABILITY')).toContain('"OWNER" "django"');
    expect(await client.put('s', 'keep;')).toBe('OK');
    expect(await (await server.login('django')).say('LISTSCRIPTS')).toBe('"s"\r\nOK');
    const other = await server.connect();
    const stranger = Buffer.from(`cyrus\0django\0${PASSWORD}`).toString('base64');
    expect(await other.say(`AUTHENTICATE "PLAIN" "${stranger}"`)).toStartWith('NO ');
  });

  test('an administrator without mail has the global scripts, as with Cyrus', async () => {
    const client = await server.login('cyrus');
    expect(await client.put('spam', 'keep;')).toBe('OK');
    expect(await client.say('CAPABILITY')).toContain('"OWNER" ""');
    const admin = server.store.session({ userid: 'cyrus', admin: true, groups: [] });
    expect(admin.scriptsOf('').list().map(({ name }) => name)).toEqual(['spam']);
  });

  test('without a name scripts can be checked and nothing else', async () => {
    const client = await server.connect();
    expect(await client.say('AUTHENTICATE "ANONYMOUS" "eA=="')).toBe('OK');
    expect(await client.say('CHECKSCRIPT "keep;"')).toBe('OK');
    expect(await client.say('LISTSCRIPTS')).toStartWith('NO "');
    expect(await client.put('x', 'keep;')).toStartWith('NO "');
  });
});

describe('scripts', () => {
  let client: SieveClient;
  beforeEach(async () => {
    client = await server.login();
  });

  test('PUTSCRIPT and GETSCRIPT: bytes in are bytes out (§2.6, §2.9)', async () => {
    const script = Buffer.from('# Gr\xfc\xdfe \x00\xff\r\nkeep;\n"quoted"\r', 'latin1');
    expect(await client.put('a', script)).toBe('OK');
    expect(await client.say('GETSCRIPT "a"')).toBe(
      `{${script.length}}\r\n${script.toString('latin1')}\r\nOK`,
    );
    expect(await client.put('a', 'stop;')).toBe('OK');
    expect(await client.say('GETSCRIPT "a"')).toBe('{5}\r\nstop;\r\nOK');
    expect(await client.say('GETSCRIPT "b"')).toBe('NO (NONEXISTENT) "There is no script by that name"');
  });

  test('names of any kind come back as they were, and only as names', async () => {
    for (const name of ['../x', 'a/b', '/etc/passwd', 'Größe', 'a"b\\c', '😀'.repeat(128)]) {
      const bytes = Buffer.from(name).toString('latin1');
      const sent = `PUTSCRIPT {${bytes.length}+}\r\n${bytes} "keep;"`;
      expect(await client.say(sent)).toBe('OK');
    }
    const listed = Buffer.from(await client.say('LISTSCRIPTS'), 'latin1').toString();
    for (
      const shown of ['"../x"', '"a/b"', '"/etc/passwd"', '"Größe"', '"a\\"b\\\\c"', `"${'😀'.repeat(128)}"`]
    ) {
      expect(listed).toContain(`${shown}\r\n`);
    }
    expect(await client.put('a\x07', 'keep;')).toStartWith('NO "');
    expect(await client.say('PUTSCRIPT {2+}\r\na\0 "keep;"')).toStartWith('NO "');
    expect(await client.put('', 'keep;')).toStartWith('NO "');
    expect(await client.say('PUTSCRIPT "\xff" "keep;"')).toStartWith('NO "');
    expect(await client.put('x'.repeat(513), 'keep;')).toStartWith('NO "');
  });

  test('a script that is wrong is not stored, and the old one stays (§2.6)', async () => {
    expect(await client.put('a', 'keep;')).toBe('OK');
    expect(await client.put('a', 'keep;\n#error no such command\n#error worse\n#warning odd')).toBe(
      'NO {72}\r\nline 2, column 1: error: no such command\r\nline 3, column 1: error: worse',
    );
    expect(await client.put('a', '')).toBe('NO "The script is empty"');
    expect(await client.say('GETSCRIPT "a"')).toBe('{5}\r\nkeep;\r\nOK');
    expect(await client.put('b', '#warning odd')).toBe('OK (WARNINGS) "line 1, column 1: warning: odd"');
  });

  test('CHECKSCRIPT stores nothing (§2.12)', async () => {
    expect(await client.say('CHECKSCRIPT "keep;"')).toBe('OK');
    expect(await client.say('CHECKSCRIPT "#error x"')).toBe('NO "line 1, column 1: error: x"');
    expect(await client.say('CHECKSCRIPT "#warning x"')).toBe('OK (WARNINGS) "line 1, column 1: warning: x"');
    expect(await client.say('LISTSCRIPTS')).toBe('OK');
  });

  test('one script is active at a time (§2.7, §2.8)', async () => {
    await client.put('a', 'keep;');
    await client.put('b', 'keep;');
    expect(await client.say('SETACTIVE "a"')).toBe('OK');
    expect(await client.say('LISTSCRIPTS')).toBe('"a" ACTIVE\r\n"b"\r\nOK');
    expect(await client.say('SETACTIVE "b"')).toBe('OK');
    expect(await client.say('LISTSCRIPTS')).toBe('"a"\r\n"b" ACTIVE\r\nOK');
    expect(await client.say('SETACTIVE "c"')).toBe('NO (NONEXISTENT) "There is no script by that name"');
    expect(await client.say('SETACTIVE ""')).toBe('OK');
    expect(await client.say('SETACTIVE ""')).toBe('OK');
    expect(await client.say('LISTSCRIPTS')).toBe('"a"\r\n"b"\r\nOK');
  });

  test('the active script cannot be deleted (§2.10)', async () => {
    await client.put('a', 'keep;');
    await client.say('SETACTIVE "a"');
    expect(await client.say('DELETESCRIPT "a"')).toBe('NO (ACTIVE) "The active script cannot be deleted"');
    expect(await client.say('DELETESCRIPT "b"')).toBe('NO (NONEXISTENT) "There is no script by that name"');
    await client.say('SETACTIVE ""');
    expect(await client.say('DELETESCRIPT "a"')).toBe('OK');
    expect(await client.say('LISTSCRIPTS')).toBe('OK');
  });

  test('RENAMESCRIPT keeps what is active (§2.11)', async () => {
    await client.put('a', 'keep;');
    await client.put('b', 'keep;');
    await client.say('SETACTIVE "a"');
    expect(await client.say('RENAMESCRIPT "a" "b"')).toBe(
      'NO (ALREADYEXISTS) "A script of that name exists"',
    );
    expect(await client.say('RENAMESCRIPT "x" "y"')).toStartWith('NO (NONEXISTENT) ');
    expect(await client.say('RENAMESCRIPT "a" "c"')).toBe('OK');
    expect(await client.say('LISTSCRIPTS')).toBe('"b"\r\n"c" ACTIVE\r\nOK');
  });

  test('another user sees none of it', async () => {
    await client.put('secret', 'keep;');
    const other = await server.login('bob');
    expect(await other.say('LISTSCRIPTS')).toBe('OK');
    expect(await other.say('GETSCRIPT "secret"')).toStartWith('NO (NONEXISTENT)');
  });
});

describe('quotas (§1.5)', () => {
  let small: SieveServer;
  beforeEach(async () => {
    small = await SieveServer.open({ sieve_maxscripts: 2, sieve_maxscriptsize: 1024 });
  });
  afterEach(() => small.close());

  test('HAVESPACE and PUTSCRIPT agree', async () => {
    const client = await small.login();
    expect(await client.say('HAVESPACE "a" 1024')).toBe('OK');
    expect(await client.say('HAVESPACE "a" 1025')).toBe(
      'NO (QUOTA/MAXSIZE) "A script has at most 1024 bytes"',
    );
    expect(await client.say('HAVESPACE "a" 4294967295')).toStartWith('NO (QUOTA/MAXSIZE)');
    expect(await client.put('a', 'k'.repeat(1024))).toBe('OK');
    expect(await client.put('b', 'k'.repeat(1025))).toBe(
      'NO (QUOTA/MAXSIZE) "A script has at most 1024 bytes"',
    );
    expect(await client.put('b', 'keep;')).toBe('OK');
    expect(await client.say('HAVESPACE "b" 10')).toBe('OK');
    expect(await client.say('HAVESPACE "c" 10')).toStartWith('NO (QUOTA/MAXSCRIPTS) "');
    expect(await client.put('c', 'keep;')).toStartWith('NO (QUOTA/MAXSCRIPTS) "');
    expect(await client.put('b', 'stop;')).toBe('OK');
  });

  test('a literal that is too long is refused when it is announced, and what it holds is not read', async () => {
    const client = await small.login();
    client.send('PUTSCRIPT "a" {100000+}\r\n');
    expect(await client.answer()).toBe('NO (QUOTA/MAXSIZE) "A script has at most 1024 bytes"');
    client.send(`${'LOGOUT\r\n'.repeat(12_500)}\r\nNOOP "after"\r\n`);
    expect(await client.answer()).toBe('OK (TAG "after") "Done"');
    expect(await client.say('LISTSCRIPTS')).toBe('OK');
  });

  test('CHECKSCRIPT does not ask whether there is place (§2.12)', async () => {
    const client = await small.login();
    for (const name of ['a', 'b']) await client.put(name, 'keep;');
    expect(await client.say('CHECKSCRIPT "keep;"')).toBe('OK');
    expect(await client.say(`CHECKSCRIPT {1025+}\r\n${'#'.repeat(1025)}`)).toStartWith('NO (QUOTA/MAXSIZE)');
    client.send('CHECKSCRIPT {100000+}\r\n');
    expect(await client.answer()).toStartWith('NO (QUOTA/MAXSIZE)');
  });
});

describe('the rest', () => {
  test('NOOP gives its tag back (§2.13)', async () => {
    const client = await server.connect();
    expect(await client.say('NOOP')).toBe('OK "NOOP completed"');
    expect(await client.say('NOOP {16+}\r\nSTARTTLS-SYNC-42')).toBe('OK (TAG "STARTTLS-SYNC-42") "Done"');
    expect(await client.say('NOOP {3+}\r\na\r\n')).toBe('OK (TAG {3}\r\na\r\n) "Done"');
  });

  test('before the login only some commands are valid (§2)', async () => {
    const client = await server.connect();
    for (
      const command of [
        'LISTSCRIPTS',
        'HAVESPACE "a" 1',
        'PUTSCRIPT "a" "keep;"',
        'CHECKSCRIPT "keep;"',
        'SETACTIVE ""',
        'GETSCRIPT "a"',
        'DELETESCRIPT "a"',
        'RENAMESCRIPT "a" "b"',
        'UNAUTHENTICATE',
      ]
    ) {
      expect(await client.say(command)).toBe('NO "Log in first"');
    }
  });

  test('wrong arguments are told what was expected', async () => {
    const client = await server.login();
    for (
      const command of [
        'HAVESPACE "a"',
        'HAVESPACE "a" "1"',
        'HAVESPACE "a" -1',
        'PUTSCRIPT "a"',
        'PUTSCRIPT a "keep;"',
        'LISTSCRIPTS "a"',
        'SETACTIVE',
        'RENAMESCRIPT "a"',
        'NOOP 1',
        'CAPABILITY ""',
        'LOGOUT now',
      ]
    ) {
      expect(await client.say(command)).toStartWith('NO "Expected ');
      await client.say('NOOP');
    }
  });

  test('LOGOUT (§2.3): what comes behind it is not read', async () => {
    const client = await server.login();
    client.send('LOGOUT\r\nPUTSCRIPT "late" "keep;"\r\n');
    expect(await client.answer()).toBe('OK "Logout completed"');
    expect(await client.answer()).toBe('<closed>');
    expect(await (await server.login()).say('LISTSCRIPTS')).toBe('OK');
  });

  test('UNAUTHENTICATE (§2.14.1), and in again as somebody else', async () => {
    const client = await server.login();
    await client.put('mine', 'keep;');
    expect(await client.say('UNAUTHENTICATE')).toBe('OK');
    expect(await client.say('LISTSCRIPTS')).toBe('NO "Log in first"');
    expect(await client.say('CAPABILITY')).not.toContain('OWNER');
    expect(client.connection.idleTimeout).toBe(limits.preauth_seconds.value * 1000);
    const bob = Buffer.from(`\0bob\0${PASSWORD}`).toString('base64');
    expect(await client.say(`AUTHENTICATE "PLAIN" "${bob}"`)).toBe('OK');
    expect(await client.say('LISTSCRIPTS')).toBe('OK');
  });

  test('UNAUTHENTICATE makes place where the logins of a user are bounded', async () => {
    const settings = makeSettings({ maxlogins_per_user: 1 });
    const guard = new LoginGuard({ settings });
    const bounded = await SieveServer.open({ maxlogins_per_user: 1 }, { guard });
    const [first, second] = [await bounded.connect(), await bounded.connect()];
    for (const client of [first, second]) guard.opened(client.connection.id);
    const login = `AUTHENTICATE "PLAIN" "${PLAIN}"`;
    expect(await first.say(login)).toBe('OK');
    expect(await second.say(login)).toBe('NO "too many open connections of this user"');
    expect(await first.say('UNAUTHENTICATE')).toBe('OK');
    expect(await second.say(login)).toBe('OK');
    expect(await first.say(login)).toStartWith('NO ');
    await bounded.close();
  });

  test('STARTTLS (§2.2): the capabilities are told again', async () => {
    const client = await server.connect({ canStartTls: true });
    expect(await client.say('STARTTLS')).toBe('OK "Begin TLS negotiation now"');
    const told = await client.answer();
    expect(told).toContain('"SASL" "');
    expect(told).not.toContain('STARTTLS');
    expect(await client.say('STARTTLS')).toBe('NO "TLS is on already"');
    const bare = await server.connect();
    expect(await bare.say('STARTTLS')).toBe('NO "There is no TLS here"');
    const known = await server.login('django', { canStartTls: true });
    expect(await known.say('STARTTLS')).toBe('NO "You are logged in already"');
  });

  test('an idle client is told so', async () => {
    const client = await server.login();
    expect(client.connection.idleTimeout).toBe(server.settings.timeout * 1000);
    expect(client.connection.idleTimeout).toBeGreaterThanOrEqual(30 * 60 * 1000);
    client.connection.expireIdle();
    expect(await client.answer()).toBe('BYE "Autologout; idle for too long"');
  });

  test('the end of the server is said', async () => {
    const client = await server.login();
    const waiting = await server.connect();
    waiting.send('AUTHENTICATE "PLAIN"\r\n');
    await waiting.line();
    await server.protocol.shutdown();
    expect(await client.answer()).toBe('BYE (TRYLATER) "Server shutting down"');
    expect(await waiting.answer()).toBe('BYE (TRYLATER) "Server shutting down"');
  });
});
