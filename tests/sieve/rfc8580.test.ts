/**
 * The examples of RFC 8580, by section. The one of §5 has tags behind the reason, where RFC 5228 §2.6.2 allows none; the one of §6.1
 * needs a method that is not here but for this test.
 */

import { expect, test } from 'bun:test';
import { DEFAULT_SETTINGS } from '../../src/sieve/settings.ts';
import { decide, findings, MESSAGE_A, outcome } from './harness.ts';

test('§5: a vacation reply is copied to Sent', () => {
  const script = `require ["vacation", "fcc", "mailbox", "special-use", "imap4flags"];
    vacation :days 7
             :from "hemingway@example.com"
             :specialuse "\\\\Sent" :create
             :fcc "INBOX.Sent" :flags ["\\\\Seen"] "Gone Fishin'";`;
  expect(decide(script, MESSAGE_A)[0]).toMatchObject({
    kind: 'vacation',
    seconds: 7 * 86_400,
    fcc: { mailbox: 'INBOX.Sent', specialUse: '\\Sent', create: true, flags: ['\\Seen'] },
  });
  const printed = 'require ["vacation", "fcc"]; vacation :days 7 "Gone Fishin\'" :fcc "INBOX.Sent";';
  expect(findings(printed)).not.toEqual([]);
});

test('§6: a notification is copied to Sent', () => {
  const script = `require ["enotify", "fcc"];
    notify :fcc "INBOX.Sent" :message "You got mail!" "mailto:ken@example.com";`;
  expect(decide(script, MESSAGE_A)[0]).toMatchObject({
    kind: 'notify',
    message: 'You got mail!',
    fcc: { mailbox: 'INBOX.Sent', create: false, flags: [] },
  });
});

test('§6.1: the method that makes something to copy', () => {
  const script = `require ["enotify", "fcc"];
    if notify_method_capability "xmpp:" "fcc" "yes" {
      notify :fcc "INBOX.Sent" :message "You got mail" "xmpp:ken@example.com?message;subject=SIEVE";
    } else {
      notify :fcc "INBOX.Sent" :message "You got mail!" "mailto:ken@example.com";
    }`;
  const settings = {
    ...DEFAULT_SETTINGS,
    notify: { ...DEFAULT_SETTINGS.notify, schemes: new Set(['xmpp']) },
  };
  expect(findings(script)[0]).toContain('unknown notification method');
  expect(findings(script, { settings })).toEqual([
    `3:14 the notify command: ':fcc' is not for the notification method "xmpp:ken@example.com?message;subject=SIEVE"`,
  ]);
  const byVariable = script.replace('require [', 'require ["variables", ').replace(
    'notify :fcc "INBOX.Sent" :message "You got mail" "xmpp:ken@example.com?message;subject=SIEVE";',
    'set "m" "xmpp:ken@example.com"; notify :fcc "INBOX.Sent" "${m}";',
  );
  const world = {
    settings,
    compile: { settings },
    host: { notifyMethod: () => ({ online: 'maybe' as const }) },
  };
  expect(decide(byVariable, MESSAGE_A, world)[0]).toMatchObject({ method: { scheme: 'mailto' } });
  const wrong = byVariable.replace('"yes"', '"no"');
  expect(outcome(wrong, MESSAGE_A, world).error?.text).toContain("':fcc' is not for");
});

test('§7, §8: not for reject, ereject, or what makes no message', () => {
  for (
    const command of ['reject :fcc "a" "no"', 'ereject :fcc "a" "no"', 'keep :fcc "a"', 'discard :fcc "a"']
  ) {
    expect(findings(`require ["fcc", "reject", "ereject"]; ${command};`)[0]).toContain(
      "unknown tagged argument ':fcc'",
    );
  }
});

test('§3.1: tags of other extensions need them', () => {
  expect(findings('require ["vacation", "fcc"]; vacation :fcc "a" :create "b";')[0]).toContain(
    'without require "mailbox"',
  );
  expect(findings('require ["vacation", "fcc"]; vacation :fcc "a" :flags "b" "c";')[0]).toContain(
    'without require "imap4flags"',
  );
});
