import { afterAll, describe, expect, test } from 'bun:test';
import { formatFinding } from '../../../src/config/finding.ts';
import { loadSettings, settingsFromToml } from '../../../src/config/load.ts';
import { mechanismsThere } from '../../../src/config/options/auth.ts';
import { findingsOf, Folder } from '../folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

function refusals(text: string): string[] {
  return findingsOf(() => settingsFromToml(text, 'm.toml')).map(formatFinding);
}

describe('what is wrong is named with file, line and key', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'an unknown key with a near one',
      '[lmtp]\ndowncase_rctp = true',
      'm.toml:2: lmtp.downcase_rctp: unknown key; the nearest is lmtp.downcase_rcpt',
    ],
    ['an unknown key with none near', '[lmtp]\nflubber = true', 'm.toml:2: lmtp.flubber: unknown key'],
    [
      'an unknown section',
      '\n[sever]\nadmins = []',
      'm.toml:2: sever: unknown section; the nearest is server',
    ],
    [
      'a key in the wrong section',
      '[imap]\nadmins = ["a"]',
      'm.toml:2: imap.admins: there is no such key here; it is server.admins',
    ],
    [
      'a key of imapd.conf at the top',
      'lmtp_downcase_rcpt = true',
      'm.toml:1: lmtp_downcase_rcpt: there is no such key here; it is lmtp.downcase_rcpt',
    ],
    [
      'an old spelling',
      '[tls]\ntls_cert_file = "/a"',
      'm.toml:2: tls.tls_cert_file: there is no such key here; it is tls.server_cert',
    ],
    [
      'what is not there yet',
      '[server]\nnewsspool = "/s"',
      'm.toml:2: server.newsspool: NNTP is not there yet',
    ],
    [
      'what is not needed',
      '[imap]\nimapidlepoll = 60',
      'm.toml:2: imap.imapidlepoll: clients are told of changes at once, without polling or a daemon',
    ],
    [
      'a wrong type',
      '[auth]\nallowplaintext = "no"',
      'm.toml:2: auth.allowplaintext: expected true or false, found the string "no"',
    ],
    [
      'a value out of bounds',
      '[mailbox]\nquotawarn = 101',
      'm.toml:2: mailbox.quotawarn: expected a whole number from 0 to 100, found 101',
    ],
    [
      'a key given twice',
      '[imap]\ntimeout = "1h"\ntimeout = "2h"',
      'm.toml:3: timeout: this key or table was given before; keep one of them',
    ],
    [
      'a table given twice',
      '[imap]\n[lmtp]\n[imap]',
      'm.toml:3: this key or table was given before; keep one of them',
    ],
    [
      'a section that is a value',
      'imap = 3',
      'm.toml:1: imap: is a section: write [imap] and its keys below',
    ],
    [
      'a mechanism that is not there',
      '[auth]\nsasl_mech_list = ["PLAIN", "gssapi"]',
      `m.toml:2: auth.sasl_mech_list: GSSAPI: not there; there are ${mechanismsThere.join(', ')}`,
    ],
    [
      'a cipher that is not there',
      '[auth]\nsasl_digest_ciphers = ["rc4", "aes"]',
      'm.toml:2: auth.sasl_digest_ciphers: aes: not there; there are rc4, 3des, rc4-56, des, rc4-40',
    ],
    [
      'no mechanism at all',
      '[auth]\nsasl_mech_list = []',
      'm.toml:2: auth.sasl_mech_list: at least one mechanism is needed',
    ],
    [
      'secrets from elsewhere',
      '[auth]\nsasl_auxprop_plugin = "ldapdb"',
      'm.toml:2: auth.sasl_auxprop_plugin: ldapdb needs the address of the directory: ldapdb.uri (sasl_ldapdb_uri) is missing',
    ],
    [
      'a source of secrets that is not there',
      '[auth]\nsasl_auxprop_plugin = ["sasldb", "sql"]',
      'm.toml:2: auth.sasl_auxprop_plugin: "sql" is not there; there are sasldb and ldapdb',
    ],
    [
      'an address that is none',
      '[ldapdb]\nuri = ["http://ldap.example.org"]',
      'm.toml:2: ldapdb.uri: "http://ldap.example.org" is no address of a directory: ldap://host:port, ldaps://host:port or ' +
      'ldapi://path',
    ],
    [
      'a password given twice',
      '[auth]\nsasl_auxprop_plugin = "ldapdb"\n[ldapdb]\nuri = ["ldapi:///"]\npw = "x"\npw_file = "/x"',
      'm.toml:6: ldapdb.pw_file: the password is given twice: by pw and by pw_file; keep one of them',
    ],
    [
      'a partition that is not there',
      '[store]\ndefaultpartition = "big"',
      'm.toml:2: store.defaultpartition: there is no partition "big"; there is default',
    ],
    [
      'two partitions in one folder',
      '[store]\npartition = { default = "/a", b = "/a/" }',
      'm.toml:2: store.partition: partition b and partition default have the same folder /a',
    ],
    [
      'a key without a certificate',
      '[tls]\nserver_key = "/k"',
      'm.toml:2: tls.server_key: a key without a certificate: the certificate file is missing',
    ],
    [
      'cipher suites nobody has',
      '[tls]\nciphers = "ROT13"',
      'm.toml:2: tls.ciphers: no cipher suite there is matches "ROT13"',
    ],
    [
      'a service without what it speaks',
      '[services.x]\nlisten = 1',
      'm.toml:1: services.x: protocol is missing: "imap", "pop3", "lmtp", "sieve", "smmap" or "notify"',
    ],
    [
      'a service without a place',
      '[services.x]\nprotocol = "imap"',
      'm.toml:1: services.x: listen is missing: a port, host:port or the path of a socket',
    ],
    [
      'an unknown key of a service',
      '[services.imap]\nprefrok = 1',
      'm.toml:2: services.imap.prefrok: unknown key; there are protocol, listen, family, tls, trusted, maxchild, proxy_protocol, owner, group, mode, tls_server_cert, tls_server_key, tls_client_ca_file, tls_client_ca_dir, tls_client_certs, tls_crl_file',
    ],
    [
      'a mistyped key of a service',
      '[services.imap]\nlissten = 1',
      'm.toml:2: services.imap.lissten: unknown key; the nearest is listen',
    ],
    [
      'a service name nobody knows',
      '[services.imap]\nlisten = "imapp"',
      'm.toml:2: services.imap.listen: the service name "imapp" is not known; write the number of the port',
    ],
    [
      'a port that is none',
      '[services.imap]\nlisten = 65536',
      'm.toml:2: services.imap.listen: 65536 is not a port: 0 to 65535',
    ],
    [
      'permissions of a port',
      '[services.lmtp]\nmode = "0660"',
      'm.toml:2: services.lmtp.mode: is for unix sockets; this service listens on a port',
    ],
    [
      'trusted IMAP',
      '[services.imap]\ntrusted = true',
      'm.toml:2: services.imap.trusted: is for LMTP and smmap services only',
    ],
    [
      'TLS without a certificate',
      '[services.imaps]',
      'm.toml:1: services.imaps: begins with TLS, but there is no certificate: tls.server_cert (tls_server_cert) is missing',
    ],
    [
      'two services on one port',
      '[services.imap]\n[services.other]\nprotocol = "imap"\nlisten = 143',
      'm.toml:2: services.other: listens on imap as imap does',
    ],
    ['no service at all', '[services]', 'm.toml:1: services: at least one service is needed'],
    [
      'a service that is a value',
      '[services]\nimap = 143',
      'm.toml:2: services.imap: expected a table [services.imap]',
    ],
    [
      'services that are a value',
      'services = 1',
      'm.toml:1: services: expected a table for each service, such as [services.imap]',
    ],
    [
      'a service with an odd name',
      '[services."a b"]',
      'm.toml:1: services.a b: the name of a service has letters, digits, _ and - only',
    ],
    [
      'an event without a job',
      '[events.x]\nevery = "1h"',
      'm.toml:1: events.x: job is missing: "checkpoint", "expire" or "backup"',
    ],
    [
      'an event without a time',
      '[events.x]\njob = "expire"',
      'm.toml:1: events.x: one of every and at is needed, and only one',
    ],
    [
      'an event with two times',
      '[events.x]\njob = "expire"\nat = "04:00"\nevery = "1d"',
      'm.toml:1: events.x: one of every and at is needed, and only one',
    ],
    [
      'a time that is none',
      '[events.x]\njob = "expire"\nat = "24:00"',
      'm.toml:3: events.x.at: expected a time of day such as "04:00", found "24:00"',
    ],
  ];
  for (const [name, text, message] of cases) {
    test(name, () => expect(refusals(text)).toEqual([message]));
  }
});

test('broken TOML is named with its line', () => {
  expect(refusals('[imap]\ntimeout = \n')[0]).toStartWith('m.toml:2: timeout: not valid TOML: ');
  expect(refusals('[imap\n')[0]).toStartWith('m.toml:1: not valid TOML: ');
  expect(refusals('__proto__ = 1')[0]).toStartWith('m.toml:1: __proto__: not valid TOML: ');
  expect(refusals(`x = ${'['.repeat(1000)}`)[0]).toStartWith('m.toml:1: x: not valid TOML: ');
});

test('all problems are named at once', () => {
  expect(refusals('[imap]\ntimeout = 1\n[lmtp]\nbare_lf = "x"\nfoo = 1')).toHaveLength(3);
});

test('names every object has are keys like others', () => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
    if (name !== 'constructor') expect(refusals(`[${name}]`)[0]).toContain('unknown section');
    expect(findingsOf(() => settingsFromToml(`[services.imap]\n${name} = 1`, 'm.toml'))).toHaveLength(1);
  }
});

test('an empty file gives the defaults', () => {
  const { settings, warnings } = settingsFromToml('', 'm.toml');
  expect(warnings).toEqual([]);
  expect(settings.timeout).toBe(1800);
  expect(settings.partition).toEqual({ default: '/var/spool/mailstore' });
  expect(settings.unixhierarchysep).toBe(true);
  expect(settings.maxmessagesize).toBe(64 << 20);
  expect(settings.servername).not.toBe('');
  expect(settings.services.map(({ name }) => name)).toEqual(['imap', 'lmtpunix']);
  expect(settings.services[1]).toEqual({
    name: 'lmtpunix',
    protocol: 'lmtp',
    tls: false,
    trusted: true,
    listen: { kind: 'unix', path: '/var/lib/mailstore/socket/lmtp', mode: 0o660, owner: '', group: '' },
    maxchild: 0,
    proxy_protocol: false,
    tls_server_cert: '',
    tls_server_key: '',
    tls_client_ca_file: '',
    tls_client_ca_dir: '',
    tls_client_certs: '',
    tls_crl_file: '',
  });
});

test('with a certificate there is IMAP over TLS', () => {
  const { settings } = settingsFromToml('[tls]\nserver_cert = "/c.pem"', 'm.toml');
  expect(settings.tls_server_key).toBe('/c.pem');
  expect(settings.services.map(({ name, tls }) => [name, tls])).toEqual([
    ['imap', false],
    ['imaps', true],
    ['lmtpunix', false],
  ]);
});

test('Windows line ends and tabs are fine', () => {
  const { settings } = settingsFromToml('[server]\r\n\tadmins\t=\t[ "a" ]\r\n', 'm.toml');
  expect(settings.admins).toEqual(['a']);
});

test('what has no effect is a warning', () => {
  const text = '[mailbox]\ncreateonpost = true\ndefaultdomain = "a.org"\nautosubscribeinboxfolders = ["x"]';
  expect(settingsFromToml(text, 'm.toml').warnings.map(formatFinding)).toEqual([
    'm.toml:2: mailbox.createonpost: has no effect while autocreatequota is 0',
    'm.toml:3: mailbox.defaultdomain: has no effect while virtdomains is off',
    'm.toml:4: mailbox.autosubscribeinboxfolders: the folder "x" is not among those created',
  ]);
});

test('the password of the search in a directory is one of them', () => {
  const text = '[ldap]\nuri = ["ldapi:///"]\nbind_pw = "hunter2"\n';
  const open = folder.write('search.toml', text, 0o644);
  expect(findingsOf(() => loadSettings({ toml: open })).map(({ line, key }) => [line, key])).toEqual([
    [3, 'ldap.bind_pw'],
  ]);
});

test('a password in a file everybody can read stops the start', () => {
  const text = '[auth]\nsasl_auxprop_plugin = "ldapdb"\n[ldapdb]\nuri = ["ldapi:///"]\npw = "hunter2"\n';
  const open = folder.write('open.toml', text, 0o644);
  expect(findingsOf(() => loadSettings({ toml: open }))).toEqual([{
    file: open,
    line: 5,
    key: 'ldapdb.pw',
    text: `is a password in a file everybody can read (mode 0644); chmod 0640 ${open}, or use ldapdb.pw_file`,
  }]);
  expect(loadSettings({ toml: folder.write('kept.toml', text, 0o640) }).settings.sasl_ldapdb_pw).toBe(
    'hunter2',
  );
});
