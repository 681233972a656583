/** The examples of RFC 5228, by section. */

import { expect, test } from 'bun:test';
import { actions, decide, ENVELOPE, holds, message, MESSAGE_A, MESSAGE_B } from './harness.ts';

test('§2.7.2: what is compared is decoded, unfolded and without blanks at both ends', () => {
  const mail = message('Subject:  =?iso-8859-1?q?Gr=FC=DFe?=', ' from me  ', 'X: plain', '', '');
  expect(holds('header :is "subject" "Grüße from me"', mail)).toBe(true);
  expect(holds('header :is ["x", "y"] ["other", "plain"]', mail)).toBe(true);
});

test('§2.4.2.2: blanks before the colon do not count; a name with a colon matches no field', () => {
  const mail = message('From  : a@example.com', '', '');
  expect(holds('exists "from"', mail)).toBe(true);
  expect(holds('exists "from:"', mail)).toBe(false);
});

test('§2.7.4: address parts', () => {
  expect(holds('address :is :all "from" "tim@example.com"', message('From: Tim <TIM@example.com>', '', '')))
    .toBe(true);
  expect(holds('address :localpart "from" "tim"', message('From: "Tim" <tim@example.com>', '', ''))).toBe(
    true,
  );
  expect(holds('address :domain :is ["to", "cc"] "acme.example.com"', MESSAGE_A)).toBe(true);
  expect(holds('address "to" "acme.example.com"', MESSAGE_A)).toBe(false);
});

test('§3.1: one branch of if, elsif, else is taken', () => {
  const script = `
    require "fileinto";
    if header :contains "from" "coyote" { discard; }
    elsif header :contains ["subject"] ["$$$"] { discard; }
    else { fileinto "INBOX"; }`;
  expect(actions(script, MESSAGE_A)).toEqual(['discard']);
  expect(actions(script, MESSAGE_B)).toEqual(['discard']);
  expect(actions(script, message('Subject: x', '', ''))).toEqual(['fileinto INBOX']);
});

test('§3.1: redirects by who it is from', () => {
  const script = `
    if header :contains "from" "youcouldberich" { redirect "postmaster@example.com"; }
    elsif header :contains "subject" "money" { redirect "field@example.com"; }
    else { redirect "field@example.com"; }`;
  expect(actions(script, MESSAGE_B)).toEqual(['redirect postmaster@example.com']);
});

test('§3.3: stop ends the script; the implicit keep stays', () => {
  expect(actions('stop; discard;', MESSAGE_A)).toEqual(['implicit keep']);
  expect(actions('keep; if true { stop; } discard;', MESSAGE_A)).toEqual(['keep']);
});

test('§4: an empty script keeps, and so does one whose tests are false', () => {
  expect(actions('', MESSAGE_A)).toEqual(['implicit keep']);
  expect(actions('if false { discard; }', MESSAGE_A)).toEqual(['implicit keep']);
});

test('§4.1, §4.2, §4.4: fileinto, redirect and discard cancel the implicit keep, keep does not care', () => {
  expect(actions('require "fileinto"; fileinto "INBOX.harassment";', MESSAGE_A)).toEqual([
    'fileinto INBOX.harassment',
  ]);
  expect(actions('redirect "bart@example.com";', MESSAGE_A)).toEqual(['redirect bart@example.com']);
  expect(
    actions(
      'if header :contains ["from"] ["idiot@example.com"] { discard; }',
      message('From: idiot@example.com', '', ''),
    ),
  )
    .toEqual(['discard']);
  expect(actions('discard; keep;', MESSAGE_A)).toEqual(['discard', 'keep']);
  expect(
    actions(
      'require "fileinto"; keep; fileinto "a"; keep; fileinto "b"; fileinto "a"; redirect "x@y.z"; redirect "x@y.z";',
      MESSAGE_A,
    ),
  )
    .toEqual(['keep', 'fileinto a', 'fileinto b', 'redirect x@y.z']);
});

test('§5.2, §5.3, §5.8: allof, anyof, not', () => {
  for (
    const [test, value] of [
      ['allof (false, false)', false],
      ['allof (false, true)', false],
      ['allof (true, true)', true],
      ['anyof (false, false)', false],
      ['anyof (false, true)', true],
      ['anyof (true, true)', true],
      ['not true', false],
      ['not not anyof (false, not allof (true, false))', true],
    ] as const
  ) expect([test, holds(test, MESSAGE_A)]).toEqual([test, value]);
});

test('§5.4: parts of the envelope; the null reverse-path is the empty string', () => {
  expect(holds('envelope :all :is "from" "coyote@desert.example.org"', MESSAGE_A, ['envelope'])).toBe(true);
  expect(holds('envelope :domain :is ["from", "to"] "ACME.example.com"', MESSAGE_A, ['envelope'])).toBe(true);
  const bounce = { envelope: { ...ENVELOPE, from: '' } };
  for (const part of ['all', 'localpart', 'domain']) {
    expect(holds(`envelope :${part} :is "from" ""`, MESSAGE_A, ['envelope'], bounce)).toBe(true);
  }
});

test('§5.5: exists asks for all fields', () => {
  expect(holds('exists ["From", "Date"]', MESSAGE_A)).toBe(true);
  expect(holds('exists ["From", "Cc"]', MESSAGE_A)).toBe(false);
});

test('§5.7: a field without text matches the empty key, an absent one nothing', () => {
  const mail = message('X-Caffeine:', '', '');
  expect(holds('header :is ["X-Caffeine"] [""]', mail)).toBe(true);
  expect(holds('header :contains ["X-Caffeine"] [""]', mail)).toBe(true);
  expect(holds('header :contains ["X-Tea"] [""]', mail)).toBe(false);
});

test('§5.9: size over and under, where its own size is neither', () => {
  const mail = Buffer.alloc(4096, 'a');
  expect(holds('size :over 4K', mail)).toBe(false);
  expect(holds('size :under 4K', mail)).toBe(false);
  expect(holds('size :over 4095', mail)).toBe(true);
  expect(holds('size :under 1M', mail)).toBe(true);
  expect(holds('size :under 18446744073709551615', mail)).toBe(true);
});

test('§2.7.3: the comparator is what decides about case', () => {
  expect(
    holds(
      'header :contains :comparator "i;octet" "subject" "MAKE MONEY FAST"',
      message('Subject: make money fast', '', ''),
    ),
  ).toBe(false);
  expect(holds('header :contains "subject" "MAKE MONEY FAST"', message('Subject: make money fast', '', '')))
    .toBe(true);
});

test('§2.10.3: a mailbox gets one copy, under whichever name; what was said last counts', () => {
  const script = (text: string): string => `require ["fileinto", "imap4flags"]; ${text}`;
  const inbox = { defaultMailbox: 'INBOX' };
  expect(actions(script('keep; fileinto "Inbox";'), MESSAGE_A, inbox)).toEqual(['keep']);
  expect(actions(script('fileinto "inbox"; keep;'), MESSAGE_A, inbox)).toEqual(['keep']);
  expect(actions(script('keep; fileinto "INBOX";'), MESSAGE_A)).toEqual(['keep', 'fileinto INBOX']);
  expect(actions(script('keep; fileinto "INBOX";'), MESSAGE_A, { defaultMailbox: 'INBOX.work' })).toEqual([
    'keep',
    'fileinto INBOX',
  ]);
  expect(decide(script('keep; fileinto :flags "a" "INBOX";'), MESSAGE_A, inbox)).toMatchObject([
    { kind: 'keep', placement: { mailbox: null, flags: ['a'] } },
  ]);
});

test('§2.7.4: :all shows quotes where a local part needs them, :localpart shows what it is', () => {
  const mail = message(
    'From: "Jane Doe" <"a b"@example.com>, "plain"@example.com, ..x..@example.com',
    '',
    '',
  );
  expect(holds('address :all "from" "\\"a b\\"@example.com"', mail)).toBe(true);
  expect(holds('address :all "from" "plain@example.com"', mail)).toBe(true);
  expect(holds('address :localpart "from" "a b"', mail)).toBe(true);
  expect(holds('address :all "from" "..x..@example.com"', mail)).toBe(true);
});
