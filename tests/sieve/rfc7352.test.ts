/** The examples of RFC 7352 (duplicate) and RFC 6785 (imapsieve), by section. */

import { expect, test } from 'bun:test';
import { DEFAULT_SETTINGS } from '../../src/sieve/settings.ts';
import { actions, message, outcome, type World } from './harness.ts';

/** A mailbox of messages that come one after the other, and what is remembered of them. */
class Arrivals {
  readonly #seen = new Set<string>();
  readonly seconds: (number | null)[] = [];

  constructor(readonly script: string) {}

  /** Flags included, as `fileinto Alerts \Seen`. */
  take(...header: string[]): string[] {
    const { result, error } = outcome(this.script, message(...header, '', ''), {
      host: { seen: (key) => this.#seen.has(key) },
    });
    expect(error).toBeNull();
    for (const { key, seconds } of result.remembered) {
      this.#seen.add(key);
      this.seconds.push(seconds);
    }
    return result.decided().map((action) => {
      switch (action.kind) {
        case 'keep':
        case 'fileinto': {
          const { mailbox, flags, create } = action.placement;
          return [action.kind, mailbox ?? '', create ? 'created' : '', ...flags].filter((word) => word !== '')
            .join(
              ' ',
            );
        }
        default:
          return action.kind;
      }
    });
  }
}

test('§3.1: the three ways to say the same', () => {
  for (
    const script of [
      'require "duplicate"; if duplicate { discard; }',
      'require "duplicate"; if duplicate :header "message-id" { discard; }',
      'require ["duplicate", "variables"]; if header :matches "message-id" "*" { if duplicate :uniqueid "${0}" { discard; } }',
    ]
  ) {
    const arrivals = new Arrivals(script);
    expect(arrivals.take('Message-ID: <1@example.com>')).toEqual(['keep']);
    expect(arrivals.take('Message-ID: <2@example.com>')).toEqual(['keep']);
    expect(arrivals.take('Message-ID: <1@example.com>')).toEqual(['discard']);
    expect(arrivals.take('Subject: none')).toEqual(['keep']);
    expect(arrivals.take('Subject: none')).toEqual(['keep']);
  }
});

test('§4.1: duplicates have a folder', () => {
  const arrivals = new Arrivals(
    'require ["duplicate", "fileinto", "mailbox"]; if duplicate { fileinto :create "Trash/Duplicate"; }',
  );
  expect(arrivals.take('Message-ID: <1@example.com>')).toEqual(['keep']);
  expect(arrivals.take('Message-ID: <1@example.com>')).toEqual(['fileinto Trash/Duplicate created']);
});

test('§4.2: the same alert within a minute is seen already', () => {
  const arrivals = new Arrivals(`require ["duplicate", "variables", "imap4flags", "fileinto"];
    if header :matches "subject" "ALERT: *" {
      if duplicate :seconds 60 :uniqueid "\${1}" { setflag "\\\\seen"; }
      fileinto "Alerts";
    }`);
  expect(arrivals.take('Subject: ALERT: disk')).toEqual(['fileinto Alerts']);
  expect(arrivals.take('Subject: ALERT: fan')).toEqual(['fileinto Alerts']);
  expect(arrivals.take('Subject: ALERT: disk')).toEqual(['fileinto Alerts \\Seen']);
  expect(arrivals.seconds).toEqual([60, 60]);
});

test('§4.3: one notification of a conversation in half an hour', () => {
  const plain = new Arrivals(`require ["variables", "envelope", "enotify", "duplicate"];
    if envelope :matches "from" "*" { set "sender" "\${1}"; }
    if header :matches "subject" "*" { set "subject" "\${1}"; }
    if not duplicate :seconds 1800 :uniqueid "\${sender}"
    { notify :message "[SIEVE] \${sender}: \${subject}" "mailto:user@im.example.com"; }`);
  expect(plain.take('Subject: one')).toEqual(['notify', 'keep']);
  expect(plain.take('Subject: two')).toEqual(['keep']);
  const bySubject = new Arrivals(`require ["variables", "envelope", "enotify", "duplicate"];
    if envelope :matches "from" "*" { set "sender" "\${1}"; }
    if header :matches "subject" "*" { set "subject" "\${1}"; }
    # account for 'Re:' prefix
    if string :comparator "i;ascii-casemap" :matches "\${subject}" "Re:*"
    { set "subject" "\${1}"; }
    else { set "subject" " \${subject}"; }
    if not duplicate :seconds 1800 :uniqueid "\${sender} \${subject}"
    { notify :message "[SIEVE] \${sender}: \${subject}" "mailto:user@im.example.com"; }`);
  expect(bySubject.take('Subject: one')).toEqual(['notify', 'keep']);
  expect(bySubject.take('Subject: RE: one')).toEqual(['keep']);
  expect(bySubject.take('Subject: two')).toEqual(['notify', 'keep']);
  expect(bySubject.seconds).toEqual([1800, 1800]);
});

test('§4.4: handles keep apart what has the same id', () => {
  const arrivals = new Arrivals(`require ["duplicate", "imap4flags"];
    if duplicate :header "X-Event-ID" :handle "notifier" { discard; }
    if allof (
      duplicate :header "X-Ticket-ID" :handle "support",
      address "to" "support@example.com",
      header :contains "subject" "fileserver")
    { setflag "\\\\seen"; }`);
  const ticket = ['To: support@example.com', 'Subject: the fileserver'];
  expect(arrivals.take('X-Event-ID: 7')).toEqual(['keep']);
  expect(arrivals.take('X-Ticket-ID: 7', ...ticket)).toEqual(['keep']);
  expect(arrivals.take('X-Ticket-ID: 7', ...ticket)).toEqual(['keep \\Seen']);
  expect(arrivals.take('X-Event-ID: 7')).toEqual(['discard']);
});

/** What a user did in a mailbox by IMAP. */
function event(items: Readonly<Record<string, string>>): World {
  const settings = { ...DEFAULT_SETTINGS, imapEvents: true };
  return { settings, compile: { settings }, host: { environment: (item) => items[item] ?? null } };
}

test('RFC 6785 §8.1: what is put among the action items is sent on', () => {
  const script = `require ["copy", "environment", "imapsieve"];
    if anyof (environment :is "imap.cause" "APPEND", environment :is "imap.cause" "COPY")  {
      if environment :is "imap.mailbox" "ActionItems" { redirect :copy "actionitems@example.com"; }
    }`;
  const done = (cause: string, mailbox: string) =>
    actions(script, message('', ''), event({ 'imap.cause': cause, 'imap.mailbox': mailbox }));
  expect(done('COPY', 'ActionItems')).toEqual(['redirect actionitems@example.com', 'implicit keep']);
  expect(done('APPEND', 'ActionItems')).toEqual(['redirect actionitems@example.com', 'implicit keep']);
  expect(done('FLAG', 'ActionItems')).toEqual(['implicit keep']);
  expect(done('COPY', 'INBOX')).toEqual(['implicit keep']);
});

test('RFC 6785 §8.2: who flags a message is told of it', () => {
  const script = (flags: readonly string[]) =>
    `require ["enotify", "imap4flags", "variables", "environment", "imapsieve"];
    # The flags the message has, which the server puts here before.
    setflag "${flags.join(' ').replaceAll('\\', '\\\\')}";
    if environment :matches "imap.mailbox" "*" { set "mailbox" "\${1}"; }
    if allof (hasflag "\\\\Flagged", environment :contains "imap.changedflags" "\\\\Flagged") {
      notify :message "Important message in \${mailbox}" "mailto:tim@example.com";
    }`;
  const done = (changed: string, flags: readonly string[]) =>
    actions(script(flags), message('', ''), event({ 'imap.mailbox': 'INBOX', 'imap.changedflags': changed }));
  expect(done('\\Flagged', ['\\Flagged'])).toEqual(['notify', 'implicit keep']);
  expect(done('\\Flagged', [])).toEqual(['implicit keep']);
  expect(done('\\Seen', ['\\Flagged', '\\Seen'])).toEqual(['implicit keep']);
});
