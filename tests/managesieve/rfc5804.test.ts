/**
 * The dialogues that RFC 5804 shows, by section, with the language as it is here. Those of §2.1 and §2.2 (mechanisms, TLS) run with
 * Debian's sivtest over real sockets, too: `interop/managesieve.test.ts`. A command is the same in any case (§1.2).
 */

import { afterEach, beforeEach, expect, test } from 'bun:test';
import { makeSettings } from '../../src/config/settings.ts';
import { languageOf } from '../../src/managesieve/service.ts';
import { PASSWORD, type SieveClient, SieveServer } from './server.ts';

const given = { sasl_mech_list: ['DIGEST-MD5', 'PLAIN'], sieve_maxscriptsize: 4096 };
let server: SieveServer;
let client: SieveClient;

beforeEach(async () => {
  server = await SieveServer.open(given, {}, languageOf(makeSettings(given)));
  client = await server.login();
});
afterEach(() => server.close());

/** Sends a script as the literal of a command. */
function script(...lines: string[]): string {
  const text = lines.join('\r\n');
  return `{${Buffer.byteLength(text)}+}\r\n${text}`;
}

const RULE = [
  'require ["envelope", "fileinto"];',
  '',
  'if envelope :contains "to" "tmartin+sent" {',
  '  fileinto "INBOX.sent";',
  '}',
];

test('§1.7, §2.4: capabilities before a login and behind it', async () => {
  const stranger = await server.connect({ canStartTls: true });
  for (const answer of [stranger.greeting, await stranger.say('CAPABILITY')]) {
    const lines = answer.split('\r\n');
    expect(lines[0]).toBe('"IMPLEMENTATION" "mailstore 0.0.0"');
    expect(lines).toContain('"SASL" "DIGEST-MD5 PLAIN"');
    expect(lines).toContain('"STARTTLS"');
    expect(lines).toContain('"VERSION" "1.0"');
    expect(lines.at(-1)).toBe('OK');
    expect(answer).toMatch(/\r\n"SIEVE" "[^"]*\bfileinto\b[^"]*\bvacation\b[^"]*"\r\n/);
    expect(answer).not.toContain('"OWNER"');
  }
  expect(await client.say('capability')).toContain('\r\n"OWNER" "django"\r\n');
});

test('§2.1: responses in strings and in literals, and what is wrong with them', async () => {
  const stranger = await server.connect();
  stranger.send('Authenticate "DIGEST-MD5"\r\n');
  const challenge = Buffer.from((await stranger.line()).replace(/^\{\d+\}\r\n|"/g, ''), 'base64').toString();
  expect(challenge).toContain('qop="auth');
  expect(await stranger.say(`"${Buffer.from('username="x"').toString('base64')}"`)).toStartWith('NO ');
  const wrong = Buffer.from('\0django\0wrong').toString('base64');
  for (let n = 0; n < 2; n++) {
    expect(await stranger.say(`Authenticate "PLAIN" ${script(wrong)}`)).toMatch(/^(?:NO|BYE) /);
  }
  const right = Buffer.from(`\0django\0${PASSWORD}`).toString('base64');
  expect(await (await server.connect()).say(`Authenticate "PLAIN" ${script(right)}`)).toStartWith('OK');
});

test('§2.3: Logout', async () => {
  expect(await client.say('Logout')).toStartWith('OK');
  expect(await client.line()).toBe('<closed>');
});

test('§2.5: HAVESPACE', async () => {
  expect(await client.say('HAVESPACE "myscript" 999999')).toStartWith('NO (QUOTA/MAXSIZE) ');
  expect(await client.say('HAVESPACE "foobar" 435')).toBe('OK');
});

test('§2.6: PUTSCRIPT: a syntax error, a script, a script with a warning', async () => {
  expect(await client.say(`Putscript "foo" ${script('#comment', 'InvalidSieveCommand', '')}`)).toMatch(
    // Where it ends without its ";".
    /^NO [\s\S]*line 3\b/,
  );
  expect(await client.say('Listscripts')).toBe('OK');
  expect(await client.say(`Putscript "mysievescript" ${script(...RULE)}`)).toBe('OK');
  // What is warned of differs: a redirect to another server is nothing unusual here.
  expect(
    await client.say(
      `Putscript "myforwards" ${
        script(
          'require ["envelope", "enotify"];',
          'redirect "111@example.net";',
          '',
          'if size :under 10k {',
          '    redirect "mobile@cell.example.com";',
          '}',
          '',
          'notify "xmpp:lists@groups.example.com";',
        )
      }`,
    ),
  ).toMatch(/^OK \(WARNINGS\) [\s\S]*line 8\b/);
});

test('§2.7, §2.8: LISTSCRIPTS and SETACTIVE', async () => {
  expect(await client.say('Listscripts')).toBe('OK');
  for (const name of ['"summer_script"', '"vacation_script"', script('clever"script'), '"main_script"']) {
    expect(await client.say(`PUTSCRIPT ${name} ${script('keep;')}`)).toBe('OK');
  }
  expect(await client.say('Setactive "main_script"')).toBe('OK');
  const listed = (await client.say('listscripts')).split(/\r\n(?!clever)/);
  expect(listed).toContain('"main_script" ACTIVE');
  expect(listed).toContain('"summer_script"');
  expect(listed.some((line) => line.includes('clever"script') || line.includes('clever\\"script'))).toBe(
    true,
  );
  expect(await client.say('Setactive ""')).toBe('OK');
  expect(await client.say('Listscripts')).not.toContain('ACTIVE');
  expect(await client.say('Setactive "baz"')).toBe('NO (NONEXISTENT) "There is no script by that name"');
  expect(await client.say(`Setactive ${script('baz')}`)).toBe(
    'NO (NONEXISTENT) "There is no script by that name"',
  );
});

test('§2.9: GETSCRIPT', async () => {
  const lines = ['#this is my wonderful script', 'require "reject"; reject "I reject all";', ''];
  await client.say(`PUTSCRIPT "myscript" ${script(...lines)}`);
  const text = lines.join('\r\n');
  expect(await client.say('Getscript "myscript"')).toBe(`{${text.length}}\r\n${text}\r\nOK`);
});

test('§2.10: DELETESCRIPT', async () => {
  for (const name of ['foo', 'baz']) await client.say(`PUTSCRIPT "${name}" ${script('keep;')}`);
  await client.say('SETACTIVE "baz"');
  expect(await client.say('Deletescript "foo"')).toBe('OK');
  expect(await client.say('Deletescript "baz"')).toStartWith('NO (ACTIVE) ');
});

test('§2.11: RENAMESCRIPT, and the way to do without it', async () => {
  for (const name of ['foo', 'baz']) await client.say(`PUTSCRIPT "${name}" ${script('keep;')}`);
  expect(await client.say('Renamescript "foo" "bar"')).toBe('OK');
  expect(await client.say('Renamescript "baz" "bar"')).toStartWith('NO (ALREADYEXISTS) ');
  expect(await client.say('LISTSCRIPTS')).toBe('"bar"\r\n"baz"\r\nOK');
  // For servers without it: the old script is read and put under the new name, made active, and deleted.
  await client.say('SETACTIVE "baz"');
  expect(await client.say('HAVESPACE "bla" 5')).toBe('OK');
  expect(await client.say('GETSCRIPT "baz"')).toBe('{5}\r\nkeep;\r\nOK');
  expect(await client.say(`PUTSCRIPT "bla" ${script('keep;')}`)).toBe('OK');
  expect(await client.say('SETACTIVE "bla"')).toBe('OK');
  expect(await client.say('DELETESCRIPT "baz"')).toBe('OK');
  expect(await client.say('LISTSCRIPTS')).toBe('"bar"\r\n"bla" ACTIVE\r\nOK');
});

test('§2.12: CHECKSCRIPT', async () => {
  expect(await client.say(`CheckScript ${script('#comment', 'InvalidSieveCommand', '')}`)).toMatch(
    // Where it ends without its ";".
    /^NO [\s\S]*line 3\b/,
  );
  expect(await client.say(`CheckScript ${script(...RULE)}`)).toBe('OK');
  expect(await client.say('LISTSCRIPTS')).toBe('OK');
});

test('§2.13: NOOP', async () => {
  expect(await client.say('NOOP')).toStartWith('OK');
  expect(await client.say('NOOP "STARTTLS-SYNC-42"')).toMatch(
    /^OK \(TAG (?:"STARTTLS-SYNC-42"|\{16\}\r\nSTARTTLS-SYNC-42)\) /,
  );
});

test('§2.14: UNAUTHENTICATE', async () => {
  expect(await client.say('UNAUTHENTICATE')).toBe('OK');
  expect(await client.say('LISTSCRIPTS')).toStartWith('NO');
});

test('§1.3: who is on another server is sent there, once it is known who it is', async () => {
  const moved = {
    ...given,
    sieve_referrals: { django: 'sieve://new.example.org', '@example.net': 'sieve://[::1]:4191' },
  };
  const old = await SieveServer.open(
    { ...moved, virtdomains: 'userid' },
    {},
    languageOf(makeSettings(moved)),
  );
  const answer = async (user: string, password: string) => {
    const stranger = await old.connect();
    const response = Buffer.from(`\0${user}\0${password}`).toString('base64');
    const said = await stranger.say(`AUTHENTICATE "PLAIN" "${response}"`);
    return [said, said.startsWith('BYE') ? await stranger.line() : ''];
  };
  const text = '"Your scripts are on another server"';
  expect(await answer('django', PASSWORD)).toEqual([
    `BYE (REFERRAL "sieve://new.example.org") ${text}`,
    '<closed>',
  ]);
  expect(await answer('anna@example.net', PASSWORD)).toEqual([
    `BYE (REFERRAL "sieve://[::1]:4191") ${text}`,
    '<closed>',
  ]);
  expect((await answer('django', 'wrong'))[0]).toStartWith('NO ');
  expect((await answer('inge', PASSWORD))[0]).toBe('OK');
  await old.close();
});
