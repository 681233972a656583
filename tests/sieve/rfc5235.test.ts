/** The examples of RFC 5235, by section, with the scores that a scanner writes. */

import { expect, test } from 'bun:test';
import { makeSettings } from '../../src/config/settings.ts';
import { sieveSettings } from '../../src/delivery/language.ts';
import { actions, message } from './harness.ts';

const settings = sieveSettings(makeSettings({
  sieve_spamtest_status_header: 'X-Score',
  sieve_spamtest_max: '10',
  sieve_virustest_status_header: 'X-Virus',
  sieve_virustest_texts: ['clean=1', 'replaced=2', 'cured=3', 'suspicious=4', 'found=5'],
}));

function run(script: string, ...header: string[]): string[] {
  return actions(script, message(...header, '', ''), { settings, compile: { settings } });
}

test('§3.2.1: by score', () => {
  const script = `require ["spamtest", "fileinto", "relational", "comparator-i;ascii-numeric"];
    if spamtest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.unclassified"; }
    elsif spamtest :value "ge" :comparator "i;ascii-numeric" "3" { fileinto "INBOX.spam-trap"; }`;
  expect(run(script)).toEqual(['fileinto INBOX.unclassified']);
  expect(run(script, 'X-Score: 0')).toEqual(['implicit keep']);
  expect(run(script, 'X-Score: 9')).toEqual(['fileinto INBOX.spam-trap']);
});

const PERCENT = `{ fileinto "INBOX.unclassified"; }
    elsif spamtest :percent :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.not-spam"; }
    elsif spamtest :percent :value "lt" :comparator "i;ascii-numeric" "37" { fileinto "INBOX.spam-trap"; }
    else { discard; }`;

test('§3.2.2: by percent, both ways', () => {
  const required = 'require ["spamtestplus", "fileinto", "relational", "comparator-i;ascii-numeric"];';
  for (
    const first of [
      'if spamtest :value "eq" :comparator "i;ascii-numeric" "0"',
      'if spamtest :percent :count "eq" :comparator "i;ascii-numeric" "0"',
    ]
  ) {
    const script = `${required} ${first} ${PERCENT}`;
    expect(run(script)).toEqual(['fileinto INBOX.unclassified']);
    expect(run(script, 'X-Score: 0')).toEqual(['fileinto INBOX.not-spam']);
    expect(run(script, 'X-Score: 2')).toEqual(['fileinto INBOX.spam-trap']);
    expect(run(script, 'X-Score: 5')).toEqual(['discard']);
  }
});

test('§3.3: viruses', () => {
  const script = `require ["virustest", "fileinto", "relational", "comparator-i;ascii-numeric"];
    if virustest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.unclassified"; }
    if virustest :value "eq" :comparator "i;ascii-numeric" "4" { fileinto "INBOX.quarantine"; }
    elsif virustest :value "eq" :comparator "i;ascii-numeric" "5" { discard; }`;
  expect(run(script)).toEqual(['fileinto INBOX.unclassified']);
  expect(run(script, 'X-Virus: clean')).toEqual(['implicit keep']);
  expect(run(script, 'X-Virus: suspicious')).toEqual(['fileinto INBOX.quarantine']);
  expect(run(script, 'X-Virus: found')).toEqual(['discard']);
});
