/** Groups of ACLs from Debian's slapd and from the system: ptloader's job. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Checkers } from '../../src/auth/checker/pool.ts';
import { configuredGroups } from '../../src/auth/groups/configured.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { limits } from '../../src/limits.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, succeed } from '../harness/command.ts';
import { MANAGER, SUFFIX, TestDirectory } from '../harness/directory.ts';
import { userName } from '../harness/processes.ts';
import { mailstoreCommand, TestStore } from '../harness/server.ts';
import { type LogLine, recordingLog } from '../lmtp/peer.ts';

const PEOPLE = { django: 'x', inge: 'y' };
const member = (uid: string) => `member: uid=${uid},ou=People,${SUFFIX}\n`;

let directory: TestDirectory;
beforeAll(async () => {
  directory = await TestDirectory.start({ people: PEOPLE });
  await directory.modify(
    `dn: cn=Staff,ou=Group,${SUFFIX}\nchangetype: add\nobjectClass: groupOfNames\ncn: Staff\n${
      member('django')
    }${member('inge')}\n` +
      `dn: cn=board,ou=Group,${SUFFIX}\nchangetype: add\nobjectClass: groupOfNames\ncn: board\n${
        member('inge')
      }\n` +
      `dn: uid=django,ou=People,${SUFFIX}\nchangetype: modify\nadd: ou\nou: sales\nou: cn=Buyers,ou=Group,${SUFFIX}\n`,
  );
});
const dir = mkdtempSync(join(tmpdir(), 'mailstore-groups-'));
afterAll(async () => {
  await directory.dispose();
  rmSync(dir, { recursive: true, force: true });
});

const checkers = new Checkers([...mailstoreCommand(), 'serve', '--role=checker']);
afterAll(() => checkers.close());

/** Groups of a user by the configuration, and what the log says. */
async function groupsOf(userid: string, given: Partial<Parameters<typeof makeSettings>[0]>) {
  const lines: LogLine[] = [];
  const settings = makeSettings({
    pts_module: 'ldap',
    ldap_uri: [directory.uri],
    ldap_base: `ou=People,${SUFFIX}`,
    ldap_bind_dn: MANAGER.dn,
    ldap_bind_pw: MANAGER.password,
    ...given,
  });
  const groups = configuredGroups(settings, checkers, recordingLog(lines));
  const identity = await groups.identify({ userid, admin: false, groups: [] });
  return { groups: [...identity.groups].sort(), unknown: identity.groupsUnknown, log: JSON.stringify(lines) };
}

const BY_FILTER = {
  ldap_member_method: 'filter',
  ldap_member_base: `ou=Group,${SUFFIX}`,
  ldap_member_filter: '(&(objectClass=groupOfNames)(member=%D))',
  ldap_member_attribute: 'cn',
} as const;

describe('in a directory', () => {
  test('found by a search for the members', async () => {
    expect((await groupsOf('django', BY_FILTER)).groups).toEqual(['Staff', 'staff']);
    expect((await groupsOf('inge', BY_FILTER)).groups).toEqual(['Staff', 'board', 'staff']);
    expect((await groupsOf('nobody', BY_FILTER)).groups).toEqual([]);
    expect((await groupsOf('*', BY_FILTER)).groups).toEqual([]);
  });

  test('named by the entry of the user', async () => {
    const { groups } = await groupsOf('django', { ldap_member_attribute: 'ou' });
    expect(groups).toEqual(['Buyers', 'buyers', 'sales']);
  });

  test('more than anybody is in are no answer', async () => {
    const most = limits.groups_of_user.value;
    const many = Array.from({ length: most + 1 }, (_, index) => `ou: o${index}\n`).join('');
    await directory.modify(
      `dn: uid=inge,ou=People,${SUFFIX}\nchangetype: modify\nadd: ou\n${many}`,
    );
    const { groups, unknown, log } = await groupsOf('inge', { ldap_member_attribute: 'ou' });
    expect([groups, unknown]).toEqual([[], true]);
    expect(log).toContain(`more than ${most} groups`);
  });

  test('a referral that goes round is not followed', async () => {
    await directory.modify(
      `dn: ou=Loop,${SUFFIX}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\nou: Loop\n` +
        `ref: ${directory.uri}/ou=Loop,${SUFFIX}\n`,
    );
    const { groups, unknown } = await groupsOf('django', { ...BY_FILTER, ldap_base: `ou=Loop,${SUFFIX}` });
    expect([groups, unknown]).toEqual([[], true]);
    // A reference among the results is passed over.
    expect((await groupsOf('django', { ...BY_FILTER, ldap_base: SUFFIX })).groups).toEqual([
      'Staff',
      'staff',
    ]);
  });

  test('a directory that does not answer leaves everybody without', async () => {
    const { groups, unknown, log } = await groupsOf('django', {
      ...BY_FILTER,
      ldap_uri: ['ldap://127.0.0.1:1'],
    });
    expect([groups, unknown]).toEqual([[], true]);
    expect(log).toContain('groups cannot be told');
  });
});

test('ptdump prints them', async () => {
  const file = join(dir, 'mailstore.toml');
  const config = (uri: string) =>
    `[server]\nuser = "${userName()}"\n[auth]\npts_module = "ldap"\n[ldap]\nuri = ["${uri}"]\nbase = "ou=People,${SUFFIX}"\n` +
    `bind_dn = "${MANAGER.dn}"\nbind_pw = "${MANAGER.password}"\nmember_method = "filter"\n` +
    `member_base = "ou=Group,${SUFFIX}"\nmember_attribute = "cn"\n`;
  const [program = '', ...args] = mailstoreCommand();
  writeFileSync(file, config(directory.uri), { mode: 0o640 });
  const { stdout } = await succeed(program, [...args, 'ptdump', '-c', file, 'django', 'nobody']);
  expect(stdout).toBe('user: django groups: 2\n  group:Staff\n  group:staff\nuser: nobody groups: 0\n');
  writeFileSync(file, config('ldap://127.0.0.1:1'), { mode: 0o640 });
  const down = await run(program, [...args, 'ptdump', '-c', file, 'django']);
  expect([down.code, down.stdout]).toEqual([75, '']);
});

test('of an account of the system', async () => {
  const { stdout } = await succeed('id', ['-Gn', 'daemon']);
  const names = stdout.trim().split(' ').sort();
  const system = { pts_module: 'off', unix_group_enable: true } as const;
  expect((await groupsOf('daemon', system)).groups).toEqual(names);
  expect(await groupsOf('no-such-account', system)).toMatchObject({ groups: [], unknown: false });
});

test('a shared folder opens to a group, and closes to who leaves it', async () => {
  const store = await TestStore.start({
    users: ['django', 'inge'],
    config: {
      auth: { pts_module: '"ldap"', ptscache_timeout: '"1s"' },
      ldap: {
        uri: `["${directory.uri}"]`,
        base: `"ou=People,${SUFFIX}"`,
        bind_dn: `"${MANAGER.dn}"`,
        bind_pw: `"${MANAGER.password}"`,
        member_method: '"filter"',
        member_base: `"ou=Group,${SUFFIX}"`,
        member_attribute: '"cn"',
      },
    },
  });
  try {
    const inge = await store.login('inge');
    await inge.ok('CREATE Plans');
    await inge.ok('SETACL Plans group:staff lrs');
    await inge.logout();
    const django = await store.login('django');
    const sees = async () => {
      const { untagged } = await django.ok('LIST "" "Other Users/inge/%"');
      return untagged.some((line) => line.text.includes('Plans'));
    };
    expect(await sees()).toBe(true);
    await directory.modify(
      `dn: cn=Staff,ou=Group,${SUFFIX}\nchangetype: modify\ndelete: member\n${member('django')}`,
    );
    // The session learns of it when what it knows is a second old, without logging in again.
    while (await sees());
    const again = await store.login('django');
    expect((await again.command('SELECT "Other Users/inge/Plans"')).status).toBe('NO');
  } finally {
    await store.dispose();
  }
}, 30_000);
