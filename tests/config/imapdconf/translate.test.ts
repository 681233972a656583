import { afterAll, describe, expect, test } from 'bun:test';
import { formatFinding } from '../../../src/config/finding.ts';
import { absentKeys, explainAbsent } from '../../../src/config/imapdconf/absent.ts';
import { formatReport, knownKeys } from '../../../src/config/imapdconf/translate.ts';
import { mechanismsThere } from '../../../src/config/options/auth.ts';
import { loadSettings, translateCyrus } from '../../../src/config/load.ts';
import { optionRows } from '../../../src/config/options.ts';
import { findingsOf, Folder } from '../folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

let written = 0;
function conf(text: string): string {
  return folder.write(`${++written}/imapd.conf`, text);
}

function short(line: string): string {
  return line.replace(/^.*\/imapd\.conf/, 'imapd.conf');
}

function report(text: string): string[] {
  return translateCyrus(conf(text)).report.map((line) => short(formatReport(line)));
}

function warnings(text: string): string[] {
  return loadSettings({ imapdConf: conf(text) }).warnings.map((line) => short(formatFinding(line)));
}

function refusals(text: string): string[] {
  const file = conf(text);
  return findingsOf(() => loadSettings({ imapdConf: file })).map((line) => short(formatFinding(line)));
}

test('each line is translated, not needed, not taken over or unknown', () => {
  expect(report('admins: cyrus\nimapidlepoll: 60\nnewsspool: /s\nadmin: x\nflubber: x\n')).toEqual([
    'imapd.conf:1: admins: translated to server.admins = ["cyrus"]',
    'imapd.conf:2: imapidlepoll: not needed: clients are told of changes at once, without polling or a daemon',
    'imapd.conf:3: newsspool: not taken over: NNTP is not there yet',
    'imapd.conf:4: admin: unknown key; the nearest is admins',
    'imapd.conf:5: flubber: unknown key',
  ]);
});

test('what is unknown or not there yet warns once a line, what is not needed does not', () => {
  expect(warnings('imapidlepoll: 60\nnewsspool: /s\nflubber: x\n')).toEqual([
    'imapd.conf:2: newsspool: NNTP is not there yet',
    'imapd.conf:3: flubber: unknown key',
  ]);
});

describe('what decides who may log in is refused, not passed over', () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      'sasl_pwcheck_method: alwaystrue',
      'sasl_pwcheck_method: "alwaystrue" is not there; there are auxprop, saslauthd, ldap, pam, passwd-file',
    ],
    ['sasl_auxprop_plugin: sql', 'sasl_auxprop_plugin: "sql" is not there; there are sasldb and ldapdb'],
    [
      'sasl_mech_list: GSSAPI PLAIN',
      `sasl_mech_list: GSSAPI: not there; there are ${mechanismsThere.join(', ')}`,
    ],
    [
      'tls_require_cert: 1',
      'tls_require_cert: no authority to check them against: tls.client_ca_file or client_ca_dir is missing',
    ],
    ['readonly: yes', 'readonly: a read-only server is not there yet'],
    [
      'imap_allowplaintext: no',
      'imap_allowplaintext: allowplaintext cannot be set for one service alone yet; only keys of TLS can',
    ],
  ];
  for (const [text, message] of cases) {
    test(text, () => expect(refusals(text)).toEqual([`imapd.conf:1: ${message}`]));
  }
  test('but not where it asks for nothing', () => {
    expect(warnings('sasl_minimum_layer: 0\nreadonly: no\ntls_require_cert: 0\n')).toEqual([]);
    expect(warnings('tls_client_certs: optional\n')).toEqual([
      'imapd.conf:1: tls_client_certs: has no effect: no authority to check them against: tls.client_ca_file or ' +
      'client_ca_dir is missing',
    ]);
  });
});

test('wrong values, keys given twice and lines that are none stop the start, all at once', () => {
  const text = 'quotawarn: many\nadmins: a\nADMINS: b\ntls_cert_file: /a\ntls_server_cert: /b\nnonsense\n' +
    'partition-default: relative\nautocreatequota: 10\n@include: nowhere\n';
  expect(refusals(text).map((line) => line.replace(/\/.*?nowhere/, 'nowhere')))
    .toEqual([
      'imapd.conf:1: quotawarn: expected a whole number from 0 to 100, found "many"',
      'imapd.conf:3: admins: was given before, in line 2; keep one of them',
      'imapd.conf:5: tls_server_cert: is another name of tls_cert_file, given in line 4; keep one of them',
      'imapd.conf:6: expected "key: value", found "nonsense"',
      'imapd.conf:7: partition-default: default: expected an absolute path, found "relative"',
      'imapd.conf:9: @include: nowhere: there is no such file',
    ]);
});

test('options Cyrus does not have can stand in imapd.conf by their name', () => {
  const { settings } = loadSettings({
    imapdConf: conf('lmtp_socket_group: postfix\nworkers: 3\nloglevel: debug\n'),
  });
  expect([settings.lmtp_socket_group, settings.workers, settings.loglevel]).toEqual(['postfix', 3, 'debug']);
});

test('certificates of one service alone', () => {
  const text = 'tls_cert_file: /all.pem\nimaps_tls_cert_file: /imaps.pem\nimaps_tls_key_file: /imaps.key\n';
  const { settings } = loadSettings({ imapdConf: conf(text) });
  const imaps = settings.services.find(({ name }) => name === 'imaps');
  expect([imaps?.tls_server_cert, imaps?.tls_server_key]).toEqual(['/imaps.pem', '/imaps.key']);
  expect(settings.services.find(({ name }) => name === 'imap')?.tls_server_cert).toBe('');
});

test('other options for one service are told to have no effect', () => {
  expect(warnings('imap_timeout: 60\n')).toEqual([
    'imapd.conf:1: imap_timeout: timeout cannot be set for one service alone yet; only keys of TLS can',
  ]);
});

test('options for a service that is not there', () => {
  expect(warnings('sieve_tls_cert_file: /p\nnews_tls_cert_file: /n\n')).toEqual([
    'imapd.conf:2: news_tls_cert_file: NNTP is not there yet',
  ]);
  expect(warnings('web_timeout: 40\n')).toEqual([
    'imapd.conf:1: web_timeout: sets timeout for the service web, but there is no such service',
  ]);
});

test('passwords are never printed', () => {
  const { report } = translateCyrus(
    conf('sasl_ldapdb_pw: hunter2\nmupdate_password: hunter2\nsql_passwd: hunter2\n'),
  );
  expect(JSON.stringify(report)).not.toContain('hunter2');
});

test('a password in a file everybody can read stops the start', () => {
  const file = folder.write('public/imapd.conf', 'sasl_ldapdb_pw: hunter2\n', 0o644);
  expect(findingsOf(() => loadSettings({ imapdConf: file }))).toEqual([{
    file,
    line: 1,
    key: 'sasl_ldapdb_pw',
    text: `is a password in a file everybody can read (mode 0644); chmod 0640 ${file}`,
  }]);
  const shielded = folder.write('private/imapd.conf', 'sasl_ldapdb_pw: hunter2\n', 0o640);
  expect(loadSettings({ imapdConf: shielded }).settings.sasl_ldapdb_pw).toBe('hunter2');
});

describe('the keys of Cyrus', () => {
  // Options of Cyrus IMAP 2.3.16 and 3.x an administrator meets in real files.
  const met =
    'admins afspts_mycell allowallsubscribe allowanonymouslogin allowapop allownewnews allowplaintext ' +
    'allowusermoves altnamespace annotation_db annotation_definitions anyoneuseracl archive_enabled auditlog ' +
    'autocreate_inbox_folders autocreate_post autocreate_quota autocreate_subscribe_folders autocreate_users ' +
    'autocreateinboxfolders autocreatequota autosubscribe_all_sharedfolders autosubscribeinboxfolders ' +
    'autosubscribesharedfolders boundary_limit caldav_realm client_timeout commandmintimer configdirectory ' +
    'conversations createonpost cyrus_group cyrus_user debug_command defaultacl defaultdomain defaultpartition ' +
    'defaultserver delete_mode deletedprefix deleteright duplicate_db duplicate_db_path duplicatesuppression ' +
    'expunge_mode failedloginpause flushseenstate foolstupidclients force_sasl_client_mech fulldirhash ' +
    'guid_mode hashimapspool hostname_mechs hostname_password httpmodules idlesocket idlemethod ignorereference ' +
    'imapidlepoll imapidresponse implicit_owner_rights improved_mboxlist_sort ldap_base ldap_password ldap_uri ' +
    'lmtp_catchall_mailbox lmtp_downcase_rcpt lmtp_fuzzy_mailbox_match lmtp_over_quota_perm_failure ' +
    'lmtp_overquota_perm_failure lmtp_strict_quota lmtpsocket lmtptxn_timeout loginrealms loginuseacl ' +
    'logtimestamps mailnotifier master_bind_errors_fatal maxheaderlines maxlogins_per_user maxmessagesize ' +
    'maxquoted maxword mboxkey_db mboxlist_db mboxlist_db_path metapartition_files mupdate_server munge8bit ' +
    'mupdate_password netscapeurl newsgroups newspeer newsspool nntptimeout notifysocket partition_select_mode ' +
    'plaintextloginalert plaintextloginpause popexpiretime popminpoll popsubfolders poptimeout popuseacl ' +
    'postmaster postuser proc_path proxy_authname proxyservers pts_module ptscache_db ptscache_timeout ' +
    'qosmarking quota_db quotawarn quotawarnkb quotawarnpercent readonly reject8bit restore_authname ' +
    'reverseacls rfc2046_strict rfc3028_strict sasl_auto_transition sasl_auxprop_plugin sasl_ldapdb_id ' +
    'sasl_ldapdb_mech sasl_ldapdb_pw sasl_ldapdb_uri sasl_log_level sasl_maximum_layer sasl_mech_list ' +
    'sasl_minimum_layer sasl_pwcheck_method sasl_saslauthd_path sasl_sasldb_path sasl_sql_engine ' +
    'search_batchsize search_engine search_index_headers seenstate_db sendmail serverinfo serverlist servername ' +
    'sharedprefix sieve_allowreferrals sieve_extensions sieve_maxscriptsize sieve_maxscripts sieve_sasl_send_unsolicited_capability ' +
    'sievedir sievenotifier sieveusehomedir singleinstancestore skiplist_always_checkpoint skiplist_unsafe ' +
    'soft_noauth specialusealways sql_database sql_passwd srvtab statuscache statuscache_db submitservers ' +
    'subscription_db suppress_capabilities sync_host sync_log sync_password syslog_facility syslog_prefix ' +
    'tcp_keepalive temp_path timeout tls_ca_file tls_ca_path tls_cert_file tls_cipher_list tls_ciphers ' +
    'tls_client_ca_dir tls_client_ca_file tls_client_certs tls_crl_file tls_eccurve tls_key_file ' +
    'tls_prefer_server_ciphers tls_require_cert tls_server_cert tls_server_key tls_session_timeout ' +
    'tls_sessions_db tls_versions tlscache_db umask unixhierarchysep unix_group_enable userdeny_db ' +
    'username_tolower userprefix virtdomains xlist-drafts';

  test('each has an option or an explanation', () => {
    const options = new Set(optionRows.flatMap(([, row]) => row.imapd.map(({ key }) => key)));
    const nobody = met.split(' ').filter((key) => !options.has(key) && explainAbsent(key) === undefined);
    expect(nobody).toEqual([]);
  });

  test('none is both an option and explained away by its name', () => {
    const options = new Set(optionRows.flatMap(([name, row]) => [name, ...row.imapd.map(({ key }) => key)]));
    expect([...absentKeys()].filter((key) => options.has(key))).toEqual([]);
    expect(new Set(knownKeys()).size).toBe(knownKeys().length);
  });

  test('a made-up key is unknown', () => {
    for (const key of ['flubber', 'constructor', 'sieved', 'x_dbx', 'partitions']) {
      expect(explainAbsent(key)).toBeUndefined();
    }
  });
});
