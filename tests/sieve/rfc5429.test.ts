/** The examples of RFC 5429 (reject), and those of RFC 6609 that are about variables, by section. */

import { expect, test } from 'bun:test';
import { makeSettings } from '../../src/config/settings.ts';
import { sieveSettings } from '../../src/delivery/language.ts';
import { actions, decide, message, MESSAGE_A, stored } from './harness.ts';

test('RFC 5429 §2.1: refused while it is delivered', () => {
  const script = `require ["ereject"];
    if address "from" "someone@example.com" { ereject "I no longer accept mail from this address"; }`;
  expect(decide(script, message('From: someone@example.com', '', ''))).toEqual([
    { kind: 'reject', early: true, reason: 'I no longer accept mail from this address' },
  ]);
  expect(actions(script, MESSAGE_A)).toEqual(['implicit keep']);
});

test('RFC 5429 §2.2: too big', () => {
  const script = `require ["reject"];
    if size :over 100K {
      reject text:
Your message is too big.  If you want to send me a big attachment,
put it on a public web site and send me a URL.
.
;
    }`;
  expect(decide(script, message('Subject: x', '', 'x'.repeat(110_000)))).toEqual([{
    kind: 'reject',
    early: false,
    reason: 'Your message is too big.  If you want to send me a big attachment,\r\n' +
      'put it on a public web site and send me a URL.\r\n',
  }]);
  expect(actions(script, MESSAGE_A)).toEqual(['implicit keep']);
});

test('RFC 5429 §2.5: by a score; what LMTP answers then: lmtp/transcripts and delivery/script.test.ts', () => {
  const settings = sieveSettings(
    makeSettings({ sieve_spamtest_status_header: 'X-Score', sieve_spamtest_max: '10' }),
  );
  const script = `require ["ereject", "spamtest", "fileinto", "relational", "comparator-i;ascii-numeric"];
    if spamtest :value "ge" :comparator "i;ascii-numeric" "6" {
      ereject text:
AntiSpam engine thinks your message is spam.
It is therefore being refused.
Please call 1-900-PAY-US if you want to reach us.
.
;
    } elsif spamtest :value "ge" :comparator "i;ascii-numeric" "4" {
      fileinto "Suspect";
    }`;
  const scored = (score: number) =>
    actions(script, message(`X-Score: ${score}`, '', ''), { settings, compile: { settings } });
  expect(scored(9)).toEqual(['reject']);
  expect(scored(4)).toEqual(['fileinto Suspect']);
  expect(scored(1)).toEqual(['implicit keep']);
});

test('RFC 6609 §3.4.1: a script that is used like a subroutine', () => {
  const script = `require ["fileinto", "include", "variables", "relational"];
    global "test";
    global "test_mailbox";
    # The included script may contain repetitive code that is effectively a subroutine.
    set "test" "$$";
    include "subject_tests";
    set "test" "Make money";
    include "subject_tests";
    if string :count "eq" "\${test_mailbox}" "1" { fileinto "\${test_mailbox}"; stop; }`;
  const scripts = {
    'personal subject_tests': `require ["include", "variables"];
      global ["test", "test_mailbox"];
      if header :contains "Subject" "\${test}" { set "test_mailbox" "spam-\${test}"; }`,
  };
  const filed = (subject: string) =>
    actions(script, message(`Subject: ${subject}`, '', ''), { host: { script: stored(scripts) } });
  expect(filed('$$ for you')).toEqual(['fileinto spam-$$']);
  expect(filed('$$ Make money')).toEqual(['fileinto spam-Make money']);
  expect(filed('hello')).toEqual(['implicit keep']);
});

test('RFC 6609 §3.4.2: two ways to write the same variable', () => {
  const script = `require ["variables", "include", "vacation"];
    global "i_am_on_vacation";
    set "global.i_am_on_vacation" "1";
    if string :is "\${i_am_on_vacation}" "1" { vacation "It's true, I am on vacation."; }`;
  expect(actions(script, MESSAGE_A)).toEqual(['vacation', 'implicit keep']);
});
