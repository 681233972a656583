import { afterAll, describe, expect, test } from 'bun:test';
import { formatFinding } from '../../../src/config/finding.ts';
import { loadSettings } from '../../../src/config/load.ts';
import type { Settings } from '../../../src/config/settings.ts';
import { findingsOf, Folder } from '../folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const ownCertificate = folder.write(
  'own.conf',
  'configdirectory: /c\ntls_cert_file: /cert.pem\nlmtp_tls_cert_file: /l.pem\n',
);

const plainConf = folder.write('plain.conf', 'configdirectory: /c\ntls_cert_file: /cert.pem\n');

let written = 0;
function load(text: string, imapd = plainConf): { settings: Settings; warnings: string[] } {
  const cyrusConf = folder.write(`${++written}/cyrus.conf`, text);
  const { settings, warnings } = loadSettings({ imapdConf: imapd, cyrusConf });
  return { settings, warnings: warnings.map(short) };
}

function short(finding: Parameters<typeof formatFinding>[0]): string {
  return formatFinding(finding).replace(/^.*\/cyrus\.conf/, 'cyrus.conf');
}

function services(lines: string, imapd = plainConf): { settings: Settings; warnings: string[] } {
  return load(`SERVICES {\n${lines}\n}\n`, imapd);
}

function refusals(text: string): string[] {
  const cyrusConf = folder.write(`${++written}/cyrus.conf`, text);
  return findingsOf(() => loadSettings({ imapdConf: plainConf, cyrusConf })).map(short);
}

describe('where a service listens', () => {
  const cases: readonly (readonly [string, object])[] = [
    ['listen=imap', { kind: 'tcp', host: '', port: 143, family: 'any' }],
    ['listen="1143"', { kind: 'tcp', host: '', port: 1143, family: 'any' }],
    ['listen="127.0.0.1:imap"', { kind: 'tcp', host: '127.0.0.1', port: 143, family: 'any' }],
    ['listen="[::1]:1143" proto="tcp6"', { kind: 'tcp', host: '::1', port: 1143, family: 'ipv6' }],
    ['listen="localhost:1143" proto=tcp4', { kind: 'tcp', host: 'localhost', port: 1143, family: 'ipv4' }],
    ['listen="*:1143"', { kind: 'tcp', host: '', port: 1143, family: 'any' }],
  ];
  for (const [text, listen] of cases) {
    test(
      text,
      () => expect(services(`a cmd="imapd" ${text}`).settings.services[0]?.listen).toEqual(listen as never),
    );
  }
  test('a socket', () => {
    const [service] = services('a cmd="lmtpd" listen="/run/l"').settings.services;
    expect(service?.listen).toEqual({ kind: 'unix', path: '/run/l', mode: 0o660, owner: '', group: '' });
    expect(service?.trusted).toBe(true);
  });
});

test('-s is TLS, -a is trust, -C and -U say nothing new', () => {
  const { settings, warnings } = services(
    'i cmd="/usr/cyrus/bin/imapd -s -C /etc/imapd.conf -U 30" listen=imaps maxchild=100\n' +
      'lmtp cmd="lmtpd -a" listen="10.0.0.1:lmtp" maxchild=-1\n',
    ownCertificate,
  );
  expect(warnings).toEqual([]);
  expect(settings.services.map(({ name, protocol, tls, trusted, maxchild, tls_server_cert }) => ({
    name,
    protocol,
    tls,
    trusted,
    maxchild,
    tls_server_cert,
  }))).toEqual([
    { name: 'i', protocol: 'imap', tls: true, trusted: false, maxchild: 100, tls_server_cert: '' },
    { name: 'lmtp', protocol: 'lmtp', tls: false, trusted: true, maxchild: 0, tls_server_cert: '/l.pem' },
  ]);
});

test('services that are not there yet warn, one line each', () => {
  const { settings, warnings } = services(
    'imap cmd="imapd" listen=imap prefork=5\npop3 cmd="pop3d" listen=pop3\nsieve cmd="timsieved" listen=sieve\n' +
      'smmap cmd="smmapd -p" listen=/map\nnotify cmd="notifyd -m log" listen=/notify proto=udp\n' +
      'nntp cmd="nntpd" listen=nntp\nodd cmd="imapdd" listen=imap\nlmtpunix cmd="lmtpd -x" listen=/l color=red\n',
  );
  expect(settings.notify_method).toBe('log');
  expect(settings.services.map(({ name }) => name)).toEqual([
    'imap',
    'pop3',
    'sieve',
    'smmap',
    'notify',
    'lmtpunix',
  ]);
  expect(warnings).toEqual([
    'cyrus.conf:7: nntp: NNTP is not there yet',
    'cyrus.conf:8: odd: unknown program "imapdd"; the nearest is imapd',
    'cyrus.conf:9: lmtpunix.cmd: lmtpd -x is not there yet',
    'cyrus.conf:9: lmtpunix.color: unknown argument; there are cmd, listen, proto, prefork, maxchild, babysit, ' +
    'maxforkrate, maxfds',
  ]);
});

test('what is wrong stops the start', () => {
  const text = 'SERVICES {\na cmd="imapd"\nb listen=imap\nc cmd="imapd" listen="imapp"\n' +
    'd cmd="imapd" listen=imap proto=udp\ne cmd="imapd -N" listen=1\nf cmd="imapd" listen="/s" proto=tcp4\n' +
    'g cmd="lmtpd" listen=2 maxchild=many\n}\nEVENTS {\nh cmd="cyr_expire -E x" at=0400\ni cmd="cyr_expire" at=2500\n' +
    'j cmd="ctl_cyrusdb -c"\nk cmd="ctl_cyrusdb -c" period=0\n}\n';
  expect(refusals(text)).toEqual([
    'cyrus.conf:2: a.listen: listen is missing',
    'cyrus.conf:3: b: cmd is missing',
    'cyrus.conf:4: c.listen: the service name "imapp" is not known; write the number of the port',
    'cyrus.conf:5: d.proto: expected tcp, tcp4 or tcp6, found "udp"',
    'cyrus.conf:6: e.cmd: imapd -N is not there yet',
    'cyrus.conf:7: f.family: is for ports; this service listens on a unix socket',
    'cyrus.conf:8: g.maxchild: expected a number, found "many"',
    'cyrus.conf:11: h.cmd: expected days behind -E, found "x"',
    'cyrus.conf:12: i.at: expected a time of day such as 0400, found "2500"',
    'cyrus.conf:12: i: period= or at= is missing',
    'cyrus.conf:13: j: period= or at= is missing',
    'cyrus.conf:14: k.period: expected minutes, found "0"',
    'cyrus.conf:14: k: period= or at= is missing',
  ]);
});

test('a file whose services are all to come does not start a server that listens nowhere', () => {
  expect(refusals('SERVICES {\nnntp cmd="nntpd" listen=nntp\n}\n')).toEqual([
    expect.stringMatching(/SERVICES: none of the services is there yet; nothing would listen$/),
  ]);
});

test('two services on one port are told of each other', () => {
  expect(refusals('SERVICES {\na cmd="imapd" listen=143\nb cmd="imapd" listen=imap\n}\n')).toEqual([
    'cyrus.conf:3: b: listens on imap as a does',
  ]);
  expect(
    services('a cmd="imapd" listen=143 proto=tcp4\nb cmd="imapd" listen=143 proto=tcp6').settings.services,
  ).toHaveLength(2);
});

test('events: expiry with its days, checkpoints, what is done anyway', () => {
  const { settings, warnings } = load(
    'START {\nrecover cmd="ctl_cyrusdb -r"\nidled cmd="idled"\n}\nSERVICES {\nimap cmd="imapd" listen=imap\n}\n' +
      'EVENTS {\ncheckpoint cmd="ctl_cyrusdb -c" period=15\ndelprune cmd="cyr_expire -E 3 -X 14 -D12h -v" at=400\n' +
      'tlsprune cmd="tls_prune" at=0400\nsquatter cmd="squatter -r *" period=30\nodd cmd="cyr_expire -a" at=1230\n}\n',
  );
  expect(settings.events).toEqual([
    { name: 'checkpoint', job: 'checkpoint', when: { kind: 'every', seconds: 900 } },
    { name: 'delprune', job: 'expire', when: { kind: 'at', hour: 4, minute: 0 } },
    { name: 'odd', job: 'expire', when: { kind: 'at', hour: 12, minute: 30 } },
  ]);
  expect([settings.duplicate_retention, settings.expunge_retention, settings.delete_retention])
    .toEqual([3 * 86400, 14 * 86400, 12 * 3600]);
  expect(warnings).toEqual([
    'cyrus.conf:12: squatter: searching by an index is not there yet',
    'cyrus.conf:13: odd.cmd: cyr_expire -a is not there yet',
  ]);
});
