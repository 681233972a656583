/** The examples of RFC 5232, by section. */

import { expect, test } from 'bun:test';
import { decide, holds, message, MESSAGE_A } from './harness.ts';

const NEEDED = 'require ["imap4flags", "variables", "fileinto", "relational", "comparator-i;ascii-numeric"];';

/** Where a script puts a message, with its flags in order. */
function placed(script: string, bytes: Uint8Array = MESSAGE_A): string[] {
  return decide(`${NEEDED} ${script}`, bytes).map((action) =>
    action.kind === 'keep' || action.kind === 'fileinto'
      ? `${action.placement.mailbox ?? 'INBOX'} ${[...action.placement.flags].sort().join(' ')}`.trim()
      : action.kind
  );
}

test('§3.1, first example: large messages are deleted', () => {
  const script = 'if size :over 500K { setflag "\\\\Deleted"; }';
  expect(placed(script)).toEqual(['INBOX']);
  expect(placed(script, message('Subject: x', '', 'x'.repeat(600_000)))).toEqual(['INBOX \\Deleted']);
});

test('§3.1, second example: the boss', () => {
  const script = `if header :contains "from" "boss@frobnitzm.example.edu" {
      setflag "flagvar" "\\\\Flagged";
      fileinto :flags "\${flagvar}" "INBOX.From Boss";
    }`;
  expect(placed(script, message('From: boss@frobnitzm.example.edu', '', ''))).toEqual([
    'INBOX.From Boss \\Flagged',
  ]);
});

test('§3.2: flags that are added one by one, in a list or in a string', () => {
  for (
    const added of [
      'addflag "flagvar" "\\\\Deleted"; addflag "flagvar" "\\\\Answered";',
      'addflag "flagvar" ["\\\\Deleted", "\\\\Answered"];',
      'addflag "flagvar" "\\\\Deleted \\\\Answered";',
      'addflag "flagvar" "\\\\Answered \\\\Deleted";',
    ]
  ) {
    expect(placed(`${added} fileinto :flags "\${flagvar}" "a";`)).toEqual(['a \\Answered \\Deleted']);
  }
});

test('§3.3: a flag that is taken away', () => {
  const script = `if header :contains "Disposition-Notification-To" "mel@example.com" {
      addflag "flagvar" "$MDNRequired";
    }
    if header :contains "from" "imap@cac.washington.example.edu" {
      removeflag "flagvar" "$MDNRequired";
      fileinto :flags "\${flagvar}" "INBOX.imap-list";
    }
    keep :flags "\${flagvar}";`;
  const asks = 'Disposition-Notification-To: mel@example.com';
  expect(placed(script, message(asks, '', ''))).toEqual(['INBOX $MDNRequired']);
  expect(placed(script, message(asks, 'From: imap@cac.washington.example.edu', '', ''))).toEqual([
    'INBOX.imap-list',
    'INBOX',
  ]);
});

function has(before: string, test: string): boolean {
  return placed(`${before} if ${test} { discard; stop; }`).includes('discard');
}

test('§4: hasflag', () => {
  const internal = 'setflag "A B";';
  expect(has(internal, 'hasflag :is "b A"')).toBe(true);
  expect(has(internal, 'hasflag ["b","A"]')).toBe(true);
  const mine =
    'set "MyVar" "NonJunk Junk gnus-forward $Forwarded NotJunk JunkRecorded $Junk $NotJunk"; set "MyFlags" "A B";';
  for (
    const [keys, value] of [
      ['"Junk"', true],
      ['"forward"', true],
      ['["label", "forward"]', true],
      ['["junk", "forward"]', true],
      ['"junk forward"', true],
      ['"forward junk"', true],
      ['"label"', false],
      ['["label1", "label2"]', false],
    ] as const
  ) {
    expect([keys, has(mine, `hasflag :contains "MyVar" ${keys}`)]).toEqual([keys, value]);
  }
  expect(has(mine, 'hasflag :count "ge" :comparator "i;ascii-numeric" "MyFlags" "2"')).toBe(true);
});

test('§5: one message is marked, the others are not', () => {
  const script = `if size :over 1M {
      addflag "MyFlags" "Big";
      if header :is "From" "boss@company.example.com" { addflag "MyFlags" "Important"; }
      fileinto :flags "\${MyFlags}" "Big messages";
    }
    if header :is "From" "grandma@example.net" { addflag "\\\\Answered"; fileinto "GrandMa"; }
    if allof (address :is "to" "x@example.org", true) { keep :flags ["\\\\Seen", "Junk"]; }
    if not header :contains ["To", "Cc"] "me@company.example.com" { addflag "$Junk"; fileinto "Junk"; }`;
  const large = (from: string) =>
    message(`From: ${from}`, 'To: me@company.example.com', '', 'x'.repeat(1_100_000));
  expect(placed(script, large('boss@company.example.com'))).toEqual(['Big messages Big Important']);
  expect(placed(script, large('else@company.example.com'))).toEqual(['Big messages Big']);
  expect(placed(script, message('From: grandma@example.net', 'To: x@example.org', '', ''))).toEqual([
    'GrandMa \\Answered',
    'INBOX Junk \\Seen',
    'Junk $Junk \\Answered',
  ]);
});

test('§3: of several for one mailbox the last flags count', () => {
  expect(placed('keep :flags "A"; keep :flags "B";')).toEqual(['INBOX B']);
  expect(holds('hasflag "x"', MESSAGE_A, ['imap4flags'])).toBe(false);
});
