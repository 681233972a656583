/** Every option through every door: generated settings survive TOML, and old spellings mean what they meant. */

import { afterAll, describe, expect, test } from 'bun:test';
import { formatFinding } from '../../src/config/finding.ts';
import { translateImapdConf } from '../../src/config/imapdconf/translate.ts';
import { parseLines } from '../../src/config/imapdconf/parse.ts';
import { loadSettings, settingsFromToml } from '../../src/config/load.ts';
import { type OptionName, optionRows, options, type OptionValues } from '../../src/config/options.ts';
import type { Listen, ScheduledEvent, Service } from '../../src/config/services.ts';
import { retrievableSecrets } from '../../src/config/retrievable.ts';
import { defaultValues, makeSettings, type Settings } from '../../src/config/settings.ts';
import { writeToml } from '../../src/config/toml/write.ts';
import { Random } from '../harness/random.ts';
import { Folder } from './folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const words = ['a', 'Drafts', 'Größe', 'o"q', "it's", 'back\\slash', 'x y', '#', '=', '[x]', 'ÿ€𝄞'];

/** A value for every kind of option; kinds with rules of their own per option are picked by name. */
function randomValues(random: Random): OptionValues {
  const values: OptionValues = defaultValues();
  const bool = () => random.oneIn(2);
  const name = () => random.pick(['a', 'mail.example.org', 'host-1', 'x_y']);
  const path = () => `/${random.pick(words)}/${random.below(1000)}`;
  const list = () => [...new Set(Array.from({ length: random.below(4) }, () => random.pick(words)))];
  for (const [option, row] of optionRows) {
    const set = (value: unknown) => {
      // What is made of words need not be something the option can be.
      const fits = row.check?.(value) === undefined &&
        (!Array.isArray(value) || row.kind.fromToml(value).ok);
      if (fits) Object.assign(values, { [option]: value });
    };
    if (row.authentication || random.oneIn(4)) continue;
    switch (row.kind.name) {
      case 'switch':
        set(bool());
        break;
      case 'string':
        set(option === 'tls_ciphers' ? 'HIGH:!aNULL' : name());
        break;
      case 'integer':
        set(random.below(100));
        break;
      case 'size':
        set(2 ** 20 * (1 + random.below(1000)) + (bool() ? random.below(100) : 0));
        break;
      case 'duration': {
        const seconds = 30 * 60 + random.below(86400);
        // Pauses are shorter.
        set(row.kind.fromText(`${seconds}s`).ok ? seconds : random.below(60));
        break;
      }
      case 'choice':
        set(random.pick(row.kind.allowed ?? []));
        break;
      case 'list':
        set(list());
        break;
      case 'path':
        set(path());
        break;
      case 'paths':
        set({ default: '/spool/default', other: `/spool${path()}` });
        break;
      case 'mode':
        set(random.below(0o1000));
        break;
      case 'networks':
        set(bool() ? ['10.0.0.0/8', '::1', 'fe80::/10'] : []);
        break;
      case 'lists':
        set(bool() ? {} : { 'tag:example.org,2026:friends': path(), ':staff': path() });
        break;
      case 'certificates':
        set(Array.from({ length: random.below(3) }, () => ({ server_cert: path(), server_key: path() })));
        break;
    }
  }
  values.recipient_delimiter = random.pick(['+', '-+', '', '=']);
  values.backup_target = random.pick(['', '/srv/backup', 's3://bucket/and/prefix']);
  values.backup_s3_endpoint = random.pick(['', 'https://s3.example.org:9000']);
  values.notify_method = random.pick(['null', 'log', 'external', 'webhook']);
  values.notify_webhook = random.pick(['', 'https://hook.example.org/x?y=z']);
  values.sieve_maxscriptsize = 1024 * (1 + random.below(1024));
  values.defaultpartition = random.pick(Object.keys(values.partition));
  if (values.tls_client_certs === 'require') values.tls_client_ca_dir = '/ca';
  if (values.tls_server_cert === '') values.tls_server_cert = '/cert.pem';
  if (values.ldap_bind_pw !== '') values.ldap_bind_pw_file = '';
  if (values.smtp_auth_password !== '') values.smtp_auth_password_file = '';
  values.pam_service = random.pick(['', 'mail']);
  values.oauth_jwks_file = '';
  [values.oauth_issuer, values.oauth_audience] = ['https://idp.example.org', ['mailstore']];
  values.ldap_member_attribute = random.pick(['cn', 'memberOf']);
  if (values.altnamespace) {
    [values.userprefix, values.sharedprefix] = ['Users', random.pick(['Shared', 'x y'])];
  }
  return values;
}

function randomServices(random: Random, values: OptionValues): Service[] {
  return Array.from({ length: 1 + random.below(4) }, (_, index): Service => {
    const protocol = random.pick(['imap', 'lmtp', 'sieve'] as const);
    const unix = protocol === 'lmtp' && random.oneIn(2);
    const listen: Listen = unix
      ? {
        kind: 'unix',
        path: `/run/${random.pick(words)}/${index}`,
        mode: random.oneIn(2) ? values.lmtp_socket_mode : random.below(0o1000),
        owner: random.oneIn(2) ? values.lmtp_socket_owner : random.pick(words),
        group: random.oneIn(2) ? values.lmtp_socket_group : random.pick(words),
      }
      : {
        kind: 'tcp',
        host: random.pick(['', '127.0.0.1', 'localhost', '::1', 'fe80::1%eth0']),
        port: random.pick([0, 143 + index, 993 + index, 40000 + index]),
        family: random.pick(['any', 'ipv4', 'ipv6']),
      };
    const cert = random.oneIn(2) ? '' : '/own.pem';
    return {
      name: `s${index}`,
      protocol,
      tls: random.oneIn(2),
      trusted: unix || (protocol === 'lmtp' && random.oneIn(2)),
      listen,
      maxchild: random.below(3),
      proxy_protocol: values.proxy_networks.length > 0 && listen.kind === 'tcp',
      tls_server_cert: cert,
      tls_server_key: cert === '' || random.oneIn(2) ? cert : '/own.key',
      tls_client_ca_file: random.oneIn(2) ? '' : '/ca.pem',
      tls_client_ca_dir: random.oneIn(2) ? '' : '/ca',
      tls_client_certs: random.pick(['', 'off', 'optional'] as const),
      tls_crl_file: random.oneIn(2) ? '' : '/crl.pem',
    };
  });
}

function randomEvents(random: Random): ScheduledEvent[] {
  return Array.from({ length: random.below(4) }, (_, index): ScheduledEvent => ({
    name: `e-${index}`,
    job: random.pick(['checkpoint', 'expire']),
    when: random.oneIn(2)
      ? { kind: 'every', seconds: 60 + random.below(100_000) }
      : { kind: 'at', hour: random.below(24), minute: random.below(60) },
  }));
}

test('generated settings are the same after a trip through TOML', () => {
  const seed = 20261123;
  const random = new Random(seed);
  for (let round = 0; round < 500; round++) {
    const values = randomValues(random);
    const settings: Settings = makeSettings({
      ...values,
      services: randomServices(random, values),
      events: randomEvents(random),
    });
    const { services, events, ...rest } = settings;
    const toml = writeToml(rest, services, events);
    const { settings: again } = settingsFromToml(toml, `seed ${seed}, round ${round}`);
    expect(again).toEqual(settings);
  }
});

describe('every option', () => {
  for (const [name, row] of optionRows) {
    test(`${name}: its default is a value of it, in TOML and in imapd.conf`, () => {
      const [section = '', key = ''] = row.toml.split('.');
      const value = row.kind.toToml(row.default);
      const { settings } = settingsFromToml(`[${section}]\n${key} = ${value}`, 'm.toml');
      if (row.defaultText === undefined || row.default !== '') {
        expect<unknown>(settings[name]).toEqual(row.default);
      }
      expect(row.check?.(row.default)).toBeUndefined();
      expect(row.doc).toMatch(/\.$/);
      expect(key).toMatch(/^[a-z0-9_]+$/);
    });
  }

  test('has a name and spellings no other has', () => {
    const spellings = optionRows.flatMap(([name, row]) =>
      row.imapd.length === 0 ? [name] : row.imapd.map(({ key }) => key)
    );
    expect(new Set(spellings).size).toBe(spellings.length);
    const places = optionRows.map(([, row]) => row.toml);
    expect(new Set(places).size).toBe(places.length);
  });
});

/** The value an option has after these lines of imapd.conf. */
function fromImapd(name: OptionName, text: string): unknown {
  const lines = parseLines(text, 'imapd.conf', []);
  const { values, report } = translateImapdConf({ lines, problems: [], sources: [] }, {
    there: [],
    later: [],
  });
  const wrong = report.filter(({ outcome }) => outcome !== 'translated');
  return wrong.length > 0 ? wrong.map(({ text }) => text) : values[name];
}

describe('old spellings', () => {
  const cases: readonly (readonly [OptionName, string, unknown])[] = [
    ['partition', 'partition-default: /a\npartition-big: /b', { default: '/a', big: '/b' }],
    ['defaultpartition', 'defaultpartition: big', 'big'],
    ['virtdomains', 'virtdomains: yes', 'on'],
    ['virtdomains', 'virtdomains: userid', 'userid'],
    ['virtdomains', 'virtdomains: no', 'off'],
    ['autocreatequota', 'autocreatequota: 2048000', 2048000 * 1024],
    ['autocreatequota', 'autocreatequota: -1', -1],
    ['autocreatequota', 'autocreatequota: 0', 0],
    ['autocreatequota', 'autocreate_quota: 0', -1],
    ['autocreatequota', 'autocreate_quota: -1', 0],
    ['autocreatequota', 'autocreate_quota: 1G', 2 ** 30],
    ['createonpost', 'autocreate_post: 1', true],
    ['autocreateinboxfolders', 'autocreate_inbox_folders: Archives | Drafts', ['Archives', 'Drafts']],
    ['autosubscribeinboxfolders', 'autocreate_subscribe_folders: Drafts', ['Drafts']],
    ['tls_server_cert', 'tls_server_cert: /c.pem', '/c.pem'],
    ['tls_server_cert', 'tls_cert_file: disabled', ''],
    ['tls_server_key', 'tls_key_file: /k.pem', '/k.pem'],
    ['tls_client_ca_file', 'tls_ca_file: /ca.pem', '/ca.pem'],
    ['tls_min_version', 'tls_versions: tls1_0 tls1_1 tls1_2 tls1_3', 'tls1.2'],
    ['tls_min_version', 'tls_versions: tls1_3', 'tls1.3'],
    ['tls_ciphers', 'tls_cipher_list: HIGH:!aNULL', 'HIGH:!aNULL'],
    ['lmtp_overquota_perm_failure', 'lmtp_over_quota_perm_failure: t', true],
    ['quotawarn', 'quotawarnpercent: 75', 75],
    ['timeout', 'timeout: 45', 45 * 60],
    ['timeout', 'timeout: 5', 30 * 60],
    ['timeout', 'timeout: 1h', 3600],
    ['maxmessagesize', 'maxmessagesize: 10485760', 10485760],
    ['expunge_mode', 'expunge_mode: semidelayed', 'delayed'],
    ['admins', 'admins: cyrus  manager', ['cyrus', 'manager']],
    ['user', 'cyrus_user: cyrus', 'cyrus'],
    ['sasl_mech_list', 'sasl_mech_list: plain login', ['PLAIN', 'LOGIN']],
    ['lmtp_trusted_networks', 'lmtp_trusted_networks: 10.0.0.0/8', ['10.0.0.0/8']],
    ['qosmarking', 'qosmarking: AF13', 'af13'],
    ['autocreatequota', 'autocreatequota: -2', [
      `expected ${options.autocreatequota.kind.expects}, found "-2"`,
    ]],
    ['tls_server_cert', 'tls_server_cert: /rsa.pem, /ec.pem', '/rsa.pem,/ec.pem'],
    ['tls_client_certs', 'tls_require_cert: 1', 'require'],
    ['tls_client_certs', 'tls_client_certs: optional', 'optional'],
    ['tls_client_ca_dir', 'tls_ca_path: /etc/ssl/certs', '/etc/ssl/certs'],
    ['tls_session_timeout', 'tls_session_timeout: 90', 90 * 60],
    ['tls_eccurve', 'tls_eccurve: prime256v1', 'prime256v1'],
    ['tls_required', 'tls_required: yes', true],
    ['allowstarttls', 'allowstarttls: no', false],
    ['tls_min_version', 'tls_versions: tls1_1', [
      'TLS 1.0 and 1.1 are not there (RFC 8996); name tls1_2 or tls1_3',
    ]],
  ];
  for (const [name, text, value] of cases) {
    test(text.replace('\n', ', '), () => expect(fromImapd(name, text)).toEqual(value));
  }
});

test('what an imapd.conf does not name means what it meant to Cyrus', () => {
  const { settings, warnings } = loadSettings({ imapdConf: folder.write('bare.conf', 'servername: a\n') });
  expect(settings.unixhierarchysep).toBe(false);
  expect(settings.maxmessagesize).toBe(0);
  expect(warnings.map(formatFinding)).toEqual([]);
});

test('nothing that is there needs secrets to be kept readable', () => {
  expect(retrievableSecrets(makeSettings())).toBe(false);
  expect(retrievableSecrets({ sasl_mech_list: ['PLAIN', 'DIGEST-MD5'], allowapop: false })).toBe(true);
});
