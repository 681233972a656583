/**
 * The examples of RFC 5435 (enotify), RFC 5463 (ihave), RFC 5490 (mailbox, metadata) and RFC 5183 (environment), by section. There are
 * no xmpp, tel or http methods here but for these tests. Example 2 of RFC 5490 §3.3 lacks the ";" behind its text.
 */

import { expect, test } from 'bun:test';
import { DEFAULT_SETTINGS } from '../../src/sieve/settings.ts';
import type { NotifyAction } from '../../src/sieve/result.ts';
import { actions, decide, ENVELOPE, findings, message, MESSAGE_A, outcome, type World } from './harness.ts';

const settings = {
  ...DEFAULT_SETTINGS,
  notify: { ...DEFAULT_SETTINGS.notify, schemes: new Set(['xmpp', 'tel']) },
};

/** A site with other methods, where tim is online or not. */
function site(online: 'yes' | 'no' | 'maybe' = 'maybe'): World {
  return { settings, compile: { settings }, host: { notifyMethod: () => ({ online }) } };
}

function notified(script: string, bytes: Uint8Array, world: World = site()): NotifyAction[] {
  return decide(script, bytes, world).filter((action) => action.kind === 'notify');
}

test('RFC 5435 §3.7, example 1: the boss and a mailing list', () => {
  const script = `require ["enotify", "fileinto", "variables"];
    if header :contains "from" "boss@example.org" {
      notify :importance "1" :message "This is probably very important" "mailto:alm@example.com";
      # Don't send any further notifications
      stop;
    }
    if header :contains "to" "sievemailinglist@example.org" {
      if header :matches "Subject" "*" { set "subject" "\${1}"; }
      if header :matches "From" "*" { set "from" "\${1}"; }
      notify :importance "3" :message "[SIEVE] \${from}: \${subject}" "mailto:alm@example.com";
      fileinto "INBOX.sieve";
    }`;
  expect(notified(script, message('From: boss@example.org', 'To: sievemailinglist@example.org', '', '')))
    .toMatchObject([{ importance: 1, message: 'This is probably very important' }]);
  const listed = message('From: a@example.com', 'To: sievemailinglist@example.org', 'Subject: news', '', '');
  expect(notified(script, listed)).toMatchObject([{ importance: 3, message: '[SIEVE] a@example.com: news' }]);
  expect(actions(script, listed)).toEqual(['notify', 'fileinto INBOX.sieve']);
});

test('RFC 5435 §3.7, example 2: who really sent it', () => {
  const script = `require ["enotify", "fileinto", "variables", "envelope"];
    if header :matches "from" "*@*.example.org" {
      if envelope :all :matches "from" "*" { set "env_from" " [really: \${1}]"; }
      if header :matches "Subject" "*" { set "subject" "\${1}"; }
      if address :matches :all "from" "*" { set "from_addr" "\${1}"; }
      notify :message "\${from_addr}\${env_from}: \${subject}" "mailto:alm@example.com";
    }`;
  expect(notified(script, message('From: ann@mail.example.org', 'Subject: hi', '', ''))).toMatchObject([
    { message: 'ann@mail.example.org [really: coyote@desert.example.org]: hi', importance: 2 },
  ]);
});

const EXAMPLE_3 = `require ["enotify", "variables"];
  set "notif_method" "xmpp:tim@example.com?message;subject=SIEVE;body=You%20got%20mail";
  if header :contains "subject" "Your dog" { set "notif_method" "tel:+14085551212"; }
  if header :contains "to" "sievemailinglist@example.org" { set "notif_method" ""; }
  if not string :is "\${notif_method}" "" { notify "\${notif_method}"; }
  if header :contains "from" "boss@example.org" {
    if header :matches "Subject" "*" { set "subject" "\${1}"; }
    # don't need high importance notification for a 'for your information'
    if not header :contains "subject" "FYI:" {
      notify :importance "1" :message "BOSS: \${subject}" "tel:+14085551212";
    }
  }`;

test('RFC 5435 §3.7, example 3: by one way or another', () => {
  const by = (...header: string[]) =>
    notified(EXAMPLE_3, message(...header, '', '')).map(({ method, message }) => [method.scheme, message]);
  expect(by('Subject: x')).toEqual([['xmpp', null]]);
  expect(by('Subject: Your dog is in the garden')).toEqual([['tel', null]]);
  expect(by('To: sievemailinglist@example.org', 'Subject: x')).toEqual([]);
  expect(by('From: boss@example.org', 'Subject: now')).toEqual([['xmpp', null], ['tel', 'BOSS: now']]);
  expect(by('From: boss@example.org', 'Subject: FYI: later')).toEqual([['xmpp', null]]);
});

test('RFC 5435 §3.2: a method that is not supported is an error when it is used, and not before', () => {
  expect(findings(EXAMPLE_3)).toEqual([
    expect.stringMatching(/^warning 10:\d+ the notify command: unknown notification method "tel:/),
  ]);
  expect(outcome(EXAMPLE_3, message('Subject: x', '', '')).error?.text).toContain(
    'unknown notification method',
  );
  expect(actions(EXAMPLE_3, message('To: sievemailinglist@example.org', '', ''))).toEqual(['implicit keep']);
  expect(findings('require "enotify"; notify "mailto:a b@example.com";')[0]).toMatch(/^1:27 /);
});

test('RFC 5435 §4, example 4: methods that are valid', () => {
  const script = (uris: string) =>
    `require "enotify"; if not valid_notify_method [${uris}] { stop; } discard;`;
  expect(actions(script('"mailto:", "http://gw.example.net/notify?test"'), MESSAGE_A)).toEqual([
    'implicit keep',
  ]);
  expect(actions(script('"mailto:a@example.com"'), MESSAGE_A)).toEqual(['discard']);
});

test('RFC 5435 §5, example 5: whoever is online', () => {
  const script = `require ["enotify"];
    if notify_method_capability "xmpp:tim@example.com?message;subject=SIEVE" "Online" "yes" {
      notify :importance "1" :message "You got mail" "xmpp:tim@example.com?message;subject=SIEVE";
    } else {
      notify :message "You got mail" "tel:+14085551212";
    }`;
  expect(notified(script, MESSAGE_A, site('yes'))).toMatchObject([{
    importance: 1,
    method: { scheme: 'xmpp' },
  }]);
  for (const online of ['no', 'maybe'] as const) {
    expect(notified(script, MESSAGE_A, site(online))).toMatchObject([
      { importance: 2, method: { scheme: 'tel' } },
    ]);
  }
});

test('RFC 5435 §6, example 6: a text within a URI', () => {
  const script = `require ["enotify", "variables"];
    set :encodeurl "body_param" "Safe body&evil=evilbody";
    notify "mailto:tim@example.com?body=\${body_param}";`;
  expect(notified(script, MESSAGE_A)).toMatchObject([
    { method: { mailto: { to: [{ address: 'tim@example.com' }], body: 'Safe body&evil=evilbody' } } },
  ]);
});

test('RFC 5463 §6: with an extension or without it', () => {
  const notes = `require ["ihave", "variables"];
    if ihave ["vnd.example.none"] { unheardof "x"; } else { redirect "a@example.com"; }`;
  expect(actions(notes, MESSAGE_A)).toEqual(['redirect a@example.com']);
  const filed = `require "ihave";
    if not ihave ["fileinto", "reject"] { error "neither"; }
    if header :contains "subject" "present" { fileinto "presents"; }`;
  expect(actions(filed, MESSAGE_A)).toEqual(['fileinto presents']);
  const wrong = 'require "ihave"; if not ihave "vnd.example.none" { error "this script needs none"; }';
  expect(outcome(wrong, MESSAGE_A).error?.text).toContain('this script needs none');
});

test('RFC 5490 §3.1: a mailbox that is there', () => {
  const script = `require ["fileinto", "reject", "mailbox"];
    if mailboxexists "Partners" { fileinto "Partners"; }
    else { reject "This message was not accepted by the Mailstore"; }`;
  const world = (there: boolean): World => ({
    host: { mailboxExists: (name) => there && name === 'Partners' },
  });
  expect(actions(script, MESSAGE_A, world(true))).toEqual(['fileinto Partners']);
  expect(actions(script, MESSAGE_A, world(false))).toEqual(['reject']);
});

test('RFC 5490 §3.3: an answer that is switched on elsewhere', () => {
  const script = `require ["mboxmetadata", "vacation"];
if metadata :is "INBOX" "/private/vendor/vendor.isode/auto-replies" "on" {
  vacation text:
I'm away on holidays till March 2009.
Expect a delay.
.
;
}`;
  const set = (value: string | null): World => ({
    host: {
      metadata: (mailbox, entry) =>
        mailbox === 'INBOX' && entry === '/private/vendor/vendor.isode/auto-replies' ? value : null,
    },
  });
  expect(actions(script, MESSAGE_A, set('on'))).toEqual(['vacation', 'implicit keep']);
  expect(actions(script, MESSAGE_A, set('off'))).toEqual(['implicit keep']);
  expect(actions(script, MESSAGE_A, set(null))).toEqual(['implicit keep']);
});

test('RFC 5490 §4.1: where to notify stands with the server', () => {
  const script = `require ["enotify", "servermetadata", "variables", "envelope"];
    if servermetadata :matches "/private/vendor/vendor.isode/notification-uri" "*" { set "notif_uri" "\${0}"; }
    if not string :is "\${notif_uri}" "none" {
      if envelope :all :matches "from" "*" { set "env_from" " [really: \${1}]"; }
      if header :matches "Subject" "*" { set "subject" "\${1}"; }
      if address :matches :all "from" "*" { set "from_addr" "\${1}"; }
      notify :message "\${from_addr}\${env_from}: \${subject}" "\${notif_uri}";
    }`;
  const set = (uri: string): World => ({
    host: {
      metadata: (mailbox, entry) => mailbox === null && entry.endsWith('/notification-uri') ? uri : null,
    },
    envelope: ENVELOPE,
  });
  expect(notified(script, message('From: a@b.c', 'Subject: s', '', ''), set('mailto:x@example.com')))
    .toMatchObject([
      { message: 'a@b.c [really: coyote@desert.example.org]: s' },
    ]);
  expect(notified(script, MESSAGE_A, set('none'))).toEqual([]);
});

test('RFC 5183 §4: what is not known matches nothing', () => {
  const script =
    'require ["environment", "fileinto"]; if environment :contains "remote-host" "example.com" { discard; }';
  const from = (host: string | null): World => ({
    host: { environment: (item) => item === 'remote-host' ? host : null },
  });
  expect(actions(script, MESSAGE_A, from('mx.example.com'))).toEqual(['discard']);
  expect(actions(script, MESSAGE_A, from(null))).toEqual(['implicit keep']);
});
