/** Damaged files: whatever stands in them, the answer is settings or a list of findings, and never anything else. */

import { afterAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, formatFinding } from '../../src/config/finding.ts';
import { importedToml } from '../../src/config/import.ts';
import { loadSettings, settingsFromToml, translateCyrus } from '../../src/config/load.ts';
import { Random } from '../harness/random.ts';
import { findingsOf, Folder } from './folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const config = join(import.meta.dir, '../../config');
const howto = join(config, 'examples/howto');

/** A few bytes left out, put in, doubled or swapped for words the syntax knows. */
function damage(text: string, random: Random): string {
  const pieces = [
    '[',
    ']',
    '"',
    "'",
    '=',
    '#',
    ':',
    '\n',
    '{',
    '}',
    ',',
    '\\',
    '"""',
    '@include: x',
    '0',
    'ß',
    '\u{1f4ec}',
  ];
  let damaged = text;
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(damaged.length);
    const length = random.oneIn(3) ? random.below(40) : random.below(2);
    const put = random.oneIn(4) ? damaged.slice(at, at + 30) : random.oneIn(3) ? '' : random.pick(pieces);
    damaged = damaged.slice(0, at) + put + damaged.slice(at + length);
  }
  return damaged;
}

function check(run: () => unknown): void {
  try {
    run();
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    expect(thrown.findings.length).toBeGreaterThan(0);
    for (const finding of thrown.findings) expect(finding.text).not.toBe('');
  }
}

test('damaged TOML', () => {
  const seed = 42;
  const random = new Random(seed);
  const files = [join(howto, 'mailstore.toml'), join(config, 'mailstore.toml')]
    .map((file) => readFileSync(file, 'utf8').replace(/^#(?=[a-z0-9_]+ = |\[)/gm, ''));
  for (let round = 0; round < 600; round++) {
    const text = damage(random.pick(files), random);
    check(() => {
      const { settings } = settingsFromToml(text, `seed ${seed}, round ${round}`);
      expect(settings.services.length).toBeGreaterThan(0);
    });
  }
});

test('damaged imapd.conf and cyrus.conf; where they still hold, their translation says the same', () => {
  const seed = 43;
  const random = new Random(seed);
  const imapd = readFileSync(join(howto, 'imapd.conf'), 'utf8');
  let whole = 0;
  const cyrus = readFileSync(join(howto, 'cyrus.conf'), 'utf8');
  for (let round = 0; round < 300; round++) {
    const imapdConf = folder.write('imapd.conf', damage(imapd, random));
    const cyrusConf = folder.write('cyrus.conf', damage(cyrus, random));
    check(() => loadSettings({ imapdConf, cyrusConf }));
    const translated = translateCyrus(imapdConf, cyrusConf);
    const name = `seed ${seed}, round ${round}`;
    const load = () => settingsFromToml(importedToml(translated, [imapdConf, cyrusConf]), name).settings;
    if (translated.problems.length > 0) check(load);
    else {
      whole++;
      expect(load()).toEqual(loadSettings({ imapdConf, cyrusConf }).settings);
    }
  }
  expect(whole).toBeGreaterThan(30);
});

test('what a file has in its keys cannot write to a terminal or begin a line of the log', () => {
  const [finding] = findingsOf(() => settingsFromToml('"a\\nb\\u001b[2J\\u202e" = 1', 'm.toml'));
  expect(finding && formatFinding(finding)).toBe('m.toml:1: a\\u000ab\\u001b[2J\\u202e: unknown key');
  const imapdConf = folder.write('esc.conf', 'quotawarn: \x1b[2J\u0085x\n');
  expect(findingsOf(() => loadSettings({ imapdConf })).map(formatFinding).join()).toEndWith(
    'quotawarn: expected a whole number from 0 to 100, found "\\u001b[2J\\u0085x"',
  );
});
