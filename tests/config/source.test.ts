/** Files that are no configuration. */

import { afterAll, expect, test } from 'bun:test';
import { formatFinding } from '../../src/config/finding.ts';
import { loadSettings } from '../../src/config/load.ts';
import { limits } from '../../src/limits.ts';
import { findingsOf, Folder } from './folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

function refusal(file: string): string {
  return findingsOf(() => loadSettings({ toml: file })).map(formatFinding).join('\n').replace(
    `${file}:`,
    'FILE:',
  );
}

test('ten megabytes', () => {
  const file = folder.write('big.toml', new Uint8Array(10 << 20).fill(0x20));
  const expected = `FILE: is larger than ${limits.config_file.value} bytes; this is not a configuration file`;
  expect(refusal(file)).toBe(expected);
  expect(() => loadSettings({ imapdConf: file })).toThrow('is larger than');
});

test('as large as allowed', () => {
  const file = folder.write('full.toml', new Uint8Array(limits.config_file.value).fill(0x20));
  expect(loadSettings({ toml: file }).warnings).toEqual([]);
});

test('NUL bytes', () => {
  expect(refusal(folder.write('nul.toml', '[imap]\n\0\n'))).toBe(
    'FILE: has a NUL byte in line 2; this is not a text file',
  );
});

test('Latin-1 is refused in TOML and read in imapd.conf, where comments of 2011 have it', () => {
  const latin1 = Buffer.from('# für alle\nadmins: cyrus\n', 'latin1');
  expect(refusal(folder.write('latin1.toml', latin1))).toBe('FILE: is not UTF-8');
  expect(loadSettings({ imapdConf: folder.write('latin1.conf', latin1) }).settings.admins).toEqual(['cyrus']);
});

test('no file, a folder, a name in a file', () => {
  expect(refusal(`${folder.path}/none.toml`)).toBe('FILE: there is no such file');
  expect(refusal(folder.path)).toBe('FILE: is not a file');
  expect(refusal(`${folder.write('x.toml', '')}/y`)).toStartWith('FILE: cannot be read: ');
});

test('more problems than anyone reads are counted', () => {
  const count = limits.config_findings.value + 50;
  const file = folder.write(
    'wrong.toml',
    `[imap]\n${Array.from({ length: count }, (_, at) => `k${at} = 1\n`).join('')}`,
  );
  let message = '';
  try {
    loadSettings({ toml: file });
  } catch (thrown) {
    message = String(thrown);
  }
  expect(message.split('\n')).toHaveLength(limits.config_findings.value + 1);
  expect(message).toEndWith('and 50 more problems');
});

test('a deep nest is refused at its line', () => {
  const depth = limits.config_toml_depth.value + 1;
  const file = folder.write('deep.toml', `\nx = ${'['.repeat(depth)}${']'.repeat(depth)}\n`);
  expect(refusal(file)).toStartWith('FILE:2: x: not valid TOML: ');
});
