/** The files in config/: the commented sample, and the how-to's configuration with its translation. */

import { afterAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatFinding } from '../../src/config/finding.ts';
import { formatReport } from '../../src/config/imapdconf/translate.ts';
import { importedToml } from '../../src/config/import.ts';
import { loadSettings, settingsFromToml, translateCyrus } from '../../src/config/load.ts';
import { optionRows } from '../../src/config/options.ts';
import { writeReference, writeSample } from '../../src/config/reference.ts';
import { Folder } from './folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const config = join(import.meta.dir, '../../config');
const howto = join(config, 'examples/howto');
const read = (path: string) => readFileSync(path, 'utf8');

describe('the sample', () => {
  const sample = read(join(config, 'mailstore.toml'));

  test('is what "config reference --sample" prints', () => expect(sample).toBe(writeSample()));

  test('loads, and changes nothing as it stands', () => {
    expect(settingsFromToml(sample, 'sample').settings).toEqual(settingsFromToml('', 'empty').settings);
  });

  test('names every option, and with all of them uncommented still changes nothing', () => {
    const bare = sample.replace(/^#(?=[a-z0-9_]+ = |\[|\]|")/gm, '').replace(/\[services\.imaps\][^[]*/, '');
    for (const [, row] of optionRows) {
      const value = row.kind.toToml(row.default).replace(/^ +/gm, '');
      expect(bare.includes(`\n${row.toml.split('.')[1]} = ${value}\n`)).toBe(true);
    }
    expect(settingsFromToml(bare, 'bare').settings).toEqual(settingsFromToml('', 'empty').settings);
  });

  test('shows the services and events there are without any', () => {
    const withCert = '[tls]\nserver_cert = "/c.pem"\n';
    const parts = sample.slice(sample.indexOf('#[services.imap]')).replace(/^#(?=[a-z]+ = |\[)/gm, '');
    expect(settingsFromToml(withCert + parts, 'parts').settings).toEqual(
      settingsFromToml(withCert, 'cert').settings,
    );
  });

  test('has no line too long to read', () => {
    for (const line of sample.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });
});

test('the reference explains every option by its TOML and its imapd.conf name', () => {
  const reference = writeReference();
  for (const [, row] of optionRows) {
    expect(reference).toContain(`${row.toml}\n`);
    for (const { key } of row.imapd) expect(reference).toContain(key);
  }
});

describe("the how-to's configuration", () => {
  const files = ['imapd.conf', 'cyrus.conf'].map((name) => folder.write(name, read(join(howto, name))));
  const [imapdConf = '', cyrusConf = ''] = files;
  const translated = translateCyrus(imapdConf, cyrusConf);

  test('is translated as it stands beside it', () => {
    expect(read(join(howto, 'mailstore.toml'))).toBe(importedToml(translated, files));
  });

  test('has this to say about every line', () => {
    const lines = translated.report.map((line) => formatReport(line).replace(`${folder.path}/`, ''));
    expect(`${lines.join('\n')}\n`).toBe(read(join(import.meta.dir, 'howto_report.txt')));
    expect(translated.report.filter(({ outcome }) => outcome === 'unknown' || outcome === 'wrong')).toEqual(
      [],
    );
    const keys = /^[a-z0-9_-]+(?=:)/gm;
    expect(translated.report.filter(({ file }) => file === imapdConf).map(({ key }) => key))
      .toEqual([...read(imapdConf).matchAll(keys)].map(([key]) => key));
  });

  test('starts as it stands, and warns of what is to come', () => {
    const { settings, warnings } = loadSettings({
      imapdConf: folder.write('own.conf', read(imapdConf)),
      cyrusConf,
    });
    expect(warnings.map((line) => formatFinding(line).replace(`${folder.path}/`, ''))).toEqual([
      'cyrus.conf:61: squatter: searching by an index is not there yet',
      'own.conf:26: sendmail: has no effect while smtp.backend is "host": mail goes by SMTP to localhost:25',
    ]);
    expect(settings).toMatchObject({
      servername: 'imap.nausch.org',
      serverinfo: 'min',
      configdirectory: '/var/lib/imap',
      partition: { default: '/var/spool/imap' },
      admins: ['cyrus'],
      sasl_auxprop_plugin: ['ldapdb'],
      sasl_ldapdb_mech: 'digest-md5',
      virtdomains: 'on',
      autocreatequota: 2048000 * 1024,
      autocreateinboxfolders: ['Archives', 'Drafts', 'Sent', 'Trash'],
      lmtp_overquota_perm_failure: true,
      timeout: 1800,
      unixhierarchysep: true,
      tls_server_cert: '/etc/pki/cyrus-imapd/servercert.pem',
      duplicate_retention: 3 * 86400,
    });
    expect(
      settings.services.map(({ name, listen }) => [name, listen.kind === 'unix' ? listen.path : listen.port]),
    )
      .toEqual([['imap', 143], ['sieve', 4190], ['lmtp', 24], ['lmtpunix', '/var/lib/imap/socket/lmtp'], [
        'notify',
        '/var/lib/imap/socket/notify',
      ]]);
  });

  test('its translation gives the settings the old files give', () => {
    const { settings } = settingsFromToml(read(join(howto, 'mailstore.toml')), 'howto');
    expect(settings).toEqual({
      ...translated.values,
      services: translated.services,
      events: translated.events,
    });
  });
});
