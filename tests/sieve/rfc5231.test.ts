/** The examples of RFC 5231, by section. */

import { expect, test } from 'bun:test';
import { actions, holds, message } from './harness.ts';

const MAIL = message(
  'Received: from a by b; now',
  'Received: from c by d; now',
  'Subject: example',
  'To: foo@example.com, baz@example.com',
  'Cc: qux@example.com',
  '',
  '',
);

function counts(test: string): boolean {
  return holds(test, MAIL, ['relational', 'comparator-i;ascii-numeric']);
}

test('§6: counting addresses and fields', () => {
  const count = ':count "ge" :comparator "i;ascii-numeric"';
  expect(counts(`address ${count} ["to", "cc"] ["3"]`)).toBe(true);
  expect(counts(`anyof ( address ${count} ["to"] ["3"], address ${count} ["cc"] ["3"] )`)).toBe(false);
  expect(counts(`header ${count} ["received"] ["3"]`)).toBe(false);
  expect(counts(`header ${count} ["received", "subject"] ["3"]`)).toBe(true);
  expect(counts(`header ${count} ["to", "cc"] ["3"]`)).toBe(false);
});

test('§7: the extended example', () => {
  const script = `require ["relational", "comparator-i;ascii-numeric", "fileinto"];
    if header :value "lt" :comparator "i;ascii-numeric" ["x-priority"] ["3"]
    { fileinto "Priority"; }
    elsif address :count "gt" :comparator "i;ascii-numeric" ["to"] ["5"]
    { fileinto "SPAM"; }
    elsif address :value "gt" :all :comparator "i;ascii-casemap" ["from"] ["M"]
    { fileinto "From N-Z"; }
    else { fileinto "From A-M"; }
    if allof ( address :count "eq" :comparator "i;ascii-numeric" ["to", "cc"] ["1"] ,
               address :all :comparator "i;ascii-casemap" ["to", "cc"] ["me@foo.example.com"] )
    { fileinto "Only me"; }`;
  const filed = (...header: string[]) => actions(script, message(...header, '', ''));
  expect(filed('X-Priority: 2', 'From: zed@example.com')).toEqual(['fileinto Priority']);
  expect(filed('X-Priority: 10', 'From: zed@example.com')).toEqual(['fileinto From N-Z']);
  const six = Array.from({ length: 6 }, (_, n) => `u${n}@example.com`).join(', ');
  expect(filed('From: abe@example.com', `To: ${six}`)).toEqual(['fileinto SPAM']);
  expect(filed('From: abe@example.com', 'To: ME@foo.example.com')).toEqual([
    'fileinto From A-M',
    'fileinto Only me',
  ]);
  expect(filed('From: abe@example.com', 'To: me@foo.example.com', 'Cc: x@example.com')).toEqual([
    'fileinto From A-M',
  ]);
});
