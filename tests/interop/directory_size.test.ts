/**
 * A directory with very many users: Debian's slapd, as many entries as MAILSTORE_DIRECTORY_ENTRIES says. With a million
 * (TMPDIR=/dev/shm MAILSTORE_DIRECTORY_ENTRIES=1000000) it prints the figures that stand in tests/README.md.
 */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { crowdPassword } from '../harness/crowd.ts';
import { run } from '../harness/command.ts';
import { MANAGER, SUFFIX, TECHNICAL, TestDirectory } from '../harness/directory.ts';
import { ImapClient } from '../harness/imap.ts';
import { memoryOf, processorSeconds } from '../harness/processes.ts';
import { Random } from '../harness/random.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

const given = process.env['MAILSTORE_DIRECTORY_ENTRIES'];
const ENTRIES = Number(given ?? 20_000);
/** slapadd of a million takes minutes. */
const BUILD_LIMIT_MS = 900_000;
const LOGINS = 200;
const AT_ONCE = 8;

let directory: TestDirectory;
/** ldapdb, groups by a search for the members, then the store's own users. */
let byLdapdb: TestStore;
/** Search and bind. */
let byBind: TestStore;
/** Search and bind with a filter that no index serves. */
let unindexed: TestStore;

function figure(text: string): void {
  if (given !== undefined) console.log(`${ENTRIES} entries: ${text}`);
}

beforeAll(async () => {
  const begun = performance.now();
  directory = await TestDirectory.start({ people: {}, crowd: ENTRIES });
  // The how-to's authzTo is a search, through which slapd walks from the first entry to the user's at each login.
  await directory.modify(
    `dn: uid=${TECHNICAL.id},${SUFFIX}\nchangetype: modify\nreplace: authzTo\nauthzTo: dn.children:ou=People,${SUFFIX}\n`,
  );
  figure(`slapd with its data after ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  const ldap = {
    uri: `["${directory.uri}"]`,
    base: `"ou=People,${SUFFIX}"`,
    bind_dn: `"${MANAGER.dn}"`,
    bind_pw: `"${MANAGER.password}"`,
  };
  const groups = {
    member_method: '"filter"',
    member_base: `"ou=Group,${SUFFIX}"`,
    member_filter: '"(member=%D)"',
    member_attribute: '"cn"',
  };
  const start = (auth: Readonly<Record<string, string>>, more: Readonly<Record<string, string>>) =>
    TestStore.start({
      users: ['bert'],
      config: {
        server: { workers: '1' },
        auth: { sasl_cache_life: '"0s"', ...auth },
        ldap: { ...ldap, ...more },
        ldapdb: {
          uri: `["${directory.uri}"]`,
          id: `"${TECHNICAL.id}"`,
          pw: `"${TECHNICAL.password}"`,
          mech: '"digest-md5"',
        },
        login: { limit_network: '0', failedloginpause: '"0s"' },
      },
    });
  byLdapdb = await start({
    sasl_pwcheck_method: '"auxprop"',
    sasl_auxprop_plugin: '["ldapdb", "sasldb"]',
    sasl_mech_list: '["DIGEST-MD5", "SCRAM-SHA-256", "PLAIN"]',
    pts_module: '"ldap"',
  }, groups);
  byBind = await start({ sasl_pwcheck_method: '["ldap", "auxprop"]' }, { filter: '"(uid=%u)"' });
  unindexed = await start({ sasl_pwcheck_method: '["ldap", "auxprop"]' }, {
    filter: '"(|(uid=%u)(employeeNumber=%u))"',
  });
}, BUILD_LIMIT_MS);

afterAll(async () => {
  for (const store of [byLdapdb, byBind, unindexed]) await store.dispose();
  await directory.dispose();
});

/** What a login over IMAP is answered: 'OK', or the response code of the NO. */
async function login(store: TestStore, user: string, password: string): Promise<string> {
  const client = await ImapClient.connect({ port: store.ports.imap });
  const { status, text } = await client.command(`LOGIN "${user}" "${password}"`);
  client.destroy();
  return status === 'OK' ? 'OK' : /\[([A-Z]+)/.exec(text)?.[1] ?? text;
}

/** Random users with their password, a wrong one and names that are not there; the same in every run. */
async function manyLogins(what: string, store: TestStore): Promise<void> {
  const random = new Random(ENTRIES);
  const before = { store: processorSeconds(store.pid), slapd: processorSeconds(directory.pid) };
  const memory = memoryOf(store.pid);
  const begun = performance.now();
  for (let done = 0; done < LOGINS; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, async (_, lane) => {
      const index = random.below(ENTRIES);
      const [user, password, answer] = lane === 0
        ? [`u${ENTRIES + index}`, crowdPassword(index), 'AUTHENTICATIONFAILED']
        : lane === 1
        ? [`u${index}`, crowdPassword(index + 1), 'AUTHENTICATIONFAILED']
        : [`u${index}`, crowdPassword(index), 'OK'];
      expect([user, await login(store, user, password)]).toEqual([user, answer]);
    }));
  }
  const each = (seconds: number) => `${(seconds * 1000 / LOGINS).toFixed(2)} ms`;
  figure(
    `${what}: a login ${each((performance.now() - begun) / 1000)}, ` +
      `the store's processor time ${each(processorSeconds(store.pid) - before.store)}, ` +
      `slapd's ${each(processorSeconds(directory.pid) - before.slapd)}, ` +
      `the store's memory ${(memory / 1024).toFixed(0)} MB before, ${
        (memoryOf(store.pid) / 1024).toFixed(0)
      } MB behind`,
  );
}

test('ldapdb finds each of them, with the groups', async () => {
  await manyLogins('ldapdb and groups', byLdapdb);
  const last = `u${ENTRIES - 1}`;
  expect(byLdapdb.tool(['ptdump', last]).stdout).toContain(`g${Math.floor((ENTRIES - 1) / 1000)}`);
  for (const mechanism of ['DIGEST-MD5', 'SCRAM-SHA-256']) {
    const { stdout } = await run('/usr/lib/cyrus/bin/imtest', [
      ...['-p', String(byLdapdb.ports.imap), '-m', mechanism, '-a', last],
      ...['-w', crowdPassword(ENTRIES - 1), 'localhost'],
    ], { input: '01 LOGOUT\r\n' });
    expect(stdout).toContain('Authenticated.');
  }
}, BUILD_LIMIT_MS);

test('search and bind finds each of them', () => manyLogins('search and bind', byBind), BUILD_LIMIT_MS);

test('searches that no index serves are never a wrong password and keep out nobody else', async () => {
  const random = new Random(1);
  const begun = performance.now();
  const searching = Array.from({ length: 2 * AT_ONCE }, () => {
    const index = random.below(ENTRIES);
    return login(unindexed, `u${index}`, crowdPassword(index));
  });
  const asked = performance.now();
  expect(await login(unindexed, 'bert', PASSWORD)).toBe('OK');
  figure(`somebody else logs in within ${(performance.now() - asked).toFixed(0)} ms beside 16 such searches`);
  const answers = await Promise.all(searching);
  expect(answers.filter((answer) => answer !== 'OK' && answer !== 'UNAVAILABLE')).toEqual([]);
  const found = answers.filter((answer) => answer === 'OK').length;
  figure(`of 16 such searches ${found} found their user, in ${(performance.now() - begun).toFixed(0)} ms`);
  expect(await login(byBind, `u${ENTRIES - 1}`, crowdPassword(ENTRIES - 1))).toBe('OK');
}, BUILD_LIMIT_MS);

test("the how-to's authzTo, through which slapd searches, is never a wrong password either", async () => {
  await directory.modify(
    `dn: uid=${TECHNICAL.id},${SUFFIX}\nchangetype: modify\nreplace: authzTo\n` +
      `authzTo: ldap:///${SUFFIX}??sub?(objectClass=*)\n`,
  );
  for (const index of [0, ENTRIES >> 1, ENTRIES - 1]) {
    const begun = performance.now();
    const answer = await login(byLdapdb, `u${index}`, crowdPassword(index));
    expect(['OK', 'UNAVAILABLE']).toContain(answer);
    expect(await login(byLdapdb, 'bert', PASSWORD)).toBe('OK');
    figure(
      `authzTo as a search: u${index} is answered ${answer} after ${
        (performance.now() - begun).toFixed(0)
      } ms`,
    );
  }
}, BUILD_LIMIT_MS);
